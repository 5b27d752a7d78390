"""Deploys template.yaml as soon as LocalStack is ready; LocalStack runs this file itself."""

import os
from pathlib import Path

import boto3

STACK = os.environ.get("STACK", "tidemill")
TEMPLATE = Path("/opt/tidemill/template.yaml")
ARTEFACTS = "tidemill-artefacts"


def deploy() -> None:
    """Create the stack with the parameters of PARAMETERS, "Name=value,Name=value"; await it."""
    session = boto3.Session("test", "test", region_name="us-east-1")
    endpoint = "http://localhost:4566"
    # A template that is sent along may have 51,200 bytes, one that lies in a bucket a megabyte.
    storage = session.client("s3", endpoint_url=endpoint)
    storage.create_bucket(Bucket=ARTEFACTS)
    storage.put_object(Bucket=ARTEFACTS, Key=TEMPLATE.name, Body=TEMPLATE.read_bytes())
    given = [pair.partition("=") for pair in os.environ.get("PARAMETERS", "").split(",") if pair]
    cloudformation = session.client("cloudformation", endpoint_url=endpoint)
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=f"{endpoint}/{ARTEFACTS}/{TEMPLATE.name}",
        Parameters=[
            {"ParameterKey": name.strip(), "ParameterValue": value} for name, _, value in given
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


deploy()
