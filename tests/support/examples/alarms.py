"""Forms of AWS's published examples of alarms.

The module is over 280 lines because it has a check for each form, and the table of the forms.
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
from support.examples.shape import Expected, Given, Shape, has
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
)
from tidemill.scaling.template.alarms import COMPOSITE_ALARM
from tidemill.scaling.template.fleet import read_fleet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.scaling.template.document import Document

MINUTE, HOUR, DAY = 60, 3600, 86_400
METRIC = Metric("Example", "Value")
MOMENT = 1_750_000_020.0  # any whole minute


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


def values_of(alarm: Alarm, symbols: list[str]) -> list[float | None]:
    """Return values for 0 (not breaching), X (breaching) and - (missing) for "greater than"."""
    meaning = {"0": alarm.threshold - 1, "X": alarm.threshold + 1, "-": None}
    return [meaning[symbol] for symbol in symbols]


def store_of(alarm: Alarm, values: list[float], end: float) -> MetricStore:
    """Return a store whose newest periods of the alarm, up to `end`, have these values."""
    starts = [end - age * alarm.period for age in range(len(values), 0, -1)]
    points = [
        Datapoint(METRIC, start, StatisticSet.of(float(value)))
        for start, value in zip(starts, values, strict=True)
    ]
    return MetricStore().record(points, keep_seconds=14 * DAY)


def check_missing_data(given: Given, expected: Expected) -> None:
    """Evaluate one evaluation range, from each state that the alarm may have had before."""
    alarm = alarm_of(given)
    values = values_of(alarm, given["datapoints_oldest_first"])
    if "filled_datapoints" in expected:
        assert missing_datapoints(alarm, values) == expected["filled_datapoints"]
    for previous in AlarmState:
        state = judge(alarm, values, previous)
        if expected.get("state") == "RETAIN_CURRENT_STATE":
            assert state is previous
        elif "state" in expected:
            assert state == expected["state"]
        if "state_is_not" in expected:
            assert state != expected["state_is_not"]


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
    periods = given["evaluation_periods"]
    first = datapoints(alarm_of(given, stat="Minimum"), store, now)[-periods]
    last = datapoints(alarm_of(given, stat="Maximum"), store, now)[-1]
    assert [first, last] == expected["data_minutes"]


def check_cadence(given: Given, expected: Expected) -> None:
    """Compare how often an alarm is evaluated, and the end of its newest period."""
    alarm = alarm_of(given)
    if "period_x_evaluation_periods_s" in given:
        assert given["period_x_evaluation_periods_s"] == f"> {DAY}"
        alarm = alarm_of({"period_s": HOUR, "evaluation_periods": 25})
    assert evaluation_interval(alarm) == expected["evaluated_every_s"]
    if "data_considered_up_to" in expected:
        assert expected["data_considered_up_to"] == "top of the current hour"
        store = store_of(alarm, [float(value) for value in range(99)], 100.0 * HOUR)
        at_the_hour = datapoints(alarm, store, 90 * HOUR)
        assert datapoints(alarm, store, 90 * HOUR + 59 * MINUTE) == at_the_hour


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


def check_creation(_: Given, expected: Expected) -> None:
    """Compare the state of a new alarm."""
    memory = AlarmMemory.created(MOMENT)
    assert memory.state == expected["state"]
    assert memory.reason == expected["state_reason"]


def check_reason(given: Given, expected: Expected) -> None:
    """Change the alarm's state and compare the reason word by word."""
    points = given.get("recentDatapoints_oldest_first", given.get("datapoints"))
    if points is None:
        points = [given["value"]]
    threshold = given.get("threshold", expected.get("threshold", 2.0))
    periods = given.get("evaluation_periods", len(points))
    alarm = alarm_of({"evaluation_periods": periods, **given, "threshold": threshold})
    now = MOMENT
    if "queryDate" in expected:
        now = datetime.strptime(expected["queryDate"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    store = store_of(alarm, points, now // MINUTE * MINUTE)
    before = AlarmState.ALARM if expected.get("state") == "OK" else AlarmState.OK
    memory = evaluate(alarm, AlarmMemory(before, 0.0, "", None), store, now)
    assert memory.state == expected.get("state", memory.state)
    if "stateReason_prefix" in expected:
        assert memory.reason.startswith(expected["stateReason_prefix"])
        return
    stamp = "MM/DD/YY HH:MM:SS"  # a recording hides its time like this
    reason = memory.reason
    if stamp in expected["stateReason"]:
        reason = re.sub(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d", stamp, reason)
    assert reason == expected["stateReason"]


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
        assert len(times) == expected["invocations"]


def check_update(_: Given, __: Expected) -> None:
    """Replace an alarm's settings: it keeps its state, and the new settings apply."""
    before = AlarmMemory(AlarmState.ALARM, MOMENT, "", 5.0)
    updated = an_alarm(threshold=99.0, missing_data=MissingData.IGNORE)
    kept = evaluate(updated, before, MetricStore(), MOMENT + MINUTE)
    assert (kept.state, kept.since) == (before.state, before.since)
    store = a_store({MOMENT - age * MINUTE: 50.0 for age in range(9)})
    fresh = evaluate(updated, AlarmMemory.created(MOMENT), store, MOMENT)
    assert evaluate(updated, before, store, MOMENT).state is fresh.state is AlarmState.OK


def check_state_set(_: Given, expected: Expected) -> None:
    """Set the state of an alarm with a policy, with the data that the policy uses and without."""
    (needed, *_) = expected["needs"].split(",")
    alarm = an_alarm(actions=("OutPolicy",))
    created = AlarmMemory.created(MOMENT)
    change = StateChange(AlarmState.ALARM, "a test")
    with pytest.raises(RequestError, match=needed):
        set_state(alarm, created, change, MOMENT)
    with_data = replace(change, reason_data=json.dumps({"recentDatapoints": [1.0, 42.0]}))
    assert set_state(alarm, created, with_data, MOMENT).value == 42


KINDS: Mapping[str, Document] = {
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
    changed = small_template(**KINDS[given["alarm"]])
    if expected["auto_scaling_actions"]:
        read_fleet(changed, {})
        return
    with pytest.raises(TemplateError, match="cannot trigger a scaling policy"):
        read_fleet(changed, {})


RANGE = {"evaluation_periods", "datapoints_to_alarm", "treat_missing_data"}
REASON = {"stateReason", "stateReason_prefix"}

ALARM_SHAPES: tuple[Shape, ...] = (
    Shape(
        "one evaluation range",
        lambda given, expected: (
            has({"datapoints_oldest_first", *RANGE}, {"evaluation_range"})(given)
            and expected.keys() <= {"state", "state_is_not", "filled_datapoints"}
        ),
        check_missing_data,
    ),
    Shape(
        "a row of periods",
        lambda given, expected: (
            has({"per_period_oldest_first", *RANGE}, {"threshold"})(given)
            and has({"state_after_period"})(expected)
        ),
        check_figure,
    ),
    Shape(
        "the window of an evaluation",
        lambda given, expected: (
            has({"period_s", "evaluation_periods", "evaluated_at_end_of_minute"})(given)
            and has({"data_minutes"})(expected)
        ),
        check_window,
    ),
    Shape(
        "how often an alarm is evaluated",
        lambda given, expected: (
            (has({"period_s"})(given) or has({"period_x_evaluation_periods_s"})(given))
            and has({"evaluated_every_s"}, {"data_considered_up_to"})(expected)
        ),
        check_cadence,
    ),
    Shape(
        "an alarm over several days",
        lambda given, expected: (
            has({"job_every_days", "fails_at", "fixed_at", "alarm_evaluates_at_minute"})(given)
            and has({"states"})(expected)
        ),
        check_job,
    ),
    Shape(
        "an alarm just created",
        lambda given, expected: (
            given == {"op": "PutMetricAlarm create"} and has({"state", "state_reason"})(expected)
        ),
        check_creation,
    ),
    Shape(
        "the reason of a change",
        lambda given, expected: (
            bool(REASON & expected.keys())
            and bool({"recentDatapoints_oldest_first", "value", "datapoints"} & given.keys())
            and given.keys()
            <= {"comparison", "threshold", "recentDatapoints_oldest_first", "value", "datapoints"}
            | {"period_s", "statistic"}
            | RANGE
        ),
        check_reason,
    ),
    Shape(
        "how often an action is invoked",
        lambda given, expected: (
            has({"action", "alarm_stays_in_state_minutes"})(given)
            and is_action(given["action"])
            and has({"invocations"})(expected)
            and isinstance(expected["invocations"], int)
        ),
        check_invocations,
    ),
    Shape(
        "an alarm updated",
        lambda given, expected: (
            given == {"op": "PutMetricAlarm update"}
            and expected == {"state": "unchanged", "configuration": "completely overwritten"}
        ),
        check_update,
    ),
    Shape(
        "a state set by hand",
        lambda given, expected: (
            given == {"op": "SetAlarmState on an alarm with a scaling policy"}
            and has({"needs"})(expected)
        ),
        check_state_set,
    ),
    Shape(
        "which alarms may trigger policies",
        lambda given, expected: (
            has({"alarm"})(given)
            and given["alarm"] in KINDS
            and has({"auto_scaling_actions"})(expected)
        ),
        check_kind,
    ),
)
