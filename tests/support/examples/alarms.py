"""Kinds of AWS's published examples of alarms.

The module is over 280 lines because it has a check for each kind, and the table of the kinds.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from support.builders.alarms import a_store, an_alarm
from support.builders.fleets import a_fleet, small_template
from support.examples.kind import Expected, Given, Kind, fields
from support.fakes.worlds import START, FakeQueue, FakeWorld, Run

from tidemill.scaling.alarms.alarm import AlarmMemory, StateChange, datapoints, evaluate, set_state
from tidemill.scaling.alarms.verdict import evaluation_range, judge, missing_datapoints
from tidemill.scaling.alarms.window import evaluation_interval
from tidemill.scaling.errors import RequestError, TemplateError
from tidemill.scaling.facts import AlarmChanged
from tidemill.scaling.metrics.statistics import StatisticSet
from tidemill.scaling.metrics.store import Datapoint, MetricStore
from tidemill.scaling.spec import (
    Alarm,
    AlarmState,
    Comparison,
    Metric,
    MetricQuery,
    MetricStat,
    MissingData,
    WarmUp,
)
from tidemill.scaling.template.alarms import COMPOSITE_ALARM
from tidemill.scaling.template.fleet import read_fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tidemill.scaling.template.document import Document

MINUTE, HOUR, DAY = 60, 3600, 86_400
ONCE_A_MINUTE = "once per minute"
RETAINED = "RETAIN_CURRENT_STATE"
METRIC = Metric("Example", "Value")
MOMENT = 1_750_000_020.0  # any whole minute
RELATION = re.compile(r"(?P<relation>[<>]?=?) *(?P<number>\d+)")
STAMP = "MM/DD/YY HH:MM:SS"
"""What a recording has in place of its times."""


def alarm_of(given: Given, period: int = MINUTE, stat: str = "Average") -> Alarm:
    """Return the alarm that an example describes, with CloudWatch's defaults for all else."""
    periods = given.get("evaluation_periods", 1)
    period = given.get("period_s", period)
    return Alarm(
        logical_id="ExampleAlarm",
        name="example",
        queries=(MetricQuery("m1", MetricStat(METRIC, period, given.get("statistic", stat))),),
        returned="m1",
        comparison=Comparison(given.get("comparison", Comparison.GREATER)),
        threshold=given.get("threshold", 2.0),
        period=period,
        evaluation_periods=periods,
        datapoints_to_alarm=given.get("datapoints_to_alarm", periods),
        missing_data=MissingData(given.get("treat_missing_data", MissingData.MISSING)),
    )


def values_of(alarm: Alarm, points: Sequence[object]) -> list[float | None]:
    """Return the values of datapoints: numbers, or 0 (not breaching), X (breaching), - (missing).

    Missing ones may be null, too, and the symbols may be in one text, such as "0 - X".
    """
    breaching, other = alarm.threshold + 1, alarm.threshold - 1
    if alarm.comparison in {Comparison.LESS, Comparison.LESS_OR_EQUAL}:
        breaching, other = other, breaching
    meaning: dict[object, float | None] = {"0": other, "X": breaching, "-": None, None: None}
    if len(points) == 1 and isinstance(points[0], str):
        points = list("".join(points[0].split()))
    return [float(one) if isinstance(one, int | float) else meaning[one] for one in points]


def store_of(alarm: Alarm, values: Sequence[float | None], end: float) -> MetricStore:
    """Return a store whose newest periods, up to `end`, have these values; None is no datapoint."""
    starts = [end - age * alarm.period for age in range(len(values), 0, -1)]
    points = [
        Datapoint(METRIC, start, StatisticSet.of(float(value)))
        for start, value in zip(starts, values, strict=True)
        if value is not None
    ]
    return MetricStore().record(points, keep_seconds=14 * DAY)


def check_missing_data(given: Given, expected: Expected) -> None:
    """Evaluate one evaluation range, from each state that the alarm may have had before."""
    alarm = alarm_of(given)
    values = values_of(alarm, given["datapoints_oldest_first"])
    if "evaluation_range" in given:
        assert given["evaluation_range"] == len(values)
    if "filled_datapoints" in expected:
        assert missing_datapoints(alarm, values) == expected["filled_datapoints"]
    for previous in AlarmState:
        state = judge(alarm, values, previous)
        if expected.get("state") == RETAINED:
            assert state is previous
        elif "state" in expected:
            assert state == expected["state"]
        if "state_is_not" in expected:
            assert state is not AlarmState(expected["state_is_not"])


def check_figure(given: Given, expected: Expected) -> None:
    """Evaluate after each period in turn, each time from the state before."""
    alarm = alarm_of(given)
    values = values_of(alarm, given["per_period_oldest_first"])
    width = evaluation_range(alarm.evaluation_periods)
    padded = [*[None] * width, *values]
    state = AlarmState.INSUFFICIENT_DATA
    states = {}
    for period in range(1, len(values) + 1):
        state = judge(alarm, padded[period : period + width], state)
        states[str(period)] = state
    assert {period: states[period] for period in expected["state_after_period"]} == dict(
        expected["state_after_period"]
    )


def check_window(given: Given, expected: Expected) -> None:
    """Compare the minutes of data that an evaluation uses; minute 1 starts at the epoch."""
    points = [
        Datapoint(METRIC, (minute - 1) * MINUTE, StatisticSet.of(float(minute)))
        for minute in range(1, 600)
    ]
    store = MetricStore().record(points, keep_seconds=DAY)
    now = given["evaluated_at_end_of_minute"] * MINUTE
    periods = given.get("evaluation_periods", 1)
    first = datapoints(alarm_of(given, stat="Minimum"), store, now)[-periods]
    last = datapoints(alarm_of(given, stat="Maximum"), store, now)[-1]
    assert [first, last] == expected["data_minutes"]


def check_cadence(given: Given, expected: Expected) -> None:
    """Compare how often an alarm is evaluated, and the end of its newest period."""
    alarm = alarm_of({**given, "period_s": at_least(given["period_s"])})
    assert evaluation_interval(alarm) == expected["evaluated_every_s"]
    if "data_considered_up_to" in expected:
        assert expected["data_considered_up_to"] == "top of the current hour"
        store = store_of(alarm, [float(value) for value in range(99)], 100.0 * HOUR)
        at_the_hour = datapoints(alarm, store, 90 * HOUR)
        assert datapoints(alarm, store, 90 * HOUR + 59 * MINUTE) == at_the_hour
        assert datapoints(alarm, store, 91 * HOUR) != at_the_hour


def at_least(seconds: object, step: int = MINUTE) -> int:
    """Return a number of seconds as in an example such as 60, ">= 60" or "> 86400"."""
    found = RELATION.fullmatch(str(seconds))
    assert found is not None, f"not a number of seconds: {seconds}"
    return int(found["number"]) + {">": step, "<": -step}.get(found["relation"], 0)


def check_long_cadence(given: Given, expected: Expected) -> None:
    """Evaluate an alarm whose periods together are so long, such as "> 86400"."""
    periods = at_least(given["period_x_evaluation_periods_s"], HOUR) // HOUR
    check_cadence({"period_s": HOUR, "evaluation_periods": periods}, expected)


def check_job(given: Given, expected: Expected) -> None:
    """Evaluate an alarm on "no success in so many days" during a failure and its repair."""
    days = given["job_every_days"]
    alarm = alarm_of({"comparison": "LessThanThreshold", "threshold": 1}, period=days * DAY)
    alarm = replace(alarm, queries=(MetricQuery("m1", MetricStat(METRIC, days * DAY, "Sum")),))
    today = 100.0 * DAY
    failed, fixed = today + _clock(given["fails_at"]), today + _clock(given["fixed_at"])
    jobs = [(failed - days * DAY, 1.0), (failed, 0.0), (fixed, 1.0)]
    store = MetricStore().record(
        [Datapoint(METRIC, moment, StatisticSet.of(success)) for moment, success in jobs], 30 * DAY
    )
    memory = AlarmMemory.created(today)
    for clock, state in expected["states"].items():
        memory = evaluate(alarm, memory, store, today + _clock(clock))
        assert memory.state == state, clock


def _clock(text: str) -> float:
    hours, minutes = text.split(":")
    return int(hours) * HOUR + int(minutes) * MINUTE


def check_warm_up(given: Given, expected: Expected) -> None:
    """Create an alarm, publish its metric from a certain time on, and evaluate it every minute."""
    midnight = 100.0 * DAY
    created, first = (
        midnight + _clock(given["created_at"]),
        midnight + _clock(given["publishes_from"]),
    )
    warm_up = WarmUp(given.get("warm_up_s", 48 * HOUR))
    alarm = replace(alarm_of(given), warm_up=warm_up)
    memory, now = AlarmMemory.created(created), created
    while memory.state is AlarmState.INSUFFICIENT_DATA:
        assert memory.state == expected.get("state_before", memory.state)
        now += MINUTE
        published = range(int(first), int(now), MINUTE)
        points = [Datapoint(METRIC, float(at), StatisticSet.of(1.0)) for at in published]
        memory = evaluate(alarm, memory, MetricStore().record(points, DAY), now)
    assert now == midnight + _clock(expected["evaluates_about"])


def check_creation(_: Given, expected: Expected) -> None:
    """Compare the state of a new alarm."""
    memory = AlarmMemory.created(MOMENT)
    assert memory.state == expected.get("state", memory.state)
    for name in {"state_reason", "stateReason"} & expected.keys():
        assert memory.reason == expected[name]


def check_reason(given: Given, expected: Expected) -> None:
    """Change the alarm's state and compare the reason word by word."""
    points = next(
        (given[name] for name in ("recentDatapoints_oldest_first", "datapoints") if name in given),
        None,
    )
    if points is None:
        points = [given["value"]]
    threshold = given.get("threshold", 2.0)
    periods = given.get("evaluation_periods", len(points))
    alarm = alarm_of({"evaluation_periods": periods, **given, "threshold": threshold})
    now = MOMENT
    if "queryDate" in expected:
        now = datetime.fromisoformat(expected["queryDate"]).timestamp()
    store = store_of(alarm, points, now // MINUTE * MINUTE)
    if "startDate" in expected:
        begin = now // MINUTE * MINUTE - len(points) * alarm.period
        assert datetime.fromisoformat(expected["startDate"]).timestamp() == begin
    real = [point for point in points if point is not None]
    assert expected.get("recentDatapoints", real) == real
    wanted = expected.get("stateReason", expected.get("stateReason_prefix", ""))
    before = AlarmState.ALARM if expected.get("state") == "OK" else AlarmState.OK
    if "state" not in expected and " not " in wanted:
        before = AlarmState.ALARM
    memory = evaluate(alarm, AlarmMemory(before, 0.0, "", None), store, now)
    assert memory.state == expected.get("state", memory.state)
    reason = memory.reason
    if STAMP in wanted:
        reason = re.sub(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d", STAMP, reason)
    assert reason.startswith(wanted)
    assert reason == wanted or "stateReason" not in expected


def is_action(text: object) -> bool:
    """Return whether an example's action is a topic or a scaling policy, in any notation."""
    return isinstance(text, str) and (text == "SNS" or "scaling" in text.lower())


def check_invocations(given: Given, expected: Expected) -> None:
    """Keep an alarm in ALARM: topics get one message, policies run every minute."""
    seconds = given["alarm_stays_in_state_minutes"] * MINUTE
    run = Run(a_fleet(), FakeWorld(FakeQueue(visible=1), rate=0))
    acted = set()
    while not (changes := run.of_kind(AlarmChanged)) or run.world.now < changes[0].at + seconds:
        run.go(10)
        acted |= {watch.acted_at for watch in run.memory.watches.values()}
    (rang,) = changes
    if given["action"] == "SNS":
        assert len(changes) == expected["invocations"]
    else:
        times = [at for at in acted if START < at < rang.at + seconds]
        wanted = expected["invocations"]
        if wanted == ONCE_A_MINUTE:
            wanted = given["alarm_stays_in_state_minutes"]
        assert len(times) == wanted


def check_update(_: Given, expected: Expected) -> None:
    """Replace an alarm's settings: it keeps its state, and the new settings apply."""
    assert expected.get("state", "unchanged") == "unchanged"
    assert expected.get("configuration", "completely overwritten") == "completely overwritten"
    before = AlarmMemory(AlarmState.ALARM, MOMENT, "", 5.0)
    updated = an_alarm(threshold=99.0, missing_data=MissingData.IGNORE)
    kept = evaluate(updated, before, MetricStore(), MOMENT + MINUTE)
    assert (kept.state, kept.since) == (before.state, before.since)
    store = a_store({MOMENT - age * MINUTE: 50.0 for age in range(9)})
    fresh = evaluate(updated, AlarmMemory.created(MOMENT), store, MOMENT)
    assert evaluate(updated, before, store, MOMENT).state is fresh.state is AlarmState.OK


def check_state_set(_: Given, expected: Expected) -> None:
    """Set the state of an alarm with a policy, with the data that the policy uses and without."""
    needed, *why = expected["needs"].split(", ", 1)
    assert why in ([], ["because the policy reads the metric value from it"])
    alarm = an_alarm(actions=("OutPolicy",))
    created = AlarmMemory.created(MOMENT)
    change = StateChange(AlarmState.ALARM, "a test")
    with pytest.raises(RequestError, match=rf"^{needed} is missing"):
        set_state(alarm, created, change, MOMENT)
    with_data = replace(change, reason_data=json.dumps({"recentDatapoints": [1.0, 42.0]}))
    assert set_state(alarm, created, with_data, MOMENT).value == 42


ALARMS: Mapping[str, Document] = {
    "metric": {},
    "anomaly detection": {"High__ComparisonOperator": "GreaterThanUpperThreshold"},
    "PromQL": {"High__EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}},
    "composite": {
        "Resources__Both": {
            "Type": COMPOSITE_ALARM,
            "Properties": {"AlarmRule": "ALARM(High)", "AlarmActions": [{"Ref": "Out"}]},
        }
    },
}


def check_kind(given: Given, expected: Expected) -> None:
    """Read a template in which an alarm of this kind triggers a policy."""
    changed = small_template(**ALARMS[given["alarm"]])
    if expected["auto_scaling_actions"]:
        read_fleet(changed, {})
        return
    with pytest.raises(TemplateError, match="cannot trigger a scaling policy"):
        read_fleet(changed, {})


RANGE = "evaluation_periods datapoints_to_alarm treat_missing_data threshold comparison"
REASONS = frozenset({"stateReason", "stateReason_prefix"})
POINTS = {"recentDatapoints_oldest_first", "value", "datapoints"}


def one_of(name: str, values: Iterable[object]) -> Callable[[Given, Expected], bool]:
    """Return whether the input's field has one of these values."""
    allowed = list(values)
    return lambda given, _: given.get(name) in allowed


ALARM_KINDS: tuple[Kind, ...] = (
    Kind(
        "one evaluation range",
        fields("datapoints_oldest_first[]", f"{RANGE} evaluation_range"),
        fields("", "state state_is_not filled_datapoints"),
        check_missing_data,
        any_of=frozenset({"state", "state_is_not", "filled_datapoints"}),
    ),
    Kind(
        "a row of periods",
        fields("per_period_oldest_first[]", RANGE),
        fields("state_after_period"),
        check_figure,
    ),
    Kind(
        "the window of an evaluation",
        fields("period_s evaluated_at_end_of_minute", "evaluation_periods"),
        fields("data_minutes[]"),
        check_window,
    ),
    Kind(
        "how often an alarm is evaluated",
        fields("period_s", "evaluation_periods"),
        fields("evaluated_every_s", "data_considered_up_to"),
        check_cadence,
    ),
    Kind(
        "how often an alarm over days is evaluated",
        fields("period_x_evaluation_periods_s"),
        fields("evaluated_every_s", "data_considered_up_to"),
        check_long_cadence,
    ),
    Kind(
        "an alarm over several days",
        fields("job_every_days fails_at fixed_at", "alarm_evaluates_at_minute"),
        fields("states"),
        check_job,
    ),
    Kind(
        "an alarm that warms up",
        fields("created_at publishes_from period_s evaluation_periods", "warm_up_s"),
        fields("evaluates_about", "state_before"),
        check_warm_up,
    ),
    Kind(
        "an alarm just created",
        fields("op"),
        fields("", "state state_reason stateReason"),
        check_creation,
        fits=one_of("op", ["PutMetricAlarm create"]),
        any_of=frozenset({"state", "state_reason", "stateReason"}),
    ),
    Kind(
        "an alarm updated",
        fields("op"),
        fields("", "state configuration"),
        check_update,
        fits=one_of("op", ["PutMetricAlarm update"]),
        any_of=frozenset({"state", "configuration"}),
    ),
    Kind(
        "a state set by hand",
        fields("op"),
        fields("needs"),
        check_state_set,
        fits=lambda given, _: str(given["op"]).startswith("SetAlarmState"),
    ),
    Kind(
        "the reason of a change",
        fields(
            "",
            "recentDatapoints_oldest_first[] value? datapoints[] comparison threshold period_s "
            f"statistic {RANGE}",
        ),
        fields(
            "",
            "stateReason stateReason_prefix state queryDate startDate recentDatapoints[]",
        ),
        check_reason,
        fits=lambda given, expected: bool(REASONS & expected.keys() and POINTS & given.keys()),
        any_of=REASONS,
        aside={
            "stateReasonData_keys": "the core writes no StateReasonData",
            "threshold": "a setting of the alarm, repeated",
        },
    ),
    Kind(
        "how often an action is invoked",
        fields("action alarm_stays_in_state_minutes"),
        fields("invocations"),
        check_invocations,
        fits=lambda given, _: is_action(given["action"]),
    ),
    Kind(
        "which alarms may trigger policies",
        fields("alarm"),
        fields("auto_scaling_actions"),
        check_kind,
        fits=one_of("alarm", ALARMS),
    ),
)
