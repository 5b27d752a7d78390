"""Deployment of template.yaml into LocalStack, which runs this script when it is ready."""

import json
import os
import signal
from pathlib import Path
from typing import Any, cast

import boto3
import yaml

STACK = os.environ.get("STACK", "tidemill")
TEMPLATE = Path("/opt/tidemill/template.yaml")
ARTEFACTS = "tidemill-artefacts"
KEY = "template.json"
ENDPOINT = f"http://{os.environ.get('GATEWAY_LISTEN', 'localhost:4566')}"
"""LocalStack itself, in this container: only others come through the door."""


def deploy(parameters: dict[str, str]) -> None:
    """Create the stack and wait until it is complete.

    Raises:
        ValueError: the template does not declare a parameter; LocalStack itself would ignore it.
    """
    session = boto3.Session("test", "test", region_name="us-east-1")
    # A template in the request may have 51,200 bytes, a template in a bucket 1 MB
    # ("CloudFormation quotas").
    storage = session.client("s3", endpoint_url=ENDPOINT)
    storage.create_bucket(Bucket=ARTEFACTS)
    storage.put_object(Bucket=ARTEFACTS, Key=KEY, Body=json.dumps(read_template()).encode())
    url = f"{ENDPOINT}/{ARTEFACTS}/{KEY}"
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
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 180}
    )


class Loader(yaml.SafeLoader):
    """A YAML loader that understands CloudFormation's short forms of functions."""


def long_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """Return `!Name value` as {"Fn::Name": value}."""
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", long_form)


def read_template() -> dict[str, Any]:
    """Return the template without Lambda functions, for which LocalStack would need Docker.

    The function that samples the queue is not needed: the controller of the fleet samples it.
    """
    document: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Loader)  # noqa: S506 - a SafeLoader
    document["Resources"] = {
        name: resource
        for name, resource in document["Resources"].items()
        if not resource["Type"].startswith("AWS::Serverless::")
    }
    del document["Transform"]
    return document


def read_parameters(text: str) -> dict[str, str]:
    """Return the parameters in a text such as "Name=value,Name=value"."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    return {name.strip(): value.strip() for name, _, value in pairs}


try:
    deploy(read_parameters(os.environ.get("PARAMETERS", "")))
except Exception as error:
    print(f"the stack is not created: {error}", flush=True)
    # LocalStack is useless without the stack. Ending it makes `compose up --wait` fail at once.
    os.kill(os.getpid(), signal.SIGTERM)
    raise
