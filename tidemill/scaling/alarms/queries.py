"""Queries of an alarm: its metrics and expressions, compiled into the one series it watches."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from tidemill.scaling.metric_math.expression import compile_expression, only_one, reader
from tidemill.scaling.metric_math.values import ExpressionError, Frame, Kind, Node
from tidemill.scaling.metrics.statistics import statistic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemill.scaling.metrics.store import MetricStore, Series
    from tidemill.scaling.spec import MetricQuery


@dataclass(frozen=True, slots=True)
class Program:
    """The steps of one evaluation: fetch metrics, then compute expressions, each into its slot."""

    fetched: tuple[tuple[int, MetricQuery], ...]
    computed: tuple[tuple[int, Node], ...]
    answer: Node
    slots: int

    def run(self, store: MetricStore, end: float, period: int, periods: int) -> Series:
        """Return the series that the alarm watches.

        Args:
            store: the datapoints of its metrics.
            end: when the newest period ends, in epoch seconds, aligned.
            period: the length of each period in seconds.
            periods: the number of periods.
        """
        values: list[Series | None] = [None] * self.slots
        for slot, query in self.fetched:
            if query.stat is not None:
                values[slot] = store.series(query.stat, end, periods, query.unit)
        return self.compute(Frame(end - periods * period, period, periods, values))

    def run_between(self, store: MetricStore, bounds: Sequence[float], period: int) -> Series:
        """Return the series that the alarm watches, for periods of different lengths.

        Args:
            store: the datapoints of its metrics.
            bounds: the start of each period, oldest first, and the end of the newest one.
            period: the usual length of a period in seconds, which expressions count with.
        """
        values: list[Series | None] = [None] * self.slots
        for slot, query in self.fetched:
            if query.stat is not None:
                values[slot] = tuple(
                    store.series(replace(query.stat, period=int(end - begin)), end, 1, query.unit)[
                        0
                    ]
                    for begin, end in pairwise(bounds)
                )
        return self.compute(Frame(bounds[0], period, len(bounds) - 1, values))

    def compute(self, frame: Frame) -> Series:
        """Return the series, given a frame with the metrics' values in their slots."""
        values = frame.values
        for slot, node in self.computed:
            values[slot] = node.run(frame)
        answer: Series = self.answer.run(frame)
        return answer


@lru_cache(maxsize=4096)
def compile_queries(queries: tuple[MetricQuery, ...], returned: str) -> Program:
    """Return the program of an alarm's queries.

    Raises:
        ExpressionError: an expression cannot be used, refers to an unknown id or to itself, or
            the query that is returned gives a number or several series.
    """
    builder = _Builder({query.id: query for query in queries})
    node = builder.node(returned)
    if node is None:
        raise ExpressionError(f'no metric and no expression has the id "{returned}"')
    if node.kind is Kind.NUMBER:
        raise ExpressionError(
            f'"{returned}" gives one number, but an alarm watches a series over time'
        )
    text = builder.queries[returned].expression or returned
    return Program(
        tuple(builder.fetched), tuple(builder.computed), only_one(node, text), len(builder.nodes)
    )


def check_queries(queries: tuple[MetricQuery, ...]) -> None:
    """Check all queries, including those that no other query uses.

    Raises:
        ExpressionError: as `compile_queries`.
        StatisticError: there is no such statistic.
    """
    builder = _Builder({query.id: query for query in queries})
    for query in queries:
        builder.node(query.id)
        if query.stat is not None:
            statistic(query.stat.stat)


@dataclass(slots=True)
class _Builder:
    """The scope of the alarm's expressions; it compiles a query when an expression uses it."""

    queries: dict[str, MetricQuery]
    nodes: dict[str, Node] = field(default_factory=dict)
    fetched: list[tuple[int, MetricQuery]] = field(default_factory=list)
    computed: list[tuple[int, Node]] = field(default_factory=list)
    path: list[str] = field(default_factory=list)

    def node(self, name: str) -> Node | None:
        """Return a node that reads the slot of a query, and compile the query on first use."""
        if name in self.nodes:
            return self.nodes[name]
        query = self.queries.get(name)
        if query is None:
            return None
        if query.expression is None:
            return self._fetch(query)
        if name in self.path:
            raise ExpressionError(f'expression "{name}" refers to itself')
        expression = compile_expression(query.expression)
        for unknown in sorted(expression.names - self.queries.keys()):
            raise ExpressionError(f'no metric and no expression has the id "{unknown}"')
        self.path.append(name)
        for other in sorted(expression.names):
            self.node(other)
        computed = expression.bind(self)
        self.path.pop()
        slot = len(self.nodes)
        self.computed.append((slot, computed))
        self.nodes[name] = reader(slot, computed.kind, size=computed.size)
        return self.nodes[name]

    def metrics(self, part: str) -> list[Node]:
        """Return the metrics whose id contains a string, in the order of the queries."""
        return [
            self.nodes.get(query.id) or self._fetch(query)
            for query in self.queries.values()
            if query.stat is not None and part in query.id
        ]

    def _fetch(self, query: MetricQuery) -> Node:
        slot = len(self.nodes)
        self.fetched.append((slot, query))
        self.nodes[query.id] = reader(slot, Kind.SERIES, metric=True)
        return self.nodes[query.id]
