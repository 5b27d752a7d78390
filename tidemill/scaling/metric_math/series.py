"""Functions of metric math on series: IF, FILL, reductions, differences and running sums.

The rules are those of the table "Functions supported for metric math" on CloudWatch's page "Math
expressions with metrics", and of its section "Using IF expressions".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from tidemill.scaling.metric_math.values import (
    Array,
    ExpressionError,
    Frame,
    Kind,
    Node,
    Number,
    finite,
    missing,
)

if TYPE_CHECKING:
    from tidemill.scaling.metrics.store import Series

_Reduce = Callable[[Sequence[float], int], float]


def reduction(reduce: _Reduce, *, empty: Number = None) -> Callable[[Node], Node]:
    """Return a function that reduces a series to a number, and an array to a series.

    `reduce` gets the points that are not missing, at least one, and the number of all points. If no
    series of an array has a point at a timestamp, the result has none there. AWS does not publish
    the result for a series without points; here it is `empty`.
    """

    def column(points: Sequence[float | None]) -> Number:
        values = [point for point in points if point is not None]
        try:
            return finite(reduce(values, len(points))) if values else None
        except ArithmeticError:
            return None

    def build(argument: Node) -> Node:
        inner = argument.run
        if argument.kind is Kind.SERIES:

            def number(frame: Frame) -> Number:
                points = inner(frame)
                return column(points) if any(point is not None for point in points) else empty

            return Node(Kind.NUMBER, number)

        def series(frame: Frame) -> Series:
            items = inner(frame)
            return tuple(map(column, zip(*items, strict=True))) if items else missing(frame)

        return Node(Kind.SERIES, series)

    return build


def mean(values: Sequence[float], count: int) -> float:
    """Return AVG: "missing values are treated as 0", so they count in the divisor."""
    return sum(values) / count


def deviation(values: Sequence[float], _: int) -> float:
    """Return STDDEV of the population (AWS does not publish whether it is that of a sample)."""
    middle = sum(values) / len(values)
    return math.sqrt(sum((value - middle) * (value - middle) for value in values) / len(values))


def each(change: Callable[[Frame, Series], Series]) -> Callable[[Node], Node]:
    """Return a function on nodes that applies `change` to a series, or to each one of an array."""

    def build(argument: Node) -> Node:
        inner = argument.run
        if argument.kind is Kind.SERIES:
            return Node(Kind.SERIES, lambda frame: change(frame, inner(frame)))

        def run(frame: Frame) -> Array:
            return [change(frame, item) for item in inner(frame)]

        return Node(Kind.ARRAY, run, argument.size)

    return build


def choose(condition: Node, then: Node, otherwise: Node | None = None) -> Node:
    """Return IF: for each point `then` where the condition is not 0, else `otherwise`.

    A missing condition drops the point, and so does a false one without an `otherwise`. A missing
    point of a series `then` counts as 0. A missing point of a series `otherwise` counts as 0 if
    `then` is a series too, and drops the point if `then` is a number. These are the page's tables
    for a condition that is a metric. For a condition that is a comparison, the page says of a
    missing point of `otherwise` both that it is 0 and that there is no result; it is treated as in
    those tables here (assumed). (Until 2023 the page dropped the point for three series as well.)

    Example: IF([1, 0, -], [5, 6, 7], [8, -, 9]) is [5, 0, -]; IF([1, 0, -], 5, [8, -, 9]) is
    [5, -, -].
    """
    test, yes = condition.run, then.run
    no = otherwise.run if otherwise else lambda _: None
    branches = {then.kind, otherwise.kind if otherwise else then.kind}
    if condition.kind is Kind.NUMBER:
        if branches == {Kind.NUMBER}:

            def number(frame: Frame) -> Number:
                found = test(frame)
                if found is None:
                    return None
                result: Number = yes(frame) if found else no(frame)
                return result

            return Node(Kind.NUMBER, number)

        def whole(frame: Frame) -> Series:
            found = test(frame)
            value = None if found is None else yes(frame) if found else no(frame)
            return value if isinstance(value, tuple) else (value,) * frame.length

        return Node(Kind.SERIES, whole)

    filler = 0.0 if then.kind is Kind.SERIES else None

    def pointwise(frame: Frame) -> Series:
        yeses = _spread(frame, yes(frame), filler=0.0)
        noes = _spread(frame, no(frame), filler)
        return tuple(
            [
                None if found is None else one if found else other
                for found, one, other in zip(test(frame), yeses, noes, strict=True)
            ]
        )

    return Node(Kind.SERIES, pointwise)


def _spread(frame: Frame, value: Number | Series, filler: Number = None) -> Series:
    """Return a value as a series; `filler` replaces missing points."""
    if not isinstance(value, tuple):
        return (value,) * frame.length
    if filler is None or None not in value:
        return value
    return tuple([filler if point is None else point for point in value])


def fill(value: Node, filler: Node | str) -> Node:
    """Return FILL: missing points replaced by a number, by a metric's points or by a rule.

    REPEAT uses the last point before the gap, LINEAR the straight line between the points on both
    sides. AWS does not publish the result for a gap that lacks such a point, for example before the
    first point; here it stays a gap. Example: FILL([2, -, 4, -], LINEAR) is [2, 3, 4, -].
    """
    if filler == "REPEAT":
        return each(lambda _, series: _repeat(series))(value)
    if isinstance(filler, str):
        return each(lambda _, series: _linear(series))(value)
    other = filler.run

    def replaced(frame: Frame, series: Series) -> Series:
        if None not in series:
            return series
        points = _spread(frame, other(frame))
        return tuple(
            [
                stand_in if point is None else point
                for point, stand_in in zip(series, points, strict=True)
            ]
        )

    return each(replaced)(value)


def _repeat(series: Series) -> Series:
    filled: list[float | None] = []
    last = None
    for point in series:
        last = last if point is None else point
        filled.append(last)
    return tuple(filled)


def _linear(series: Series) -> Series:
    filled = list(series)
    known = [(index, point) for index, point in enumerate(series) if point is not None]
    for (left, start), (right, end) in pairwise(known):
        for index in range(left + 1, right):
            share = (index - left) / (right - left)
            filled[index] = start * (1 - share) + end * share
    return tuple(filled)


def difference(_: Frame, series: Series) -> Series:
    """Return DIFF: each point minus the previous one, with or without a gap between them."""
    return _steps(series, lambda change, _: change)


def rate(frame: Frame, series: Series) -> Series:
    """Return RATE: the change since the previous point, per second."""
    return _steps(series, lambda change, periods: change / (periods * frame.period))


def difference_in_time(frame: Frame, series: Series) -> Series:
    """Return DIFF_TIME: the seconds since the previous point."""
    return _steps(series, lambda _, periods: float(periods * frame.period))


def _steps(series: Series, of: Callable[[float, int], float]) -> Series:
    """Return `of` each change between two points and the number of periods between them.

    AWS does not publish the result for the first point; here it is missing. Example: for DIFF,
    [2, -, 5, 6] gives [-, -, 3, 1].
    """
    result: list[float | None] = [None] * len(series)
    known = [(index, point) for index, point in enumerate(series) if point is not None]
    for (left, before), (right, point) in pairwise(known):
        result[right] = finite(of(point - before, right - left))
    return tuple(result)


def running_sum(_: Frame, series: Series) -> Series:
    """Return RUNNING_SUM; a missing point stays missing (AWS does not publish its result)."""
    total = 0.0
    sums: list[float | None] = []
    for point in series:
        total += point or 0.0
        sums.append(None if point is None else finite(total))
    return tuple(sums)


def time_series(number: Node) -> Node:
    """Return TIME_SERIES: the number at every timestamp."""
    inner = number.run
    return Node(Kind.SERIES, lambda frame: (inner(frame),) * frame.length)


def period(metric: Node) -> Node:
    """Return PERIOD: the metric's period in seconds.

    Raises:
        ExpressionError: "valid input is metrics, not the results of other expressions".
    """
    if not metric.metric:
        raise ExpressionError("PERIOD takes the id of a metric, not the result of an expression,")
    return Node(Kind.NUMBER, lambda frame: float(frame.period))
