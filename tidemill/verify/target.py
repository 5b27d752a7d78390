"""Target of a verification: the deployed stack, and the fleet that the template describes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.scaling.template.fleet import resolved_fleet
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.resolver import Resolver
from tidemill.verify.ports import RefusedError, VerifyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemill.scaling.spec import Fleet
    from tidemill.scaling.template.document import Document
    from tidemill.verify.ports import Answer, Aws

CALLS = (
    "sts:GetCallerIdentity",
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
)
"""What reading the stack needs, whatever is checked."""

NOT_CREATED = "not-created"
QUEUE = "AWS::SQS::Queue"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A resource of the stack: its type, its id, and CloudFormation's status of it."""

    kind: str
    physical: str
    status: str


@dataclass(frozen=True, slots=True)
class Target:
    """The stack, and what the local template describes for its parameters.

    Attributes:
        name: the stack's name.
        region: where it is.
        account: the caller's account.
        caller: the ARN of the caller.
        stack_id: the stack's ARN.
        status: the stack's status.
        deployed: its resources by logical id.
        resolver: of the local template, with the stack's parameters and its resources' names.
        fleet: what the core reads from the local template at this place.
        unknown: parameters of the stack that the local template does not have.
        body: the text of the messages to send, None if nobody knows what the handler accepts.
    """

    name: str
    region: str
    account: str
    caller: str
    stack_id: str
    status: str
    deployed: Mapping[str, Deployed]
    resolver: Resolver
    fleet: Fleet
    unknown: tuple[str, ...] = ()
    body: str | None = None

    @property
    def longest_period(self) -> int:
        """Return the longest period of an alarm that scales, in seconds."""
        return max(alarm.period for alarm in self.fleet.alarms)

    @property
    def queue_url(self) -> str:
        """Return the URL of the work queue."""
        return self.deployed[self.fleet.queue.logical_id].physical

    @property
    def dead_letter_url(self) -> str | None:
        """Return the URL of the dead-letter queue, None without one."""
        work = self.fleet.queue.logical_id
        others = [
            one.physical
            for logical_id, one in self.deployed.items()
            if one.kind == QUEUE and logical_id != work
        ]
        return others[0] if len(others) == 1 else None

    @property
    def group(self) -> str:
        """Return the name of the group."""
        return self.fleet.group.name

    def parameter(self, name: str) -> str | None:
        """Return the value of one of the template's parameters, None if it has no such one."""
        value = self.resolver.parameters.get(name)
        if isinstance(value, list):
            return ",".join(map(str, value))
        return None if value is None else str(value)

    def physical_of(self, kind: str) -> dict[str, str]:
        """Return the ids of the deployed resources of a type, by logical id."""
        return {name: one.physical for name, one in self.deployed.items() if one.kind == kind}


def read_target(
    aws: Aws, template: Document, stack: str, body: Callable[[str], str | None]
) -> Target:
    """Read the stack, and the fleet that the template describes at its place.

    Args:
        aws: the account and region.
        template: the local template.
        stack: the stack's name.
        body: returns the text of a message for a handler, None for one that it does not know.

    Raises:
        VerifyError: there is no such stack, or it has no work queue.
        TemplateError: the template is not one of a fleet.
    """
    try:
        caller = aws.call("sts:GetCallerIdentity")
        found = aws.call("cloudformation:DescribeStacks", StackName=stack)["Stacks"][0]
        listed = aws.call("cloudformation:ListStackResources", StackName=stack)
    except RefusedError as error:
        if "does not exist" in str(error):
            raise VerifyError(
                f"there is no stack {stack} in {aws.region}: give --stack, or set AWS_REGION"
            ) from error
        raise VerifyError(str(error)) from error
    deployed = {
        item["LogicalResourceId"]: Deployed(
            item["ResourceType"], item.get("PhysicalResourceId", ""), item["ResourceStatus"]
        )
        for item in listed["StackResourceSummaries"]
        if item.get("PhysicalResourceId") != NOT_CREATED
        and item["ResourceStatus"] != "DELETE_COMPLETE"
    }
    given = {
        item["ParameterKey"]: item["ParameterValue"]
        for item in found.get("Parameters", [])
        if item["ParameterKey"] in (template.get("Parameters") or {})
    }
    place = Place(stack, aws.region, caller["Account"], _physical(deployed, aws, caller["Account"]))
    resolver = Resolver(template, given, place)
    fleet = resolved_fleet(resolver)
    if fleet.queue.logical_id not in deployed:
        raise VerifyError(f"stack {stack} has no resource {fleet.queue.logical_id}, the queue")
    return Target(
        name=stack,
        region=aws.region,
        account=caller["Account"],
        caller=caller["Arn"],
        stack_id=found.get("StackId", ""),
        status=found["StackStatus"],
        deployed=deployed,
        resolver=resolver,
        fleet=fleet,
        unknown=tuple(_unknown(found, template)),
        body=body(str(resolver.parameters.get("Handler", ""))),
    )


def planned_target(template: Document) -> Target:
    """Return a stack that would be deployed from a template, with the defaults of its parameters.

    Raises:
        TemplateError: the template is not one of a fleet.
    """
    place = Place()
    resolver = Resolver(template, {}, place)
    return Target(
        name=place.stack,
        region=place.region,
        account=place.account,
        caller="",
        stack_id="",
        status="",
        deployed={},
        resolver=resolver,
        fleet=resolved_fleet(resolver),
    )


def _unknown(stack: Answer, template: Document) -> list[str]:
    known = template.get("Parameters") or {}
    return [
        item["ParameterKey"]
        for item in stack.get("Parameters", [])
        if item["ParameterKey"] not in known
    ]


def _physical(
    deployed: Mapping[str, Deployed], aws: Aws, account: str
) -> dict[str, dict[str, str]]:
    """Return the values of deployed resources that the template's functions refer to."""
    physical: dict[str, dict[str, str]] = {}
    for logical_id, one in deployed.items():
        physical[logical_id] = {"Ref": one.physical}
        if one.kind == QUEUE:
            name = one.physical.rsplit("/", 1)[-1]
            arn = f"arn:aws:sqs:{aws.region}:{account}:{name}"
            physical[logical_id] |= {"QueueName": name, "Arn": arn}
    return physical
