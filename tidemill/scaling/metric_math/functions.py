"""Functions of CloudWatch metric math by name: their parameters and their nodes.

The list is the table "Functions supported for metric math" on CloudWatch's page "Math expressions
with metrics". Functions that do not work on the alarm's own metrics are refused by name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.scaling.metric_math.arrays import (
    SORTED_BY,
    at_end,
    cut,
    metric_count,
    remove_empty,
    sort,
)
from tidemill.scaling.metric_math.calendar import CALENDAR, by_timestamp
from tidemill.scaling.metric_math.operators import elementwise
from tidemill.scaling.metric_math.series import (
    choose,
    deviation,
    difference,
    difference_in_time,
    each,
    fill,
    mean,
    period,
    rate,
    reduction,
    running_sum,
    time_series,
)
from tidemill.scaling.metric_math.values import Kind, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Parameter:
    """The kinds of values that an argument may have, and the bare words that it may be."""

    kinds: tuple[Kind, ...] = ()
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return a description of the argument for messages."""
        return " or ".join((*self.kinds, *self.words))


@dataclass(frozen=True, slots=True)
class Function:
    """A function; a call may leave out the last `optional` parameters."""

    build: Callable[..., Node]
    parameters: tuple[Parameter, ...]
    optional: int = 0

    @property
    def least(self) -> int:
        """Return the least number of arguments."""
        return len(self.parameters) - self.optional


_NUMBER = Parameter((Kind.NUMBER,))
_SERIES = Parameter((Kind.SERIES,))
_ARRAY = Parameter((Kind.ARRAY,))
_SERIES_OR_ARRAY = Parameter((Kind.SERIES, Kind.ARRAY))
_NUMBER_OR_SERIES = Parameter((Kind.NUMBER, Kind.SERIES))
# CloudWatch lists only series and arrays for these; here numbers are allowed, too.
_ANY = Parameter((Kind.NUMBER, Kind.SERIES, Kind.ARRAY))


def _on(parameter: Parameter, build: Callable[..., Node]) -> Function:
    return Function(build, (parameter,))


FUNCTIONS: Mapping[str, Function] = {
    "ABS": _on(_ANY, elementwise(abs)),
    "CEIL": _on(_ANY, elementwise(lambda value: float(math.ceil(value)))),
    "FLOOR": _on(_ANY, elementwise(lambda value: float(math.floor(value)))),
    "LOG": _on(_ANY, elementwise(math.log)),
    "LOG10": _on(_ANY, elementwise(math.log10)),
    "MIN": _on(_SERIES_OR_ARRAY, reduction(lambda values, _: min(values))),
    "MAX": _on(_SERIES_OR_ARRAY, reduction(lambda values, _: max(values))),
    "SUM": _on(_SERIES_OR_ARRAY, reduction(lambda values, _: sum(values), empty=0.0)),
    "AVG": _on(_SERIES_OR_ARRAY, reduction(mean, empty=0.0)),
    "STDDEV": _on(_SERIES_OR_ARRAY, reduction(deviation)),
    "DATAPOINT_COUNT": _on(
        _SERIES_OR_ARRAY, reduction(lambda values, _: float(len(values)), empty=0.0)
    ),
    "DIFF": _on(_SERIES_OR_ARRAY, each(difference)),
    "DIFF_TIME": _on(_SERIES_OR_ARRAY, each(difference_in_time)),
    "RATE": _on(_SERIES_OR_ARRAY, each(rate)),
    "RUNNING_SUM": _on(_SERIES_OR_ARRAY, each(running_sum)),
    "IF": Function(choose, (_NUMBER_OR_SERIES, _NUMBER_OR_SERIES, _NUMBER_OR_SERIES), 1),
    "FILL": Function(
        fill,
        # CloudWatch's table has a series as filler only for an array, its text has no such limit.
        (_SERIES_OR_ARRAY, Parameter((Kind.NUMBER, Kind.SERIES), ("REPEAT", "LINEAR"))),
    ),
    "TIME_SERIES": _on(_NUMBER, time_series),
    "PERIOD": _on(_SERIES, period),
    "METRIC_COUNT": _on(_ARRAY, metric_count),
    "FIRST": _on(_ARRAY, at_end(0)),
    "LAST": _on(_ARRAY, at_end(-1)),
    "REMOVE_EMPTY": _on(_ARRAY, remove_empty),
    "SLICE": Function(cut, (_ARRAY, _NUMBER, _NUMBER), 1),
    "SORT": Function(
        sort,
        (_ARRAY, Parameter(words=tuple(SORTED_BY)), Parameter(words=("ASC", "DESC")), _NUMBER),
        1,
    ),
    **{name: _on(_SERIES, by_timestamp(of)) for name, of in CALENDAR.items()},
}

_OUTSIDE = "its data does not come from the metrics of the alarm"
REFUSED: Mapping[str, str] = {
    "SEARCH": "CloudWatch allows no alarm on it, since it returns several series",
    "ANOMALY_DETECTION_BAND": "an alarm with Auto Scaling actions cannot use it",
    "DB_PERF_INSIGHTS": _OUTSIDE,
    "INSIGHT_RULE_METRIC": _OUTSIDE,
    "LAMBDA": _OUTSIDE,
    "SERVICE_QUOTA": _OUTSIDE,
}
"""CloudWatch's functions that are not modelled, with the reason."""
