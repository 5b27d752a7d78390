"""Functions of metric math on arrays of series: their number, order and parts.

The rules are those of the table "Functions supported for metric math" on CloudWatch's page "Math
expressions with metrics".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.metric_math.values import (
    Array,
    ExpressionError,
    Frame,
    Kind,
    Node,
    Number,
    missing,
    present,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemill.scaling.metrics.store import Series

SORTED_BY: Mapping[str, Callable[[list[float], int], float]] = {
    "AVG": lambda points, length: sum(points) / length,
    "MIN": lambda points, _: min(points),
    "MAX": lambda points, _: max(points),
    "SUM": lambda points, _: sum(points),
}


def gather(nodes: list[Node]) -> Node:
    """Return [a, b]: an array of these series and of the series in these arrays, in order.

    Raises:
        ExpressionError: one of them is a number.
    """
    if any(node.kind is Kind.NUMBER for node in nodes):
        raise ExpressionError("an array holds series, not numbers,")
    runs = [(node.run, node.kind is Kind.ARRAY) for node in nodes]

    def run(frame: Frame) -> Array:
        gathered: Array = []
        for part, several in runs:
            if several:
                gathered.extend(part(frame))
            else:
                gathered.append(part(frame))
        return gathered

    return Node(Kind.ARRAY, run, sum(node.size for node in nodes))


def metric_count(array: Node) -> Node:
    """Return METRIC_COUNT: the number of series."""
    inner = array.run
    return Node(Kind.NUMBER, lambda frame: float(len(inner(frame))))


def at_end(position: int) -> Callable[[Node], Node]:
    """Return FIRST (0) or LAST (-1); of an empty array, a series without points."""

    def build(array: Node) -> Node:
        inner = array.run

        def run(frame: Frame) -> Series:
            items: Array = inner(frame)
            return items[position] if items else missing(frame)

        return Node(Kind.SERIES, run)

    return build


def remove_empty(array: Node) -> Node:
    """Return REMOVE_EMPTY: the series that have a point."""
    inner = array.run
    return Node(
        Kind.ARRAY,
        lambda frame: [item for item in inner(frame) if any(p is not None for p in item)],
        array.size,
    )


def sort(array: Node, by: str, order: str, limit: Node | None = None) -> Node:
    """Return SORT: the series by a statistic of their points, all or the first `limit`.

    AWS publishes neither the position of series without points (here, the end) nor the order of
    equal ones (here, that of the array).
    """
    reduce, descending = SORTED_BY[by], order == "DESC"
    inner = array.run

    def key(series: Series) -> tuple[bool, float]:
        points = present(series)
        if not points:
            return True, 0.0
        value = reduce(points, len(series))
        return False, -value if descending else value

    most = None if limit is None else limit.run

    def run(frame: Frame) -> Array:
        ordered = sorted(inner(frame), key=key)
        return ordered if most is None else ordered[: _position(most(frame))]

    size = array.size
    if limit is not None and limit.constant is not None:
        size = min(size, _position(limit.constant))
    return Node(Kind.ARRAY, run, size)


def cut(array: Node, start: Node, end: Node | None = None) -> Node:
    """Return SLICE: the series at the positions from `start` to before `end`, counted from 0."""
    inner, first = array.run, start.run
    last = None if end is None else end.run

    def run(frame: Frame) -> Array:
        items: Array = inner(frame)
        stop = len(items) if last is None else _position(last(frame))
        return items[_position(first(frame)) : stop]

    size = array.size if end is None or end.constant is None else _position(end.constant)
    size = min(size, array.size)
    if start.constant is not None:
        size = max(0, size - _position(start.constant))
    return Node(Kind.ARRAY, run, size)


def _position(number: Number) -> int:
    """Return a number as a position: 1.9 is 1 (AWS does not publish what a fraction means)."""
    return max(0, int(number or 0.0))
