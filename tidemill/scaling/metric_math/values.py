"""Values of metric math: numbers, series and arrays, their kinds, and compiled nodes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tidemill.scaling.errors import ScalingError
from tidemill.scaling.metrics.store import Series

if TYPE_CHECKING:
    from collections.abc import Callable

Number = float | None
"""A scalar; None without a result, for example after a division by zero."""

Array = list[Series]
"""Several series of one length."""


class ExpressionError(ScalingError):
    """A metric math expression cannot be used; the message is one line for the user."""


class Kind(StrEnum):
    """CloudWatch's types of data S, TS and TS[]; a node's kind is known when it is compiled."""

    NUMBER = "a number"
    SERIES = "a series"
    ARRAY = "an array of series"


@dataclass(slots=True)
class Frame:
    """One evaluation: its periods, and the values of metrics and expressions by slot.

    `start` is the beginning of the first period in epoch seconds, `period` the length of each
    period in seconds, and `length` the number of periods.
    """

    start: float
    period: int
    length: int
    values: list[Any]


@dataclass(frozen=True, slots=True)
class Node:
    """A compiled part of an expression; `run` returns a value of its kind.

    `size` is the greatest number of series that an array can have, `constant` the number of a
    literal. `metric` is set for a metric itself, not for a computed value.
    """

    kind: Kind
    run: Callable[[Frame], Any]
    size: int = 1
    constant: Number = None
    metric: bool = False


def finite(result: float) -> Number:
    """Return the number, or None for infinity and NaN."""
    return result if math.isfinite(result) else None


def present(series: Series) -> list[float]:
    """Return the points that a series has."""
    return [point for point in series if point is not None]


def missing(frame: Frame) -> Series:
    """Return a series without points."""
    return (None,) * frame.length


def literal(number: float) -> Node:
    """Return the node of a number written in the expression."""
    return Node(Kind.NUMBER, lambda _: number, constant=number)
