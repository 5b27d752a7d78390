"""Rules about policies: what scales in, what triggers them, and what they may track."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.lint.finding import Rule, Severity, Violation
from tidemill.lint.linted_fleet import PROPERTIES
from tidemill.lint.situation import metrics_of
from tidemill.scaling.spec import TargetTrackingPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.lint.linted_fleet import LintedFleet

ENDS_ITSELF = ("terminate-instance-in-auto-scaling-group", "poweroff", "shutdown")
"""Commands by which the script of an instance can end the instance without an alarm."""

TOTALS = ("ApproximateNumberOf", "NumberOf")
"""The beginnings of the names of SQS metrics that are totals over all instances."""


def _never_in(linted: LintedFleet) -> Iterator[Violation]:
    group = linted.fleet.group
    out = [linted.name_of(alarm) for alarm in linted.out()]
    if not out or linted.scales_in() or group.min_size == group.max_size:
        return
    if linted.fleet.scheduled or any(word in linted.fleet.user_data for word in ENDS_ITSELF):
        return
    yield Violation(
        f"{' and '.join(out)} scale{'s' if len(out) == 1 else ''} {group.logical_id} out, and no "
        "alarm of this template ever scales it in",
        linted.at_group(),
    )


def _without_alarm(linted: LintedFleet) -> Iterator[Violation]:
    triggered = {policy for alarm in linted.fleet.alarms for policy in alarm.policies}
    for policy in linted.fleet.policies:
        if policy.logical_id not in triggered:
            yield Violation(
                f"no alarm of this template triggers {policy.logical_id}",
                (policy.logical_id, PROPERTIES),
            )


def _tracks_a_total(linted: LintedFleet) -> Iterator[Violation]:
    created = {policy: alarm for alarm in linted.fleet.alarms for policy in sorted(alarm.policies)}
    for policy in linted.fleet.policies:
        if not isinstance(policy, TargetTrackingPolicy) or policy.logical_id not in created:
            continue
        metrics = metrics_of(created[policy.logical_id])
        if metrics and all(
            one.namespace == "AWS/SQS" and one.name.startswith(TOTALS) for one in metrics
        ):
            names = ", ".join(dict.fromkeys(one.name for one in metrics))
            yield Violation(
                f"{policy.logical_id} tracks {names}, which more instances do not lower in "
                f"proportion: {policy.target:g} messages are the target of any number of them",
                (policy.logical_id, PROPERTIES, "TargetTrackingConfiguration"),
            )


RULES = (
    Rule(
        id="never-scales-in",
        severity=Severity.ERROR,
        problem="Alarms scale the group out, and none scales it in.",
        why=(
            "The group stays as large as it ever was. A step policy for scale-in has no effect if "
            "its steps are on the wrong side of the alarm's threshold."
        ),
        page="Step and simple scaling policies for Amazon EC2 Auto Scaling",
        fix=(
            "Add an alarm that goes to ALARM when the queue is empty, with a policy that removes "
            "instances; for LessThan comparisons give its step an upper bound of 0."
        ),
        check=_never_in,
    ),
    Rule(
        id="policy-without-alarm",
        severity=Severity.WARNING,
        problem="No alarm triggers a scaling policy.",
        why="A step or simple policy does nothing by itself: an alarm has to name it as an action.",
        page="Step and simple scaling policies for Amazon EC2 Auto Scaling",
        fix="Name the policy in an alarm's AlarmActions, or remove it.",
        check=_without_alarm,
    ),
    Rule(
        id="tracks-a-total",
        severity=Severity.WARNING,
        problem="Target tracking follows a number of messages of the whole queue.",
        why=(
            "A tracked metric has to change in proportion to the number of instances. A total does "
            "not, so the group grows to its maximum or shrinks without need; AWS names "
            "ApproximateNumberOfMessagesVisible as one that does not work."
        ),
        page="Target tracking scaling policies for Amazon EC2 Auto Scaling",
        fix="Divide by the instances in service (metric math), or use step scaling.",
        check=_tracks_a_total,
    ),
)
