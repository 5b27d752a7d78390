"""Expressions of CloudWatch metric math: a text is compiled once into a function of its series."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

from lark import Token, Tree

from tidemill.scaling.metric_math.arrays import gather
from tidemill.scaling.metric_math.functions import FUNCTIONS, Function, Parameter
from tidemill.scaling.metric_math.grammar import (
    METRICS,
    SPELLINGS,
    arguments_of,
    parse,
    quoted,
    trees_in,
)
from tidemill.scaling.metric_math.operators import SIGNS, combine
from tidemill.scaling.metric_math.values import ExpressionError, Frame, Kind, Node, Number, literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.scaling.metrics.store import Series


class Scope(Protocol):
    """Port to the metrics and expressions that the names in an expression refer to."""

    def node(self, name: str) -> Node | None:
        """Return the node of a metric or of another expression, None if there is no such id."""
        ...

    def metrics(self, part: str) -> list[Node]:
        """Return the metrics (no expressions) whose id contains a string."""
        ...


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; `names` are the ids of the metrics and expressions it reads."""

    text: str
    names: frozenset[str]
    _tree: Tree[Token] = field(repr=False, compare=False)

    def bind(self, scope: Scope) -> Node:
        """Return the node that computes the expression.

        Raises:
            ExpressionError: an id is unknown, or an argument is of the wrong kind.
        """
        try:
            return _bind(self._tree, scope)
        except ExpressionError as error:
            raise ExpressionError(f"{str(error).rstrip(',')} in {quoted(self.text)}") from None

    def evaluate(
        self,
        series: Mapping[str, Series],
        results: Mapping[str, Series | Number] | None = None,
        start: float = 0.0,
        period: int = 60,
    ) -> Series | Number:
        """Return the expression's series, or its number if it uses no series.

        Args:
            series: the finite points of every metric by id, all of one length.
            results: the results of other expressions; METRICS() leaves these out.
            start: when the first period begins, in epoch seconds.
            period: the length of each period in seconds.

        Raises:
            ExpressionError: an id is unknown, an argument is of the wrong kind, or the
                expression gives several series.
        """
        known = {**(results or {}), **series}
        scope = Slots(tuple(known), known, frozenset(series))
        node = only_one(self.bind(scope), self.text)
        length = max((len(points) for points in series.values()), default=0)
        result = node.run(Frame(start, period, length, list(known.values())))
        return cast("Series | Number", result)


@dataclass(frozen=True, slots=True)
class Slots:
    """A scope of named values: a name's slot is its position in `order`.

    `values` has the values by name, and `series` the names of the metrics.
    """

    order: tuple[str, ...]
    values: Mapping[str, object]
    series: frozenset[str]

    def node(self, name: str) -> Node | None:
        """Return a node that reads the value of this name."""
        if name not in self.values:
            return None
        kind = Kind.SERIES if isinstance(self.values[name], tuple) else Kind.NUMBER
        return reader(self.order.index(name), kind, metric=name in self.series)

    def metrics(self, part: str) -> list[Node]:
        """Return the series whose names contain a string."""
        return [
            reader(slot, Kind.SERIES, metric=True)
            for slot, name in enumerate(self.order)
            if name in self.series and part in name
        ]


def reader(slot: int, kind: Kind, *, metric: bool = False, size: int = 1) -> Node:
    """Return a node that reads a value of the frame."""
    return Node(kind, lambda frame: frame.values[slot], size, metric=metric)


def only_one(node: Node, text: str) -> Node:
    """Return the node; an array of one series becomes this series.

    Raises:
        ExpressionError: there may be several series.
    """
    if node.kind is not Kind.ARRAY:
        return node
    if node.size > 1:
        raise ExpressionError(
            f"an array of {node.size} series, but an alarm watches one, in {quoted(text)}"
        )
    return FUNCTIONS["FIRST"].build(node)


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Expression:
    """Return the expression of a text of metric math.

    Raises:
        ExpressionError: the text is not metric math, or uses a feature that is not modelled.
    """
    tree = parse(text)
    names = frozenset(str(found.children[0]) for found in tree.find_data("name"))
    return Expression(text, names, tree)


def _bind(tree: Tree[Token], scope: Scope) -> Node:
    """Return the node of this part of the expression."""
    match tree.data, tree.children:
        case "number", [Token() as number]:
            node = literal(float(number))
        case "name", [Token() as name]:
            node = _known(str(name), scope)
        case "binary", [Tree() as left, Token() as sign, Tree() as right]:
            operator = SPELLINGS.get(sign, str(sign))
            node = combine(operator, _bind(left, scope), _bind(right, scope))
        case "sign", [Token() as sign, Tree() as operand]:
            node = SIGNS[str(sign)](_bind(operand, scope))
        case "array", [Tree() as items]:
            node = gather([_bind(item, scope) for item in trees_in(items)])
        case "call", [Token() as name, *_] if name == METRICS:
            node = _metrics([str(word.children[0])[1:-1] for word in arguments_of(tree)], scope)
        case "call", [Token() as name, *_]:
            node = _call(str(name), FUNCTIONS[name], list(arguments_of(tree)), scope)
        case _:
            raise AssertionError(tree)  # the grammar has no other rule
    return node


def _known(name: str, scope: Scope) -> Node:
    node = scope.node(name)
    if node is None:
        raise ExpressionError(f'unknown id "{name}"')
    return node


def _call(name: str, function: Function, arguments: list[Tree[Token]], scope: Scope) -> Node:
    values: list[Node | str] = []
    for position, argument in enumerate(arguments):
        parameter = function.parameters[position]
        if argument.data == "word":
            values.append(str(argument.children[0]))
            continue
        node = _bind(argument, scope)
        _expect(name, parameter, node, position if len(function.parameters) > 1 else None)
        values.append(node)
    return function.build(*values)


def _expect(name: str, parameter: Parameter, node: Node, position: int | None) -> None:
    if node.kind not in parameter.kinds:
        which = "" if position is None else f" as argument {position + 1}"
        raise ExpressionError(f"{name} takes {parameter}{which}, not {node.kind},")


def _metrics(strings: list[str], scope: Scope) -> Node:
    """Return METRICS: the series of all metrics, or of those whose ids contain a string."""
    part = strings[0] if strings else ""
    found = scope.metrics(part)
    if not found:
        raise ExpressionError(f'METRICS("{part}") matches no metric')
    return gather(found)
