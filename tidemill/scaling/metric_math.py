"""The operators and functions of CloudWatch metric math, as functions on values.

Every rule here is from CloudWatch's page "Using math expressions with CloudWatch metrics".
A missing point counts as 0 where the other operand has a point, and stays missing where no
operand has one. What has no result, such as a division by zero, drops the point.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from tidemill.scaling.errors import ScalingError
from tidemill.scaling.metrics import Series

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = float | Series | list[Series]
"""A number, a time series or an array of time series."""

_Unary = Callable[[float], float]
_Binary = Callable[[float, float], float]


class ExpressionError(ScalingError):
    """A metric math expression cannot be used; the message is one line for the user."""


class NoDataError(ArithmeticError):
    """An operation on plain numbers has no result, so that its expression has no datapoints."""


@dataclass(frozen=True, slots=True)
class Function:
    """How one function is called: its argument counts and the bare words it takes last."""

    call: Callable[..., Value]
    least: int = 1
    most: int = 1
    words: frozenset[str] = frozenset()


def binary(operation: _Binary) -> Callable[[Value, Value], Value]:
    """Return an operator on values made of one on numbers.

    The result raises ArithmeticError where two plain numbers have no result, and
    ExpressionError for two arrays, which CloudWatch does not combine.
    """

    def apply(left: Value, right: Value) -> Value:
        if isinstance(left, list):
            if isinstance(right, list):
                raise ExpressionError("an operator cannot combine two arrays of series")
            return [_pointwise(operation, item, right) for item in left]
        if isinstance(right, list):
            return [_pointwise(operation, left, item) for item in right]
        if isinstance(left, tuple) or isinstance(right, tuple):
            return _pointwise(operation, left, right)
        return operation(left, right)

    return apply


def unary(operation: _Unary) -> Callable[[Value], Value]:
    """Return an operator on values made of one on numbers; missing points stay missing."""

    def apply(value: Value) -> Value:
        if isinstance(value, list):
            return [_series(apply(item)) for item in value]
        if isinstance(value, tuple):
            return tuple([None if point is None else operation(point) for point in value])
        return operation(value)

    return apply


def reduction(name: str, reduce: Callable[[Sequence[float], int], float]) -> Function:
    """Return a function that makes a number of a series, and a series of an array.

    `reduce` gets the present values, at least one, and how many there would be were none
    missing. Where none is present there is no result: a series of missing points.
    """

    def column(points: tuple[float | None, ...]) -> float | None:
        present = [point for point in points if point is not None]
        return reduce(present, len(points)) if present else None

    def apply(value: Value) -> Value:
        if isinstance(value, list):
            return tuple(map(column, zip(*value, strict=True)))
        if isinstance(value, tuple):
            result = column(value)
            return value if result is None else result
        raise ExpressionError(f"{name} takes a series or an array of series, not a number")

    return Function(apply)


def choose(condition: Value, then: Value, otherwise: Value | None = None) -> Value:
    """Return IF: for each point `then` where the condition is not 0, else `otherwise`.

    A missing condition drops the point. A point that is missing in `then` counts as 0, one that
    is missing in `otherwise`, or an omitted `otherwise`, drops the point.
    """
    if isinstance(condition, list) or isinstance(then, list) or isinstance(otherwise, list):
        raise ExpressionError("IF takes series and numbers, not an array of series")
    if isinstance(condition, tuple):
        return tuple(
            [
                None
                if point is None
                else (_at(then, index) or 0.0)
                if point
                else _at(otherwise, index)
                for index, point in enumerate(condition)
            ]
        )
    chosen = then if condition else otherwise
    if chosen is None:
        raise NoDataError
    return chosen


def fill(value: Value, filler: Value | str) -> Value:
    """Return FILL: the value's missing points replaced by a number, a metric or a rule.

    REPEAT takes the last point before the gap, LINEAR the straight line between the points on
    both sides; where there is no such point, as before the first one, the gap stays.
    """
    if isinstance(value, list):
        return [_series(fill(item, filler)) for item in value]
    if isinstance(filler, list):
        raise ExpressionError("FILL takes one series as the filler, not an array of series")
    if not isinstance(value, tuple):
        raise ExpressionError("FILL takes a series or an array of series, not a number")
    if isinstance(filler, str):
        return _repeat(value) if filler == "REPEAT" else _linear(value)
    return tuple(
        [_at(filler, index) if point is None else point for index, point in enumerate(value)]
    )


def _pointwise(operation: _Binary, left: float | Series, right: float | Series) -> Series:
    """Return the operation on two series, or on a series and a number, point by point."""

    def point(first: float, second: float) -> float | None:
        try:
            return operation(first, second)
        except ArithmeticError:
            return None

    if not isinstance(left, tuple):
        return tuple([None if value is None else point(left, value) for value in _series(right)])
    if not isinstance(right, tuple):
        return tuple([None if value is None else point(value, right) for value in left])
    return tuple(
        [
            None if first is None and second is None else point(first or 0.0, second or 0.0)
            for first, second in zip(left, right, strict=True)
        ]
    )


def _repeat(series: Series) -> Series:
    filled: list[float | None] = []
    for point in series:
        filled.append(filled[-1] if point is None and filled else point)
    return tuple(filled)


def _linear(series: Series) -> Series:
    filled = list(series)
    known = [index for index, point in enumerate(series) if point is not None]
    for left, right in pairwise(known):
        start, end = series[left], series[right]
        if start is not None and end is not None:
            for index in range(left + 1, right):
                filled[index] = start + (end - start) * (index - left) / (right - left)
    return tuple(filled)


def _at(value: float | Series | None, index: int) -> float | None:
    return value[index] if isinstance(value, tuple) else value


def _series(value: Value) -> Series:
    """Return the value, which its operand's type makes a series."""
    if isinstance(value, tuple):
        return value
    raise ExpressionError("an array holds series only")


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except ValueError as error:  # such as the square root of a negative number
        raise NoDataError from error


OPERATORS: Mapping[str, Callable[[Value, Value], Value]] = {
    "+": binary(operator.add),
    "-": binary(operator.sub),
    "*": binary(operator.mul),
    "/": binary(operator.truediv),
    "^": binary(_power),
    "==": binary(lambda left, right: float(left == right)),
    "!=": binary(lambda left, right: float(left != right)),
    "<": binary(lambda left, right: float(left < right)),
    "<=": binary(lambda left, right: float(left <= right)),
    ">": binary(lambda left, right: float(left > right)),
    ">=": binary(lambda left, right: float(left >= right)),
    "AND": binary(lambda left, right: float(bool(left and right))),
    "OR": binary(lambda left, right: float(bool(left or right))),
}

SIGNS: Mapping[str, Callable[[Value], Value]] = {
    "-": unary(operator.neg),
    "NOT": unary(lambda value: float(not value)),
}

FUNCTIONS: Mapping[str, Function] = {
    "ABS": Function(unary(abs)),
    "CEIL": Function(unary(lambda value: float(math.ceil(value)))),
    "FLOOR": Function(unary(lambda value: float(math.floor(value)))),
    "MIN": reduction("MIN", lambda values, _: min(values)),
    "MAX": reduction("MAX", lambda values, _: max(values)),
    "SUM": reduction("SUM", lambda values, _: sum(values)),
    # "Missing values are treated as 0": they count in the divisor.
    "AVG": reduction("AVG", lambda values, count: sum(values) / count),
    "IF": Function(choose, least=2, most=3),
    "FILL": Function(fill, least=2, most=2, words=frozenset({"REPEAT", "LINEAR"})),
}

_OUTSIDE = "its data does not come from the metrics of the alarm"
_LATER = "it is not modelled yet"
REFUSED: Mapping[str, str] = {
    "SEARCH": "CloudWatch allows no alarm on it, since it returns several series",
    "ANOMALY_DETECTION_BAND": "an alarm with Auto Scaling actions cannot use it",
    "DB_PERF_INSIGHTS": _OUTSIDE,
    "INSIGHT_RULE_METRIC": _OUTSIDE,
    "LAMBDA": _OUTSIDE,
    "SERVICE_QUOTA": _OUTSIDE,
    **dict.fromkeys(
        (
            "DATAPOINT_COUNT",
            "DATE",
            "DAY",
            "DIFF",
            "DIFF_TIME",
            "EPOCH",
            "FIRST",
            "HOUR",
            "LAST",
            "LOG",
            "LOG10",
            "METRIC_COUNT",
            "MINUTE",
            "MONTH",
            "PERIOD",
            "RATE",
            "REMOVE_EMPTY",
            "RUNNING_SUM",
            "SLICE",
            "SORT",
            "STDDEV",
            "TIME_SERIES",
            "YEAR",
        ),
        _LATER,
    ),
}
"""CloudWatch's functions that are not here, with the reason."""
