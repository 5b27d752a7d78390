"""Operators of metric math, and its functions that work point by point.

Every rule is from CloudWatch's page "Math expressions with metrics", sections "Basic arithmetic
functions" and "Comparison and logical operators". A missing point counts as 0 where the other
operand has a point, and stays missing where neither has one: [1, -, -] + [2, 3, -] is [3, 3, -]. A
division by zero drops the point. AWS does not publish the result of other operations without one
(the root of a negative number, an overflow); here the point is dropped, too.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tidemill.scaling.metric_math.values import (
    Array,
    ExpressionError,
    Frame,
    Kind,
    Node,
    Number,
    finite,
    literal,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.scaling.metrics.store import Series

_Unary = Callable[[float], float]
_Binary = Callable[[float, float], float]


@dataclass(frozen=True, slots=True)
class _Operation:
    """An operator in two forms: on two whole series, and on one pair of numbers.

    `mapped` raises an error if a pair has no result; `point` returns None.
    """

    mapped: Callable[[Series, Series], Iterable[float]]
    point: Callable[[float, float], Number]


def _operation(on_numbers: _Binary) -> _Operation:
    def point(left: float, right: float) -> Number:
        try:
            return finite(float(on_numbers(left, right)))
        except (ArithmeticError, ValueError):
            return None

    if on_numbers in _ARITHMETIC.values():
        return _Operation(partial(map, on_numbers), point)
    # Python's comparisons return True and False; in CloudWatch the results are 1 and 0.
    return _Operation(lambda left, right: map(float, map(on_numbers, left, right)), point)  # type: ignore[arg-type]  # no None in mapped series


def combine(sign: str, left: Node, right: Node) -> Node:
    """Return the node of a binary operator.

    Raises:
        ExpressionError: CloudWatch does not combine values of these kinds.
    """
    kinds = {left.kind, right.kind}
    if Kind.ARRAY in kinds and sign not in _ARITHMETIC:
        raise ExpressionError(f"{sign} compares series and numbers, not an array of series,")
    if left.kind is right.kind is Kind.ARRAY:
        raise ExpressionError("an operator cannot combine two arrays of series")
    operation = _OPERATIONS[sign]
    if kinds == {Kind.NUMBER}:
        return _numbers(operation, left, right)
    first, second = left.run, right.run
    if Kind.ARRAY not in kinds:
        return Node(
            Kind.SERIES, lambda frame: _points(frame, operation, first(frame), second(frame))
        )

    if left.kind is Kind.ARRAY:

        def each_left(frame: Frame) -> Array:
            other = second(frame)
            return [_points(frame, operation, item, other) for item in first(frame)]

        return Node(Kind.ARRAY, each_left, left.size)

    def each_right(frame: Frame) -> Array:
        other = first(frame)
        return [_points(frame, operation, other, item) for item in second(frame)]

    return Node(Kind.ARRAY, each_right, right.size)


def elementwise(operation: _Unary) -> Callable[[Node], Node]:
    """Return a function on nodes made of a function on numbers; missing points stay missing."""

    def point(value: Number) -> Number:
        if value is None:
            return None
        try:
            return finite(operation(value))
        except (ArithmeticError, ValueError):
            return None

    mapped = partial(map, operation)

    def points(series: Series) -> Series:
        return _whole(mapped, series) or tuple([point(value) for value in series])

    def build(argument: Node) -> Node:
        inner = argument.run
        if argument.constant is not None:
            result = point(argument.constant)
            if result is not None:
                return literal(result)
        if argument.kind is Kind.NUMBER:
            return Node(Kind.NUMBER, lambda frame: point(inner(frame)))
        if argument.kind is Kind.SERIES:
            return Node(Kind.SERIES, lambda frame: points(inner(frame)))
        return Node(Kind.ARRAY, lambda frame: list(map(points, inner(frame))), argument.size)

    return build


def _whole(mapped: Callable[..., Iterable[float]], *operands: Series) -> Series | None:
    """Return an operation on all points at once, or None if one is missing or has no result.

    This makes the usual case fast: no point is missing, and each has a result.
    """
    for operand in operands:
        if None in operand:
            return None
    try:
        result = tuple(mapped(*operands))
        # The sum is infinite or not a number if one of the results is.
        return result if math.isfinite(sum(result)) else None
    except (ArithmeticError, ValueError):
        return None


def _numbers(operation: _Operation, left: Node, right: Node) -> Node:
    first, second, point = left.run, right.run, operation.point
    if left.constant is not None and right.constant is not None:
        folded = point(left.constant, right.constant)
        if folded is not None:
            return literal(folded)

    def run(frame: Frame) -> Number:
        one, two = first(frame), second(frame)
        return None if one is None or two is None else point(one, two)

    return Node(Kind.NUMBER, run)


def _points(
    frame: Frame, operation: _Operation, left: Series | Number, right: Series | Number
) -> Series:
    """Return the operation on two series, or on a series and a number, point by point."""
    if left is None or right is None:
        return (None,) * frame.length
    lefts = left if isinstance(left, tuple) else (left,) * frame.length
    rights = right if isinstance(right, tuple) else (right,) * frame.length
    whole = _whole(operation.mapped, lefts, rights)
    return whole or _points_with_gaps(frame, operation.point, left, right)


def _points_with_gaps(
    frame: Frame,
    point: Callable[[float, float], Number],
    left: Series | float,
    right: Series | float,
) -> Series:
    if not isinstance(left, tuple):
        points = right if isinstance(right, tuple) else (right,) * frame.length
        return tuple([None if two is None else point(left, two) for two in points])
    if not isinstance(right, tuple):
        return tuple([None if one is None else point(one, right) for one in left])
    return tuple(
        [
            None if one is None and two is None else point(one or 0.0, two or 0.0)
            for one, two in zip(left, right, strict=True)
        ]
    )


_ARITHMETIC: Mapping[str, _Binary] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": math.pow,
}
_OPERATIONS = {
    sign: _operation(operator_)
    for sign, operator_ in {
        **_ARITHMETIC,
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "AND": lambda left, right: bool(left and right),
        "OR": lambda left, right: bool(left or right),
    }.items()
}

SIGNS: Mapping[str, Callable[[Node], Node]] = {
    "-": elementwise(operator.neg),
    # AWS lists AND and OR only; NOT is assumed to negate.
    "NOT": elementwise(lambda value: 0.0 if value else 1.0),
}
