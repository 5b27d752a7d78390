"""Fleet at this moment: counts of its queue, and instances of its group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.verify.bench import SkippedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.verify.bench import Bench

COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
CALLS = ("sqs:GetQueueAttributes", "autoscaling:DescribeAutoScalingGroups")
"""The actions that the functions here call."""

CALM_SECONDS = 900.0
"""How long a check waits for an earlier one's instances to be gone."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Counts of a queue; SQS calls them approximate."""

    visible: int
    in_flight: int

    @property
    def total(self) -> int:
        """Return the number of messages that are not processed yet."""
        return self.visible + self.in_flight


@dataclass(frozen=True, slots=True)
class GroupNow:
    """The group's desired capacity, and its instances' lifecycle states by id."""

    desired: int
    instances: Mapping[str, str]

    def in_service(self) -> list[str]:
        """Return the ids of the instances in service."""
        return [name for name, state in self.instances.items() if state == "InService"]


def backlog(bench: Bench, queue_url: str | None = None) -> Backlog:
    """Return the counts of a queue, the work queue by default."""
    found = bench.call(
        "sqs:GetQueueAttributes",
        QueueUrl=queue_url or bench.target.queue_url,
        AttributeNames=list(COUNTS),
    )["Attributes"]
    return Backlog(*(int(found[name]) for name in COUNTS))


def group_now(bench: Bench) -> GroupNow:
    """Return the group.

    Raises:
        SkippedError: there is no such group.
    """
    found = bench.call(
        "autoscaling:DescribeAutoScalingGroups", AutoScalingGroupNames=[bench.target.group]
    )["AutoScalingGroups"]
    if not found:
        raise SkippedError(f"there is no group {bench.target.group}")
    return GroupNow(
        found[0]["DesiredCapacity"],
        {one["InstanceId"]: one["LifecycleState"] for one in found[0].get("Instances", [])},
    )


def is_idle(bench: Bench) -> bool:
    """Return whether the queue is empty and the group has no instance."""
    group = group_now(bench)
    return not (group.desired or group.instances or backlog(bench).total)


def require_idle(bench: Bench) -> None:
    """Wait until the queue is empty and the group has no instance.

    A queue with other people's messages would make every measured time meaningless.

    Raises:
        SkippedError: the stack stays at work.
    """
    if not bench.wait(
        "the queue is empty and the group at 0", CALM_SECONDS, lambda: is_idle(bench)
    ):
        group = group_now(bench)
        raise SkippedError(
            f"the stack is at work: {backlog(bench).total} messages, desired capacity "
            f"{group.desired}, {len(group.instances)} instances: run this on an idle stack"
        )
