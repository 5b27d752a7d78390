"""Deploys template.yaml as soon as LocalStack is ready; LocalStack runs this file itself."""

import os
import signal
from pathlib import Path

import boto3

STACK = os.environ.get("STACK", "tidemill")
TEMPLATE = Path("/opt/tidemill/template.yaml")
ARTEFACTS = "tidemill-artefacts"
ENDPOINT = "http://localhost:4566"


def deploy(parameters: dict[str, str]) -> None:
    """Create the stack and await it.

    Raises:
        ValueError: the template has no parameter of such a name, which LocalStack would let pass.
    """
    session = boto3.Session("test", "test", region_name="us-east-1")
    # A template that is sent along may have 51,200 bytes, one that lies in a bucket a megabyte.
    storage = session.client("s3", endpoint_url=ENDPOINT)
    storage.create_bucket(Bucket=ARTEFACTS)
    storage.put_object(Bucket=ARTEFACTS, Key=TEMPLATE.name, Body=TEMPLATE.read_bytes())
    url = f"{ENDPOINT}/{ARTEFACTS}/{TEMPLATE.name}"
    cloudformation = session.client("cloudformation", endpoint_url=ENDPOINT)
    declared = cloudformation.get_template_summary(TemplateURL=url)["Parameters"]
    known = [item["ParameterKey"] for item in declared]
    if unknown := [name for name in parameters if name not in known]:
        raise ValueError(f"unknown parameter {unknown[0]}: the template has {', '.join(known)}")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=url,
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def read_parameters(text: str) -> dict[str, str]:
    """Return the parameters of "Name=value,Name=value"."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    return {name.strip(): value.strip() for name, _, value in pairs}


try:
    deploy(read_parameters(os.environ.get("PARAMETERS", "")))
except Exception as error:
    print(f"the stack is not created: {error}", flush=True)
    # Without its stack this LocalStack is of no use: whoever waits for it hears of it at once.
    os.kill(os.getpid(), signal.SIGTERM)
    raise
