"""CloudWatch metric math expressions, compiled once into functions of their series."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from tidemill.scaling.metric_math import (
    FUNCTIONS,
    OPERATORS,
    REFUSED,
    SIGNS,
    ExpressionError,
    Value,
)

if TYPE_CHECKING:
    from tidemill.scaling.metrics import Series

__all__ = ["Expression", "ExpressionError", "compile_expression"]

# AWS publishes no precedence; this is the usual one, with ^ from the right and above the sign.
_GRAMMAR = r"""
?start: or
?or: and | or OR and -> binary
?and: not | and AND not -> binary
?not: comparison | NOT not -> sign
?comparison: sum | comparison COMPARE sum -> binary
?sum: product | sum (PLUS | MINUS) product -> binary
?product: signed | product (TIMES | DIVIDE) signed -> binary
?signed: power | MINUS signed -> sign
?power: atom | atom POWER signed -> binary
?atom: NUMBER -> number
     | NAME -> name
     | WORD -> word
     | STRING -> string
     | WORD "(" arguments? ")" -> call
     | "[" arguments "]" -> array
     | "(" or ")"
arguments: or ("," or)*

OR.2: /OR\b/ | "||"
AND.2: /AND\b/ | "&&"
NOT.2: /NOT\b/
COMPARE: "==" | "!=" | "<=" | ">=" | "<" | ">"
PLUS: "+"
MINUS: "-"
TIMES: "*"
DIVIDE: "/"
POWER: "^"
NAME: /[a-z][A-Za-z0-9_]*/
WORD: /[A-Z][A-Za-z0-9_]*/
NUMBER: /(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/
STRING: /"[^"]*"|'[^']*'/
%ignore /\s+/
"""
_CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_OPERATOR_WORDS = {"AND", "OR", "NOT"}
_SPELLINGS = {"&&": "AND", "||": "OR"}


@dataclass(frozen=True, slots=True)
class _Inputs:
    series: Mapping[str, Series]
    results: Mapping[str, Series | float]


_Node = Callable[[_Inputs], Value]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; `names` are the ids of the metrics and expressions it reads."""

    text: str
    names: frozenset[str]
    _node: _Node = field(repr=False, compare=False)

    def evaluate(
        self,
        series: Mapping[str, Series],
        results: Mapping[str, Series | float] | None = None,
    ) -> Series | float:
        """Return the expression's series, or its number where it has no series to give.

        Args:
            series: the points of every metric of the alarm by id, all of one length.
            results: what other expressions of the alarm gave; METRICS() leaves these out.

        Raises:
            ExpressionError: an id is unknown, an argument is of the wrong kind, or the
                expression gives several series.
        """
        inputs = _Inputs(series, results or {})
        try:
            value = self._node(inputs)
        except ArithmeticError:
            return (None,) * max((len(points) for points in series.values()), default=0)
        except ExpressionError as error:
            raise ExpressionError(f"{error} in {_quoted(self.text)}") from None
        if not isinstance(value, list):
            return value
        if len(value) == 1:
            return value[0]
        raise ExpressionError(
            f"an array of {len(value)} series, where an alarm watches one, in {_quoted(self.text)}"
        )


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Expression:
    """Return the expression that this text of metric math means.

    Raises:
        ExpressionError: the text is not metric math, or uses what is not modelled.
    """
    for called in _CALLED.finditer(text):
        _check_function(called.group(1), text, called.start() + 1)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise ExpressionError(_syntax(error, text)) from None
    names = frozenset(str(found.children[0]) for found in tree.find_data("name"))
    return Expression(text, names, _compile(tree, text))


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)


def _compile(tree: Tree[Token], text: str) -> _Node:
    """Return a function that computes this part of the expression."""
    match tree.data, tree.children:
        case "number", [Token() as number]:
            constant = float(number)
            return lambda _: constant
        case "name", [Token() as name]:
            return _reader(str(name))
        case "binary", [Tree() as left, Token() as sign, Tree() as right]:
            apply = OPERATORS[_SPELLINGS.get(sign, str(sign))]
            first, second = _compile(left, text), _compile(right, text)
            return lambda inputs: apply(first(inputs), second(inputs))
        case "sign", [Token() as sign, Tree() as operand]:
            change, inner = SIGNS[str(sign)], _compile(operand, text)
            return lambda inputs: change(inner(inputs))
        case "array", [Tree() as items]:
            return _array([_compile(item, text) for item in _trees(items)])
        case "call", [Token() as name, *rest]:
            return _call(name, [item for part in rest for item in _trees(part)], text)
        case _, [Token() as stray, *_]:
            raise ExpressionError(_at(f"unexpected {stray}", text, stray.start_pos))
    raise AssertionError(tree)  # the grammar has no other rule


def _call(name: Token, arguments: list[Tree[Token]], text: str) -> _Node:
    if name == "METRICS":
        return _metrics(name, arguments, text)
    function = FUNCTIONS[name]
    if not function.least <= len(arguments) <= function.most:
        counts = " or ".join(str(n) for n in range(function.least, function.most + 1))
        hint = " (several series make one argument as [m1, m2])" if function.most == 1 else ""
        problem = f"{name} with {len(arguments)} arguments, where it takes {counts}{hint},"
        raise ExpressionError(_at(problem, text, name.start_pos))
    call = function.call
    last = arguments[-1]
    word = str(last.children[0])
    if last.data == "word" and word in function.words:
        (value,) = (_compile(argument, text) for argument in arguments[:-1])
        return lambda inputs: call(value(inputs), word)
    nodes = [_compile(argument, text) for argument in arguments]
    return lambda inputs: call(*[node(inputs) for node in nodes])


def _metrics(name: Token, arguments: list[Tree[Token]], text: str) -> _Node:
    """Return METRICS: the series of all metrics, or of those whose id holds a string."""
    part = ""
    if arguments:
        (argument, *more) = arguments
        if more or argument.data != "string":
            raise ExpressionError(_at("METRICS takes one string", text, name.start_pos))
        part = str(argument.children[0])[1:-1]

    def found(inputs: _Inputs) -> Value:
        chosen = [points for key, points in inputs.series.items() if part in key]
        if not chosen:
            raise ExpressionError(f'METRICS("{part}") finds no metric')
        return chosen

    return found


def _array(nodes: list[_Node]) -> _Node:
    def gather(inputs: _Inputs) -> Value:
        gathered: list[Series] = []
        for node in nodes:
            value = node(inputs)
            if not isinstance(value, list | tuple):
                raise ExpressionError("an array holds series, not numbers,")
            gathered.extend(value if isinstance(value, list) else [value])
        return gathered

    return gather


def _reader(name: str) -> _Node:
    def read(inputs: _Inputs) -> Value:
        if name in inputs.series:
            return inputs.series[name]
        if name in inputs.results:
            return inputs.results[name]
        raise ExpressionError(f'unknown id "{name}"')

    return read


def _check_function(name: str, text: str, column: int) -> None:
    if name in FUNCTIONS or name in _OPERATOR_WORDS or name == "METRICS":
        return
    problem = f"unknown function {name}"
    if name in REFUSED:
        problem = f"{name} cannot be used ({REFUSED[name]})"
    elif name.upper() in FUNCTIONS:
        problem += f" (functions are written in capitals: {name.upper()})"
    raise ExpressionError(_at(problem, text, column - 1))


def _syntax(error: UnexpectedInput, text: str) -> str:
    token = getattr(error, "token", None)
    if isinstance(token, Token) and token.type == "$END":
        return _at("unexpected end", text, len(text))
    position = error.pos_in_stream or 0
    return _at(f"unexpected {text[position]!r}", text, position)


def _trees(part: Tree[Token] | Token) -> list[Tree[Token]]:
    return [child for child in getattr(part, "children", []) if isinstance(child, Tree)]


def _at(problem: str, text: str, position: int | None) -> str:
    return f"{problem} at column {(position or 0) + 1} of {_quoted(text)}"


def _quoted(text: str) -> str:
    """Return the expression for a message of one line, with its columns kept."""
    return '"' + re.sub(r"\s", " ", text) + '"'
