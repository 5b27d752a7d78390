"""Verdict on an alarm: its state, from the datapoints of its evaluation range."""

from __future__ import annotations

import operator
from itertools import repeat
from typing import TYPE_CHECKING

from tidemill.scaling.spec import AlarmState, Comparison, MissingData

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tidemill.scaling.spec import Alarm

_BREACHES: Mapping[Comparison, Callable[[float, float], bool]] = {
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.LESS: operator.lt,
    Comparison.LESS_OR_EQUAL: operator.le,
}


def retrieved_periods(alarm: Alarm) -> int:
    """Return the number of periods whose datapoints an evaluation retrieves.

    A wall clock window retrieves exactly its own periods and does not look further back
    ("Configuring how CloudWatch alarms treat missing data").
    """
    if alarm.wall_clock is not None:
        return alarm.evaluation_periods
    return evaluation_range(alarm.evaluation_periods)


def evaluation_range(evaluation_periods: int) -> int:
    """Return the number of periods in which an alarm with a sliding window searches for datapoints.

    It searches until it has enough real ones. CloudWatch does not publish this ("Configuring how
    CloudWatch alarms treat missing data" says that it depends on the period and the resolution).
    The page's only number is 5 for 3 evaluation periods. Our guess agrees with it: a third more, at
    least two more, so 5 for 3 and 16 for 12.
    """
    return evaluation_periods + max(evaluation_periods // 3, 2)


def breaches(alarm: Alarm, value: float) -> bool:
    """Return whether a datapoint breaches the alarm's threshold."""
    return _BREACHES[alarm.comparison](value, alarm.threshold)


def missing_datapoints(alarm: Alarm, values: Sequence[float | None]) -> int:
    """Return how many real datapoints are missing for a full count of evaluation periods."""
    return max(0, alarm.evaluation_periods - sum(value is not None for value in values))


def judge(alarm: Alarm, values: Sequence[float | None], previous: AlarmState) -> AlarmState:
    """Return the state that the values of the evaluation range, oldest first, put the alarm in.

    The rules are those of "Configuring how CloudWatch alarms treat missing data". With enough real
    datapoints the newest of them decide, regardless of the treatment of missing data. Otherwise all
    real ones count, and the treatment decides about the missing ones. Example: 3 of 3 above 10 with
    [-, -, 12, 14] and notBreaching has 2 breaching and 1 filled in as not breaching: OK.

    `previous` is returned if the alarm keeps its state. The page does not state what happens if an
    alarm ignores missing data and enough of its few real datapoints breach; here it enters ALARM.
    """
    evaluated = [value for value in values if value is not None][-alarm.evaluation_periods :]
    compare = _BREACHES[alarm.comparison]
    breaching = sum(map(compare, evaluated, repeat(alarm.threshold)))
    missing = alarm.evaluation_periods - len(evaluated)
    if missing and alarm.missing_data is MissingData.BREACHING:
        breaching += missing
    if breaching >= alarm.datapoints_to_alarm:
        return AlarmState.ALARM
    if not missing or alarm.missing_data in {MissingData.BREACHING, MissingData.NOT_BREACHING}:
        return AlarmState.OK
    if breaching < len(evaluated):
        return AlarmState.OK
    if alarm.missing_data is MissingData.IGNORE:
        return previous
    if _is_premature(alarm, values):
        return AlarmState.ALARM
    return AlarmState.INSUFFICIENT_DATA


def _is_premature(alarm: Alarm, values: Sequence[float | None]) -> bool:
    """Return whether breaching datapoints alone are old enough for ALARM.

    Same page, "Avoiding premature transitions to alarm state": the oldest one must be at least
    as old as Datapoints to Alarm. The caller has made sure that every real datapoint breaches;
    the page's own table shows that a non-breaching one anywhere in the range forbids the rule.
    """
    ages = [len(values) - index for index, value in enumerate(values) if value is not None]
    return bool(ages) and ages[0] >= alarm.datapoints_to_alarm
