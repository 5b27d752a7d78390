"""Deployment of a template in the local AWS, without the resources that it does not support."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.template_body import template_body

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from mypy_boto3_cloudformation import CloudFormationClient

    from tidemill.rig.local_aws.clients import LocalClients
    from tidemill.scaling.template.document import Document
    from tidemill.scaling.template.resolver import Resolver

DEPLOY_SECONDS = 120.0

NOT_CREATED = "unknown"
"""The physical id of a resource that LocalStack reports as created but did not create."""

HINT = (
    "see its log (`docker compose logs localstack`); images of LocalStack later than "
    "localstack/localstack:4.14.0 need an account's token"
)

METRIC_MATH = (
    "MiniStack does not support alarms on metric math; the rig evaluates the scaling alarms itself"
)
RUNS_CODE = (
    "it runs code of the template on this machine, with your rights: --run-functions allows that"
)
FUNCTIONS = ("AWS::Lambda::", "AWS::CloudFormation::CustomResource", "Custom::")
"""The start of the types that run code when they are created or called."""

SERVERLESS = "the rig runs no functions; it publishes the metrics of the signal function itself"

_UNRECOGNIZED = re.compile(r"Unrecognized resource types: \[([^\]]*)\]")
_SUB = re.compile(r"\$\{([A-Za-z0-9]+)[.}]")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stack, in the local AWS of `clients`.

    `physical` has, by logical id, the values of a resource: its "Ref" and its attributes.
    `left_out` has a sentence for each reason why resources of the template were not deployed.
    """

    clients: LocalClients
    physical: dict[str, dict[str, str]]
    left_out: tuple[str, ...]


def deploy(resolver: Resolver, clients: LocalClients, *, run_functions: bool = False) -> Deployment:
    """Create the resolver's stack, without the resources that the local AWS does not support.

    Without `run_functions`, functions and what they are needed for are left out as well.

    Raises:
        RigError: the local AWS does not create the stack; the text has the reasons.
    """
    template, stack = resolver.template, resolver.place.stack
    absent = [name for name in template["Resources"] if not resolver.exists(name)]
    left_out = dict(_unsupported(template, absent, run_functions=run_functions))
    while True:
        document, left_out = without(template, left_out)
        try:
            clients.cloudformation.create_stack(
                StackName=stack,
                TemplateBody=template_body(document),
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": value}
                    for name, value in resolver.given.items()
                ],
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            )
            break
        except ClientError as error:
            unknown = _UNRECOGNIZED.search(str(error))
            types = {name.strip() for name in unknown.group(1).split(",")} if unknown else set()
            found = {
                logical_id: f"the local AWS does not support {resource['Type']}"
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
        clients,
        _physical(clients, stack, left_out),
        tuple(_sentences({name: why for name, why in left_out.items() if name not in absent})),
    )


def await_deployment(
    clients: LocalClients, stack: str, seconds: float
) -> tuple[Deployment, dict[str, str]]:
    """Wait for a stack that another process deploys; return it with its parameters.

    Args:
        clients: of the local AWS, which may still be starting.
        stack: the stack's name.
        seconds: how long to wait for the local AWS and for the stack.

    Raises:
        RigError: the local AWS does not answer, has no such stack in time, or failed to create it.
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
    return Deployment(clients, _physical(clients, stack, {}), ()), parameters


def without(template: Document, unsupported: Mapping[str, str]) -> tuple[Document, dict[str, str]]:
    """Return the template without these resources and without resources that refer to them.

    Args:
        template: the whole template.
        unsupported: the reason why a resource cannot be deployed, by logical id.

    Returns:
        The rest of the template, and the reason for each resource that is left out.
    """
    left_out = dict(unsupported)
    resources = {
        logical_id: resource
        for logical_id, resource in template["Resources"].items()
        if logical_id not in left_out
    }
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
        document.pop("Transform", None)  # no resource is left that needs a transform
    return {key: part for key, part in document.items() if part}, left_out


def _unsupported(
    template: Document, absent: Collection[str], *, run_functions: bool
) -> Iterator[tuple[str, str]]:
    """Yield the logical ids of resources that are not deployed, each with the reason."""
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties") or {}
        if resource["Type"].startswith("AWS::Serverless::"):
            reason = "its condition is false" if logical_id in absent else SERVERLESS
            yield logical_id, reason
        elif resource["Type"].startswith(FUNCTIONS) and not run_functions:
            yield logical_id, RUNS_CODE
        elif resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            yield logical_id, METRIC_MATH


def _sentences(left_out: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each reason, with the resources left out for it."""
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
    """Wait until the stack is created.

    Raises:
        RigError: the creation failed or takes too long.
    """
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
    """Return, by logical id, the values of the resources of a created stack."""
    physical: dict[str, dict[str, str]] = {}
    resources = clients.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    for resource in resources:
        logical_id, reference = resource["LogicalResourceId"], resource.get("PhysicalResourceId")
        if logical_id in left_out or not reference or reference == NOT_CREATED:
            continue
        physical[logical_id] = {"Ref": reference}
        if resource["ResourceType"] == "AWS::SQS::Queue":
            attributes = clients.sqs.get_queue_attributes(
                QueueUrl=reference, AttributeNames=["QueueArn"]
            )
            arn = attributes["Attributes"]["QueueArn"]
            physical[logical_id] |= {"Arn": arn, "QueueName": arn.rsplit(":", 1)[1]}
    return physical
