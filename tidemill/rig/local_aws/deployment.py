"""Deploys a template into the local AWS, without what the emulator does not know."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemill.rig.errors import RigError
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from mypy_boto3_cloudformation import CloudFormationClient

    from tidemill.rig.local_aws.clients import LocalClients
    from tidemill.scaling.template.document import Document

DEPLOY_SECONDS = 120.0

PRETENDED = "unknown"
"""The physical id of what LocalStack says that it created, but did not."""

HINT = (
    "see its log (`docker compose logs localstack`); images of LocalStack later than "
    "localstack/localstack:4.14.0 need an account's token"
)

METRIC_MATH = (
    "the local AWS takes no metric math alarms; the rig evaluates those that trigger scaling itself"
)
SERVERLESS = "the rig runs no function; where one samples the queue, the rig does so itself"

_UNRECOGNIZED = re.compile(r"Unrecognized resource types: \[([^\]]*)\]")
_SUB = re.compile(r"\$\{([A-Za-z0-9]+)[.}]")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stack: by logical id its resources' values ("Ref" and attributes).

    `left_out` tells, a sentence each, what of the template was not deployed and why.
    """

    physical: dict[str, dict[str, str]]
    left_out: tuple[str, ...]


def deploy(
    template: Document,
    parameters: Mapping[str, str],
    stack: str,
    clients: LocalClients,
) -> Deployment:
    """Create the stack and return what its resources are called.

    Raises:
        RigError: the local AWS does not create it; the text has its reasons.
    """
    resolver = Resolver(template, parameters, Place(stack))
    absent = [name for name in template["Resources"] if not resolver.exists(name)]
    left_out = dict(_known_gaps(template, absent))
    while True:
        document = without(template, left_out)
        try:
            clients.cloudformation.create_stack(
                StackName=stack,
                TemplateBody=json.dumps(document),
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": value}
                    for name, value in parameters.items()
                ],
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            )
            break
        except ClientError as error:
            unknown = _UNRECOGNIZED.search(str(error))
            types = {name.strip() for name in unknown.group(1).split(",")} if unknown else set()
            found = {
                logical_id: f"the local AWS does not know {resource['Type']}"
                for logical_id, resource in document["Resources"].items()
                if resource["Type"] in types
            }
            if not found:
                raise RigError(f"the local AWS refuses the template: {error}") from error
            left_out |= found
        except BotoCoreError as error:
            raise RigError(f"the local AWS refuses the template: {error}") from error
    _await_created(clients.cloudformation, stack)
    return Deployment(
        _physical(clients, stack, left_out),
        tuple(_told({name: why for name, why in left_out.items() if name not in absent})),
    )


def find_deployment(
    clients: LocalClients, stack: str, seconds: float
) -> tuple[Deployment, dict[str, str]]:
    """Return a stack that is being deployed by somebody else, and the parameters it was given.

    Args:
        clients: of the local AWS, which may be about to start.
        stack: the stack's name.
        seconds: how long both may take.

    Raises:
        RigError: nobody answers there, there is no such stack in time, or its creation failed.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = clients.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
            break
        except (BotoCoreError, ClientError) as error:
            if time.monotonic() >= deadline:
                reached = isinstance(error, ClientError)
                why = f"has no stack {stack}" if reached else "does not answer"
                raise RigError(f"the local AWS at {clients.endpoint} {why}: {HINT}") from error
            time.sleep(0.5)
    _await_created(clients.cloudformation, stack)
    parameters = {
        item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", [])
    }
    return Deployment(_physical(clients, stack, {}), ()), parameters


def without(template: Document, left_out: dict[str, str]) -> Document:
    """Return the template without these resources and without what refers to them.

    What has to go because it refers to one of them is added to `left_out`.
    """
    resources = dict(template["Resources"])
    for logical_id in left_out:
        resources.pop(logical_id, None)
    while True:
        dangling = {
            logical_id: sorted(set(_references(resource)) & left_out.keys())
            for logical_id, resource in resources.items()
        }
        dangling = {logical_id: names for logical_id, names in dangling.items() if names}
        if not dangling:
            break
        for logical_id, names in dangling.items():
            left_out[logical_id] = f"it refers to {', '.join(names)}, which is left out"
            del resources[logical_id]
    outputs = {
        name: output
        for name, output in (template.get("Outputs") or {}).items()
        if not set(_references(output)) & left_out.keys()
    }
    document = {**template, "Resources": resources, "Outputs": outputs}
    if not any(item["Type"].startswith("AWS::Serverless::") for item in resources.values()):
        document.pop("Transform", None)  # nothing to transform: saves the emulator the attempt
    return {key: part for key, part in document.items() if part}


def _known_gaps(template: Document, absent: Collection[str]) -> Iterator[tuple[str, str]]:
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties") or {}
        if resource["Type"].startswith("AWS::Serverless::"):
            reason = "its condition does not hold" if logical_id in absent else SERVERLESS
            yield logical_id, reason
        elif resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            yield logical_id, METRIC_MATH


def _told(left_out: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each reason, with all that was left out for it."""
    for reason in dict.fromkeys(left_out.values()):
        names = [name for name, why in left_out.items() if why == reason]
        yield f"not deployed: {', '.join(names)}: {reason}"


def _references(part: object) -> Iterator[str]:
    """Yield every logical id that a part of the template refers to."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in {"Ref", "DependsOn"}:
                names = [value] if isinstance(value, str) else value
                yield from (name for name in names if isinstance(name, str))
            elif key == "Fn::GetAtt":
                yield value.split(".")[0] if isinstance(value, str) else str(value[0])
            elif key == "Fn::Sub":
                text = value if isinstance(value, str) else value[0]
                yield from _SUB.findall(text)
                yield from _references(value)
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for item in part:
            yield from _references(item)


def _await_created(cloudformation: CloudFormationClient, stack: str) -> None:
    deadline = time.monotonic() + DEPLOY_SECONDS
    status = "CREATE_IN_PROGRESS"
    while status.endswith("IN_PROGRESS") and time.monotonic() < deadline:
        status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        time.sleep(0.05)
    if status == "CREATE_COMPLETE":
        return
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    reasons = [
        f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason')}"
        for event in events
        if event.get("ResourceStatus") == "CREATE_FAILED"
    ]
    raise RigError(
        f"the local AWS did not create the stack ({status}): {'; '.join(reasons) or 'no reason'}"
    )


def _physical(
    clients: LocalClients, stack: str, left_out: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    physical: dict[str, dict[str, str]] = {}
    resources = clients.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    for resource in resources:
        logical_id, reference = resource["LogicalResourceId"], resource.get("PhysicalResourceId")
        if logical_id in left_out or not reference or reference == PRETENDED:
            continue
        physical[logical_id] = {"Ref": reference}
        if resource["ResourceType"] == "AWS::SQS::Queue":
            attributes = clients.sqs.get_queue_attributes(
                QueueUrl=reference, AttributeNames=["QueueArn"]
            )
            arn = attributes["Attributes"]["QueueArn"]
            physical[logical_id] |= {"Arn": arn, "QueueName": arn.rsplit(":", 1)[1]}
    return physical
