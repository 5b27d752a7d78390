"""Observation of one message: from its sending until the group is at 0 again."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tidemill.scaling.metrics.queue import VISIBLE
from tidemill.verify.bench import SkippedError
from tidemill.verify.check import Level, Observation, Use
from tidemill.verify.fleet_now import CALLS, backlog, group_now, require_idle
from tidemill.verify.logs import host_log, worker_lines

if TYPE_CHECKING:
    from tidemill.verify.bench import Bench
    from tidemill.verify.fleet_now import GroupNow
    from tidemill.verify.ports import Answer
    from tidemill.verify.target import Target

LONGEST = 2400.0
"""Seconds within which a message that starts a fleet must have been processed and the group be at
0: metric, boot, HoldSeconds and drain, with everything slow."""

FINE_PAUSE = 1.0
"""Seconds between two looks, so that a time is known to a second."""

LOG_SECONDS = 90.0
"""How long a line may take to reach CloudWatch Logs; the consumer sends every 5 s."""

WAITING, SERVING = "Terminating:Wait", "InService"

MINUTE = 60

CLOUD_INIT = re.compile(r"Cloud-init v\. \S+ running 'modules:final' at (?P<at>[^.]+)\. Up")
"""The line that cloud-init writes before it runs user data."""


def send(bench: Bench, body: str | None = None) -> str:
    """Send a message and return its id.

    Raises:
        SkippedError: there is no body for the stack's own handler.
    """
    target = bench.target
    body = target.body if body is None else body
    if body is None:
        raise SkippedError(
            f"the stack's handler is {target.parameter('Handler')}: give --message TEXT, a message "
            "that it may process"
        )
    own = uuid4().hex  # in a group of its own, so that no message waits for another one
    fifo = {"MessageGroupId": own, "MessageDeduplicationId": own}
    ordered = fifo if target.fleet.queue.fifo else {}
    answer = bench.call("sqs:SendMessage", QueueUrl=target.queue_url, MessageBody=body, **ordered)
    return str(answer["MessageId"])


def follow_message(bench: Bench) -> None:
    """Send one message and note every moment until the group is at 0 again."""
    require_idle(bench)
    bench.moment("sent")
    bench.note("message", send(bench))
    try:
        finished = bench.wait(
            "the message is processed and the group at 0 again",
            LONGEST,
            lambda: look(bench),
            FINE_PAUSE,
        )
        bench.note("finished", finished)
    finally:
        collect(bench)


def look(bench: Bench) -> bool:
    """Note what is new since the last look; return whether the fleet has come and gone."""
    if "datapoint_seen" not in bench.seen:
        look_for_datapoint(bench)
    group = group_now(bench)
    if group.desired:
        bench.moment("desired_up")
    _note_states(bench, group)
    if "instance" in bench.seen and "running" not in bench.seen:
        _look_at_instance(bench, bench.seen["instance"])
    if "desired_up" not in bench.seen or group.desired or group.instances:
        return False
    return not backlog(bench).total


def _note_states(bench: Bench, group: GroupNow) -> None:
    """Note when each lifecycle state of the first instance was first seen, and when it was gone."""
    if group.instances and "instance" not in bench.seen:
        bench.note("instance", next(iter(group.instances)))
    if "instance" not in bench.seen:
        return
    state = group.instances.get(bench.seen["instance"], "gone")
    bench.moment(f"state_{state}")
    if state != WAITING and f"state_{WAITING}" in bench.seen:
        bench.moment("hook_completed")


def look_for_datapoint(bench: Bench) -> None:
    """Note the first datapoint of the queue that shows the message."""
    sent = bench.seen["sent"]
    answer = bench.ask(
        "cloudwatch:GetMetricData",
        MetricDataQueries=[visible_query(bench.target)],
        StartTime=datetime.fromtimestamp(sent - MINUTE, UTC),
        EndTime=datetime.fromtimestamp(bench.clock.now() + MINUTE, UTC),
    )
    for at, value in points(answer):
        if value >= 1 and at + MINUTE > sent:
            bench.note("datapoint", at)
            bench.note("datapoint_value", value)
            bench.moment("datapoint_seen")
            return


def visible_query(target: Target) -> dict[str, Any]:
    """Return the query for the number of visible messages in each minute."""
    return {
        "Id": "visible",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/SQS",
                "MetricName": VISIBLE,
                "Dimensions": [{"Name": "QueueName", "Value": target.fleet.queue.name}],
            },
            "Period": MINUTE,
            "Stat": "Maximum",
        },
    }


def points(answer: Answer | None) -> list[tuple[float, float]]:
    """Return the datapoints of an answer with one metric: start of the minute, and value."""
    results = (answer or {}).get("MetricDataResults", [])
    return sorted(
        (at.timestamp(), value)
        for result in results
        for at, value in zip(result["Timestamps"], result["Values"], strict=True)
    )


def _look_at_instance(bench: Bench, instance: str) -> None:
    answer = bench.ask("ec2:DescribeInstances", InstanceIds=[instance])
    for reservation in (answer or {}).get("Reservations", []):
        for one in reservation["Instances"]:
            bench.note("launch_time", one["LaunchTime"].timestamp())
            bench.note("instance_type", one["InstanceType"])
            bench.note("image", one["ImageId"])
            if one["State"]["Name"] == "running":
                bench.moment("running")


def collect(bench: Bench) -> None:
    """Note what AWS has recorded itself: alarms, activities and logs."""
    bench.note("alarms", alarm_changes(bench, bench.seen["sent"]))
    bench.note("activities", activities(bench, bench.seen["sent"]))
    instance = bench.seen.get("instance")
    if instance is None:
        return
    sent, message = bench.seen["sent"], bench.seen.get("message", "")
    lines: list[dict[str, Any]] = []

    def arrived() -> bool:
        lines[:] = worker_lines(bench, instance, sent)
        return any(line.get("message_id") == message for line in lines) or not lines

    bench.wait("the consumer's lines are in CloudWatch Logs", LOG_SECONDS, arrived)
    bench.note("lines", [_kept(line) for line in lines])
    for text in host_log(bench, instance, sent):
        found = CLOUD_INIT.search(text)
        if found:
            at = datetime.strptime(found["at"], "%a, %d %b %Y %H:%M:%S %z")
            bench.note("user_data", at.timestamp())


def _kept(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line without the message's content."""
    names = ("at", "event", "message_id", "outcome", "age_seconds", "duration_seconds", "reason")
    return {name: line[name] for name in names if name in line}


def alarm_changes(bench: Bench, since: float) -> list[dict[str, Any]]:
    """Return the changes of the scaling alarms' states since a moment, the oldest first."""
    found = []
    for alarm in bench.target.fleet.alarms:
        answer = bench.ask(
            "cloudwatch:DescribeAlarmHistory",
            AlarmName=alarm.name,
            HistoryItemType="StateUpdate",
            StartDate=datetime.fromtimestamp(since, UTC),
            EndDate=datetime.fromtimestamp(bench.clock.now() + MINUTE, UTC),
        )
        found += [
            {
                "alarm": alarm.logical_id,
                "at": item["Timestamp"].timestamp(),
                "summary": item["HistorySummary"],
            }
            for item in (answer or {}).get("AlarmHistoryItems", [])
        ]
    return sorted(found, key=lambda item: item["at"])


def activities(bench: Bench, since: float) -> list[dict[str, Any]]:
    """Return the group's scaling activities since a moment, the oldest first."""
    answer = bench.ask(
        "autoscaling:DescribeScalingActivities", AutoScalingGroupName=bench.target.group
    )
    return sorted(
        (
            {
                "description": one["Description"],
                "cause": one["Cause"],
                "start": one["StartTime"].timestamp(),
                "end": one["EndTime"].timestamp() if "EndTime" in one else None,
                "status": one["StatusCode"],
            }
            for one in (answer or {}).get("Activities", [])
            if one["StartTime"].timestamp() >= since
        ),
        key=lambda item: item["start"],
    )


MESSAGE = Observation(
    name="message",
    does="sends one message, and follows it and its instance until the group is at 0 again",
    level=Level.ACT,
    calls=(
        *CALLS,
        "sqs:SendMessage",
        "cloudwatch:GetMetricData",
        "cloudwatch:DescribeAlarmHistory",
        "autoscaling:DescribeScalingActivities",
        "ec2:DescribeInstances",
        "logs:FilterLogEvents",
    ),
    use=lambda target: Use(
        seconds=600.0 + target.longest_period,
        instance_seconds=420.0 + target.longest_period,
        requests=100,
        metrics_read=400,
    ),
    observe=follow_message,
)
