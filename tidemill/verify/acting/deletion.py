"""Check of the deletion: the stack goes while an instance is at work, which drains first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.verify.acting.message import FINE_PAUSE, LONGEST, WAITING, send
from tidemill.verify.acting.stages import hook_row
from tidemill.verify.bench import why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.finding import compared
from tidemill.verify.fleet_now import CALLS, group_now, require_idle
from tidemill.verify.ports import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.verify.bench import Bench
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

DELETE_SECONDS = 3600.0
GONE = "DELETE_COMPLETE"


def _observe(bench: Bench) -> None:
    require_idle(bench)
    bench.moment("sent")
    send(bench)
    if not bench.wait(
        "an instance is in service",
        LONGEST,
        lambda: bool(group_now(bench).in_service()),
        FINE_PAUSE,
    ):
        return
    instance = group_now(bench).in_service()[0]
    bench.note("instance", instance)
    bench.moment("deleted")
    bench.call("cloudformation:DeleteStack", StackName=bench.target.stack_id)
    try:
        bench.wait(
            "the stack is deleted", DELETE_SECONDS, lambda: _look(bench, instance), FINE_PAUSE
        )
    finally:
        _note_failures(bench)


def _look(bench: Bench, instance: str) -> bool:
    if "state_gone" not in bench.seen:
        _look_at_instance(bench, instance)
    answer = bench.call("cloudformation:DescribeStacks", StackName=bench.target.stack_id)
    bench.seen["status"] = answer["Stacks"][0]["StackStatus"]
    return not str(bench.seen["status"]).endswith("_IN_PROGRESS")


def _look_at_instance(bench: Bench, instance: str) -> None:
    answer = bench.call(
        "autoscaling:DescribeAutoScalingGroups", AutoScalingGroupNames=[bench.target.group]
    )
    groups = answer["AutoScalingGroups"]
    instances = (
        {one["InstanceId"]: one["LifecycleState"] for one in groups[0]["Instances"]}
        if groups
        else {}
    )
    state = instances.get(instance, "gone")
    bench.moment(f"state_{state}")
    if state != WAITING and f"state_{WAITING}" in bench.seen:
        bench.moment("hook_completed")


def _note_failures(bench: Bench) -> None:
    try:
        answer = bench.call("cloudformation:DescribeStackEvents", StackName=bench.target.stack_id)
    except RefusedError:
        return
    bench.note(
        "failed",
        sorted(
            {
                f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason', 'no reason')}"
                for one in answer["StackEvents"]
                if one.get("ResourceStatus") == "DELETE_FAILED"
            }
        ),
    )


def _judge(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    why = why_missing(seen)
    yield compared("status of the stack", GONE, seen.get("status"), why)
    yield compared("resources that could not be deleted", [], seen.get("failed"), why)
    for hook in target.fleet.group.hooks:
        yield hook_row(hook.name, hook.heartbeat_timeout, seen)


DELETION = Check(
    name="delete",
    question="Does the deletion drain a working instance, and is nothing left?",
    observation=Observation(
        name="delete",
        does="sends a message, and DELETES THE STACK with its queues, messages, images and logs "
        "once an instance is in service; as `make delete`, without SAM's bucket",
        level=Level.DELETE,
        calls=(
            *CALLS,
            "sqs:SendMessage",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeStacks",
            "cloudformation:DescribeStackEvents",
        ),
        use=lambda _target: Use(seconds=1800.0, instance_seconds=900.0, requests=50),
        observe=_observe,
    ),
    judge=_judge,
    remedy="Run `make delete` again; a resource that stays has its reason in the stack's events. "
    "An instance that could not drain leaves its messages to a queue that is deleted as well.",
)
