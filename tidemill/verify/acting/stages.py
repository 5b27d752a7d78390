"""Checks of one message's way: metric delay, stages of the boot, causes, and the way to 0."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tidemill.scaling.spec import AlarmState
from tidemill.scaling.times.catalogue import USUAL, Grade
from tidemill.verify.acting.message import MESSAGE, MINUTE
from tidemill.verify.bench import why_missing
from tidemill.verify.check import Check
from tidemill.verify.expectation import anonymous, causes, state_at
from tidemill.verify.finding import Span, among, compared, held, unobserved, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.scaling.spec import Fleet
    from tidemill.scaling.times.catalogue import Time
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

ROUNDING = 1.0
"""Seconds by which two moments may be off: AWS writes many of them in whole seconds."""

LAUNCHING, TERMINATING = "Launching", "Terminating"

_MOMENT = re.compile(r"At (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


@dataclass(frozen=True, slots=True)
class Stage:
    """A measured time of the catalogue: its seconds, how it was read, and how finely."""

    name: str
    seconds: float
    source: str
    grade: Grade = Grade.FINE


def span_of(time: Time) -> Span:
    """Return the span of a time that is no surprise.

    It is the distribution's, with the rounding of two moments. A constant has no width of its own:
    half and double are no surprise.
    """
    low, high = time.distribution.at(0.0), time.distribution.at(1.0)
    if low == high:
        low, high = low / 2, high * 2
    return Span(max(0.0, low - ROUNDING), high + ROUNDING)


def measured(fleet: Fleet, seen: Mapping[str, Any]) -> list[Stage]:
    """Return the stages that were observed, in their order; a negative one is no observation."""
    return [stage for stage in _stages(fleet, seen) if stage.seconds >= 0]


def _stages(fleet: Fleet, seen: Mapping[str, Any]) -> Iterator[Stage]:
    launch, termination = _activity(seen, LAUNCHING), _activity(seen, TERMINATING)
    lines = {line["event"]: line["at"] for line in reversed(seen.get("lines", []))}
    moments = dict(seen) | {
        "alarm": _first_alarm(fleet, seen),
        "minute_end": seen["datapoint"] + MINUTE if "datapoint" in seen else None,
        "launch_start": launch.get("start"),
        "termination_start": termination.get("start"),
        "terminated": termination.get("end"),
        **{f"line_{event}": at for event, at in lines.items()},
    }
    reaction = _reaction(launch.get("cause", ""))
    if reaction is not None:
        yield Stage("reaction", reaction, "both moments in the activity's cause")
    for name, begin, end, source in (
        ("alarm_lag", "minute_end", "alarm", "datapoint and DescribeAlarmHistory"),
        ("launch_request", "launch_start", "launch_time", "StartTime and LaunchTime"),
        ("pending", "launch_time", "running", "LaunchTime, and a look each second"),
        ("os_boot", "running", "user_data", "state, and cloud-init's line"),
        ("notice", "termination_start", "line_stopping", "StartTime and its line"),
        ("flush", "line_stopped", "hook_completed", "its line, and a look each second"),
        ("terminate", "hook_completed", "terminated", "a look each second, EndTime"),
    ):
        if moments.get(begin) is not None and moments.get(end) is not None:
            yield Stage(name, moments[end] - moments[begin], source)


def _reaction(cause: str) -> float | None:
    """Return the seconds between the two moments of an activity's cause, None with fewer."""
    moments = [datetime.fromisoformat(text).timestamp() for text in _MOMENT.findall(cause)]
    return next((after - before for before, after in pairwise(moments)), None)


def _activity(seen: Mapping[str, Any], kind: str) -> dict[str, Any]:
    for one in seen.get("activities", []):
        if one["description"].startswith(kind):
            found: dict[str, Any] = one
            return found
    return {}


def _first_alarm(fleet: Fleet, seen: Mapping[str, Any]) -> float | None:
    """Return when the first of the alarms that a message puts into ALARM was in it."""
    rising = {one.logical_id for one in fleet.alarms if state_at(one, 1) is AlarmState.ALARM}
    for one in seen.get("alarms", []):
        if one["alarm"] in rising and one["summary"].endswith("to ALARM"):
            return float(one["at"])
    return None


NO_LINE = "no such line in CloudWatch Logs"
NO_CHANGE = "no such change in the alarm's history"
NOT_SEEN = "one of the two moments was not seen"
SOURCES = {
    "reaction": ("autoscaling:DescribeScalingActivities", "the cause has fewer than two moments"),
    "alarm_lag": ("cloudwatch:DescribeAlarmHistory", NO_CHANGE),
    "launch_request": ("ec2:DescribeInstances", NOT_SEEN),
    "pending": ("ec2:DescribeInstances", NOT_SEEN),
    "os_boot": ("logs:FilterLogEvents", NO_LINE),
    "notice": ("logs:FilterLogEvents", NO_LINE),
    "flush": ("logs:FilterLogEvents", NO_LINE),
    "terminate": ("autoscaling:DescribeScalingActivities", NOT_SEEN),
}
"""The action that shows a stage, and the reason for its lack if that action was answered."""


def _judge_delay(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    span = span_of(USUAL.alarm_lag)
    what = "end of the message's minute -> its datapoint in GetMetricData"
    if "datapoint_seen" in seen:
        yield within(what, span, seen["datapoint_seen"] - seen["datapoint"] - MINUTE)
        yield compared("value of that datapoint", 1, seen["datapoint_value"])
    else:
        why = why_missing(seen, "cloudwatch:GetMetricData", otherwise="no datapoint shows it")
        yield within(what, span, None, why)
    yield _row(target, seen, "alarm_lag")


def _row(target: Target, seen: Mapping[str, Any], name: str) -> Row:
    time = getattr(USUAL, name)
    what = f"{name}: {time.span}"
    for stage in measured(target.fleet, seen):
        if stage.name == name:
            return within(what, span_of(time), stage.seconds, stage.source)
    action, otherwise = SOURCES[name]
    return within(what, span_of(time), None, why_missing(seen, action, otherwise=otherwise))


STAGES_OF_A_BOOT = ("reaction", "launch_request", "pending", "os_boot")
STAGES_OF_AN_END = ("notice", "flush", "terminate")
UNTIL_WORK = ("installs", "image_pull", "consumer_start")
"""Stages of the user data that end with the consumer's first line, measured together."""


def until_work(seen: Mapping[str, Any]) -> float | None:
    """Return the seconds from the start of the user data to the consumer's first line."""
    started = [line["at"] for line in seen.get("lines", []) if line["event"] == "started"]
    if not started or "user_data" not in seen or started[0] < seen["user_data"]:
        return None
    return float(started[0] - seen["user_data"])


def _about_message(seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the lines about the message that was sent, the oldest first."""
    message = seen.get("message")
    lines: list[dict[str, Any]] = seen.get("lines", [])
    return [one for one in lines if one["event"] == "message" and one["message_id"] == message]


def _judge_stages(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    for name in STAGES_OF_A_BOOT:
        yield _row(target, seen, name)
    spans = [span_of(getattr(USUAL, name)) for name in UNTIL_WORK]
    together = Span(sum(one.low for one in spans), sum(one.high for one in spans))
    what = f"{' + '.join(UNTIL_WORK)}: start of the user data -> consumer started"
    no_line = why_missing(seen, "logs:FilterLogEvents", otherwise=NO_LINE)
    yield within(what, together, until_work(seen), "" if until_work(seen) else no_line)
    outcome = next((line["outcome"] for line in _about_message(seen)), None)
    yield compared("outcome of the message", "processed", outcome, "" if outcome else no_line)
    for name in STAGES_OF_AN_END:
        yield _row(target, seen, name)


def _judge_cause(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    for kind, visible, before in ((LAUNCHING, 1, 0), (TERMINATING, 0, 1)):
        cause = _activity(seen, kind).get("cause")
        what = f"cause of the activity: {kind.lower()} an instance"
        expected = causes(target.fleet, visible, before)
        action = "autoscaling:DescribeScalingActivities"
        if cause is None and "activities" in seen and not why_missing(seen, action):
            yield held(what, " or ".join(sorted(expected)), "no such activity", holds=False)
        else:
            yield among(what, expected, None if cause is None else anonymous(cause))


def _judge_zero(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    what = "after the message: messages, desired capacity, instances"
    if "finished" in seen:
        observed = "none, 0, none" if seen["finished"] else "not at 0 in time"
        yield compared(what, "none, 0, none", observed)
    else:
        yield unobserved(what, "none, 0, none", why_missing(seen))
    termination = _activity(seen, TERMINATING)
    lines = [line["at"] for line in _about_message(seen)]
    period = target.longest_period
    warmup = target.fleet.group.default_warmup or 0
    latest = period + warmup + 2 * MINUTE + span_of(USUAL.alarm_lag).high
    seconds = termination["start"] - lines[-1] if termination and lines else None
    yield within(
        "message processed -> scale-in begins", Span(0, latest), seconds, why_missing(seen)
    )
    status = termination.get("status")
    yield compared("status of the activity", "Successful", status, why_missing(seen))
    for hook in target.fleet.group.hooks:
        yield hook_row(hook.name, hook.heartbeat_timeout, seen)


def hook_row(name: str, timeout: int, seen: Mapping[str, Any]) -> Row:
    """Return whether a worker completed the hook, or its timeout ended it."""
    what = f"time in hook {name}"
    expected = f"less than its timeout of {timeout} s"
    begin, end = seen.get("state_Terminating:Wait"), seen.get("hook_completed")
    if begin is None or end is None:
        why = why_missing(seen, "autoscaling:DescribeAutoScalingGroups", otherwise=NOT_SEEN)
        return unobserved(what, expected, why)
    seconds = end - begin
    return held(what, expected, f"{seconds:.0f} s", holds=seconds < timeout - ROUNDING)


DELAY = Check(
    name="delay",
    question="How long after a minute's end does SQS's datapoint for it appear?",
    observation=MESSAGE,
    judge=_judge_delay,
    remedy="Every wait grows by the difference. Use `simulate --times calibration.json`, and "
    "consider FastSignal, whose samples do not depend on SQS's metrics.",
)
STAGES = Check(
    name="stages",
    question="How long does each stage take, from the alarm to work, and from work to the end?",
    observation=MESSAGE,
    judge=_judge_stages,
    remedy="Use `simulate --times calibration.json`. A boot that takes longer than WarmupSeconds "
    "needs a longer WarmupSeconds, or an image of your own (docs/deploy.md).",
)
CAUSE = Check(
    name="cause",
    question="Which alarm and which policy launched and terminated the instance?",
    observation=MESSAGE,
    judge=_judge_cause,
    remedy="Another policy, an alarm in another state, or a user request changed the capacity: "
    "read `aws autoscaling describe-scaling-activities`. Only the words may differ, too.",
)
ZERO = Check(
    name="zero",
    question="Does the group go back to 0, and does the worker complete the hook?",
    observation=MESSAGE,
    judge=_judge_zero,
    remedy="Instances that stay are billed: set the desired capacity to 0, then read the alarm's "
    "history and the group's activities. A hook that ends by its timeout means that the worker "
    "did not see its termination: read the boot log in the hosts' log group.",
)
