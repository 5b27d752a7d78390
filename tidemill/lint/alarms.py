"""Rules about alarms: their metrics, and their effects on one another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemill.lint.finding import Rule, Severity, Violation
from tidemill.lint.sampling import MANY, Sample, queues_of, triggering_alarms
from tidemill.lint.situation import metrics_of
from tidemill.scaling.metrics.queue import NOT_VISIBLE, PERIOD, UNITS, queue_metric
from tidemill.scaling.policies.tracking import low_alarms
from tidemill.scaling.template.queue import queue_arns

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from tidemill.lint.linted_fleet import LintedFleet
    from tidemill.lint.situation import Situation
    from tidemill.scaling.spec import Alarm, Metric

NO_NAMES = ("arn:", "http://", "https://")
"""The beginnings of ARNs and URLs, which are given in place of a queue's name."""

GAUGES = "Approximate"
"""The beginning of the names of SQS metrics that are a state, not a count of events."""


def _fighting(linted: LintedFleet) -> Iterator[Violation]:
    found: dict[tuple[str, str], tuple[list[Alarm], Situation]] = {}
    tracked = {alarm.logical_id for alarm in linted.fleet.alarms if _is_tracked(linted, alarm)}
    lows = low_alarms(linted.fleet)
    for sample in sorted(linted.samples, key=_size):
        for out in sample.out():
            for back in sample.back():
                pair = (out.alarm.logical_id, back.alarm.logical_id)
                if (
                    pair[1] in lows and pair[0] in tracked
                ):  # target tracking policies wait for one another
                    continue
                found.setdefault(pair, ([out.alarm, back.alarm], sample.situation))
    for alarms, situation in found.values():
        out_name, back_name = map(linted.name_of, alarms)
        yield Violation(
            f"{out_name} scales out and {back_name} scales in {_values(linted, situation, alarms)}",
            linted.at_alarm(alarms[-1], "Threshold"),
        )


def _is_tracked(linted: LintedFleet, alarm: Alarm) -> bool:
    return alarm.logical_id not in linted.resolver.template["Resources"]


def _size(sample: Sample) -> float:
    """Return the sum of a situation's numbers; the smallest sum gives the simplest example."""
    return sum(sample.situation.values.values()) + sample.situation.capacity


def _values(linted: LintedFleet, situation: Situation, alarms: list[Alarm]) -> str:
    metrics = dict.fromkeys(metric for alarm in alarms for metric in metrics_of(alarm))
    values = ((metric.name, situation.seen(linted.fleet, metric)) for metric in metrics)
    texts = [
        f"{name} is {'missing' if value is None else f'{value:,.15g}'}" for name, value in values
    ]
    return f"while {', '.join(texts)}, with a capacity of {situation.capacity}"


def _blind(linted: LintedFleet) -> Iterator[Violation]:
    fleet = linted.fleet
    if fleet.group.protects:  # instances are protected from scale-in while they work
        return
    blind: dict[str, Alarm] = {}
    for sample in linted.samples:
        for rung in sample.back():
            alarm = rung.alarm
            queues = queues_of(alarm)
            if alarm.logical_id in blind or not any(
                metric.namespace == "AWS/SQS" for metric in metrics_of(alarm)
            ):
                continue
            busy = {queue_metric(queue, NOT_VISIBLE): MANY for queue in queues}
            situation = replace(sample.situation, values={**sample.situation.values, **busy})
            still = Sample(situation, triggering_alarms(fleet, situation)).back()
            if any(one.alarm is alarm for one in still):
                blind[alarm.logical_id] = alarm
    for alarm in blind.values():
        yield Violation(
            f"{linted.name_of(alarm)} also scales in with {MANY:,.0f} messages in flight",
            linted.at_alarm(alarm),
        )


def _unset(linted: LintedFleet) -> Iterator[Violation]:
    for alarm in linted.fleet.alarms:
        if _is_tracked(linted, alarm):
            continue
        if "TreatMissingData" not in linted.resolver.properties(alarm.logical_id):
            yield Violation(
                f"{alarm.logical_id} does not set how it treats missing data",
                linted.at_alarm(alarm),
            )


def _sums(linted: LintedFleet) -> Iterator[Violation]:
    seen = set()
    for alarm in linted.fleet.alarms:
        for query in alarm.queries:
            stat = query.stat
            if stat is None or stat.stat != "Sum" or stat.metric.namespace != "AWS/SQS":
                continue
            at = linted.at_alarm(alarm, "Metrics" if len(alarm.queries) > 1 else "Statistic")
            if not stat.metric.name.startswith(GAUGES) or (at, stat.metric) in seen:
                continue
            seen.add((at, stat.metric))
            yield Violation(
                f"{linted.name_of(alarm)} takes the Sum of {stat.metric.name}, published every "
                f"{PERIOD} seconds, over {stat.period} seconds",
                at,
                # One datapoint is its own sum; AWS's page on scaling by SQS does the same.
                None if stat.period > PERIOD else Severity.NOTE,
            )


def _too_fine(linted: LintedFleet) -> Iterator[Violation]:
    seen = set()
    for alarm in linted.fleet.alarms:
        fine = [one for one in metrics_of(alarm) if one.namespace.startswith("AWS/")]
        at = linted.at_alarm(alarm)
        if alarm.period < PERIOD and fine and at not in seen:
            seen.add(at)
            names = ", ".join(dict.fromkeys(f"{one.namespace} {one.name}" for one in fine))
            yield Violation(
                f"{linted.name_of(alarm)} has a period of {alarm.period} seconds on {names}, which "
                f"AWS publishes at most every {PERIOD} seconds",
                at,
            )


def _by_the_clock(linted: LintedFleet) -> Iterator[Violation]:
    for alarm in linted.fleet.alarms:
        if alarm.wall_clock is not None and alarm.policies:
            yield Violation(
                f"{linted.name_of(alarm)} runs scaling policies, and sees a datapoint only when a "
                f"period of {alarm.period} seconds by the clock has ended",
                linted.at_alarm(alarm, "EvaluationWindow"),
            )


def _never_has_data(linted: LintedFleet) -> Iterator[Violation]:
    seen, arns = set(), queue_arns(linted.resolver)
    for alarm in linted.fleet.alarms:
        for query in alarm.queries:
            problem = query.stat and _no_data(query.stat.metric, query.unit, arns)
            at = linted.at_alarm(alarm)
            if problem and (at, problem) not in seen:
                seen.add((at, problem))
                yield Violation(f"{linted.name_of(alarm)}: {problem}", at)


def _no_data(metric: Metric, unit: str | None, arns: Container[str]) -> str:
    """Return why SQS never publishes a datapoint of this metric and unit, empty if it does."""
    if metric.namespace != "AWS/SQS":
        return ""
    queue = dict(metric.dimensions).get("QueueName", "")
    if metric.name not in UNITS:
        return f"SQS has no metric {metric.name}"
    if queue.startswith(NO_NAMES) or queue in arns:
        return f"QueueName is {queue}, which is not a queue's name"
    if unit not in {None, UNITS[metric.name]}:
        return f"{metric.name} is published in {UNITS[metric.name]}, not in {unit}"
    return ""


RULES = (
    Rule(
        id="never-has-data",
        severity=Severity.ERROR,
        problem="A scaling alarm waits for datapoints that SQS never publishes.",
        why=(
            "Metrics are found by their exact name, dimensions and unit. An alarm without any "
            "datapoint does what its TreatMissingData says, whatever the queue holds."
        ),
        page="Available CloudWatch metrics for Amazon SQS",
        fix=(
            "Use a metric of that page, the queue's name (not its URL or ARN) as QueueName, and no "
            "Unit."
        ),
        check=_never_has_data,
    ),
    Rule(
        id="fighting-alarms",
        severity=Severity.ERROR,
        problem="An alarm that scales out and one that scales in can act at the same time.",
        why=(
            "Of several policies the largest capacity wins, so the group does not scale in, or "
            "with cooldowns scales out and in without end."
        ),
        page="Dynamic scaling for Amazon EC2 Auto Scaling",
        fix="Use the same metrics for both, with thresholds that exclude one another.",
        check=_fighting,
    ),
    Rule(
        id="blind-to-in-flight",
        severity=Severity.WARNING,
        problem="Scale-in depends on visible messages and not on those in flight.",
        why=(
            "Messages that are being processed are not visible: the queue looks empty while every "
            "instance is busy, and instances are terminated during their work."
        ),
        page="Available CloudWatch metrics for Amazon SQS",
        fix=(
            "Scale in on ApproximateNumberOfMessagesVisible + "
            "ApproximateNumberOfMessagesNotVisible (metric math), or protect working instances "
            "from scale-in."
        ),
        check=_blind,
    ),
    Rule(
        id="missing-data-unset",
        severity=Severity.WARNING,
        problem="A scaling alarm does not set TreatMissingData.",
        why=(
            "A queue that has been idle for six hours publishes nothing: the alarm goes to "
            "INSUFFICIENT_DATA, or uses old datapoints."
        ),
        page="Configuring how CloudWatch alarms treat missing data",
        fix="Set TreatMissingData: notBreaching, unless missing data is a reason to scale.",
        check=_unset,
    ),
    Rule(
        id="sum-of-a-gauge",
        severity=Severity.WARNING,
        problem="An alarm takes the Sum of an Approximate* metric of SQS.",
        why=(
            "The metric is a state that is published every minute: its sum grows with the period "
            "and is not a number of messages. Over one minute this is only a note."
        ),
        page="CloudWatch statistics definitions",
        fix="Use Maximum (or Average) for metrics that are states.",
        check=_sums,
    ),
    Rule(
        id="period-finer-than-metric",
        severity=Severity.WARNING,
        problem="An alarm on a metric that AWS publishes has a period below 60 seconds.",
        why=(
            "Most periods have no datapoint, so the alarm is in INSUFFICIENT_DATA most of the time."
        ),
        page="PutMetricAlarm (CloudWatch API reference)",
        fix="Use a Period of 60, or publish a high-resolution metric of your own.",
        check=_too_fine,
    ),
    Rule(
        id="scales-by-the-clock",
        severity=Severity.WARNING,
        problem="An alarm that scales has a wall clock window.",
        why=(
            "It reflects new data only when a whole period of the clock is over, and looks for "
            "missing data no further back: AWS advises against it for scaling."
        ),
        page="Alarm evaluation window",
        fix="Remove EvaluationWindow, or set SlidingWindow.",
        check=_by_the_clock,
    ),
)
