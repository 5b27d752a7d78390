"""Kinds of AWS's published examples, and of other people's observations, of target tracking."""

from __future__ import annotations

import re
from dataclasses import replace

from support.builders.alarms import VISIBLE, an_alarm
from support.builders.fleets import ABSENT, METRIC_STAT, a_fleet, accepted
from support.examples.kind import Expected, Given, Kind, fields

from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.group.capacity import Capacity
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Instance
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.policies.tracking import (
    agree_on_scale_in,
    tracked_in,
    tracked_out,
    tracking_alarms,
)
from tidemill.scaling.spec import (
    Alarm,
    Comparison,
    Limits,
    MetricQuery,
    MetricStat,
    TargetTrackingPolicy,
)

QUERIES = (MetricQuery("m1", MetricStat(VISIBLE, 60, "Average")),)
POLICY = TargetTrackingPolicy("Track", "track", 100.0, high="High", low="Low", warmup=0)
MOST = 10**6
MINUTE = 60
SYMBOLS = {Comparison.GREATER: ">", Comparison.LESS: "<"}
RESULTS = "desired capacity added scaling_activity"


def after(capacity: int, value: float, target: float = 100.0) -> int:
    """Return the new capacity for a metric's value."""
    policy = replace(POLICY, target=target)
    side = tracked_out if value > target else tracked_in
    wanted = side(policy, value, Capacity(capacity, capacity), Limits(0, MOST)).desired
    return capacity if wanted is None else wanted


def check_rounding(given: Given, expected: Expected) -> None:
    """Use a metric's value that should change a capacity of 10 by this much."""
    raw = given["raw_change"]
    assert after(10, 100 * (10 + raw) / 10) - 10 == expected["change"]


def check_proportion(given: Given, expected: Expected) -> None:
    """Compute a capacity from a metric, its target and the present capacity."""
    before = given["current"]
    metric = given["metric"]
    now = before if metric is None else after(before, metric, given["target"])
    if metric is None:
        assert decided([True], "High", None) == 0
    results = {
        "desired": now,
        "capacity": now,
        "added": now - before,
        "scaling_activity": now != before,
    }
    assert {name: results[name] for name in expected} == dict(expected)


def decided(ready: list[bool], side: str, value: float | None) -> int:
    """Return the change of a group of 4 if these policies request that direction."""
    policies = tuple(
        replace(POLICY, logical_id=str(number), high=f"High{number}", low=f"Low{number}")
        for number in range(len(ready))
    )
    fleet = replace(a_fleet(), policies=policies)
    due_alarms = {
        f"{side}{number}": DueAlarm(
            an_alarm(logical_id=f"{side}{number}", actions=(str(number),)), value, {}
        )
        for number, is_ready in enumerate(ready)
        if is_ready
    }
    instances = tuple(Instance(str(n), LifecycleState.IN_SERVICE, 0, 0) for n in range(4))
    agreed = agree_on_scale_in(fleet, list(due_alarms.values()), due_alarms)
    return decide(fleet, GroupMemory(4, instances), {}, agreed, 0).group.desired - 4


def check_several_out(given: Given, expected: Expected) -> None:
    """Make some of several policies request a scale-out."""
    assert (decided(given["out_ready"], "High", 150) > 0) is expected["scale_out"]


def check_several_in(given: Given, expected: Expected) -> None:
    """Make some of several policies request a scale-in."""
    assert (decided(given["in_ready"], "Low", 50) < 0) is expected["scale_in"]


def check_names(given: Given, expected: Expected) -> None:
    """Compare the names of the alarms, except for their random ends."""
    alarms = list(tracking_alarms(POLICY, given["asg"], QUERIES, "m1"))
    unique = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    assert [unique.sub("<uuid>", alarm.name) for alarm in alarms] == expected["alarms"]


def shown(alarm: Alarm) -> str:
    """Return an alarm in the words of the console."""
    points, minutes = alarm.datapoints_to_alarm, alarm.evaluation_periods * alarm.period // 60
    return (
        f"{SYMBOLS[alarm.comparison]} {alarm.threshold:g} for {points} datapoints within "
        f"{minutes} minutes"
    )


def check_alarms(given: Given, expected: Expected) -> None:
    """Compare the alarms of a target as the console shows them."""
    policy = replace(POLICY, target=given["target"])
    high, low = tracking_alarms(policy, "workers", QUERIES, "m1")
    alarms = {"AlarmHigh": shown(high), "AlarmLow": shown(low)}
    assert {name: alarms[name] for name in expected} == dict(expected)


def accepts_period(period: int | None) -> bool:
    """Return whether a tracked metric may have this period; None leaves it out."""
    metric = {**METRIC_STAT["Metric"], "Statistic": "Average"}
    specification = metric if period is None else {**metric, "Period": period}
    return accepted(
        Out__PolicyType="TargetTrackingScaling",
        Out__StepAdjustments=ABSENT,
        Out__AdjustmentType=ABSENT,
        Out__TargetTrackingConfiguration={
            "TargetValue": 10,
            "CustomizedMetricSpecification": specification,
        },
        High__AlarmActions=ABSENT,
    )


def check_periods(_: Given, expected: Expected) -> None:
    """Read policies with metrics of these periods, and of others."""
    tried = (1, 5, 10, 15, 20, 30, 45, 60, 90, 120, 300)
    assert [one for one in tried if accepts_period(one)] == sorted(expected["valid_period_s"])
    assert accepts_period(None)
    assert expected.get("default_s", MINUTE) == MINUTE


EC2 = "EC2 Auto Scaling"

TRACKING_KINDS: tuple[Kind, ...] = (
    Kind(
        "the periods of a tracked metric",
        fields("policy"),
        fields("valid_period_s[]", "default_s"),
        check_periods,
        fits=lambda given, _: given["policy"] == "TargetTracking",
    ),
    Kind(
        "a change by target tracking, rounded",
        fields("raw_change"),
        fields("change"),
        check_rounding,
    ),
    Kind(
        "a capacity in proportion to a metric",
        fields("target metric? current"),
        fields("", RESULTS),
        check_proportion,
    ),
    Kind(
        "several target tracking policies, scaling out",
        fields("out_ready[]"),
        fields("scale_out"),
        check_several_out,
    ),
    Kind(
        "several target tracking policies, scaling in",
        fields("in_ready[]"),
        fields("scale_in"),
        check_several_in,
    ),
    Kind(
        "the names of a target tracking policy's alarms",
        fields("asg"),
        fields("alarms[]"),
        check_names,
    ),
    Kind(
        "a target tracking policy's alarms",
        fields("target", "service"),
        fields("", "AlarmHigh AlarmLow"),
        check_alarms,
        fits=lambda given, _: given.get("service", EC2) == EC2,
    ),
)
