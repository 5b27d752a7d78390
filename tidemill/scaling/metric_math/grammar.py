"""Grammar of CloudWatch metric math: parses a text into a tree; errors name the column."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from tidemill.scaling.metric_math.functions import FUNCTIONS, REFUSED
from tidemill.scaling.metric_math.values import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator

# AWS publishes no precedence; this is the usual one: 2^3^2 is 2^(3^2), and -2^2 is -(2^2).
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
METRICS = "METRICS"
SPELLINGS = {"&&": "AND", "||": "OR"}
_DEEPEST = 200
"""The greatest depth of a tree. This is no rule of CloudWatch: an expression of 2,048 minus signs
would exceed Python's recursion limit."""
_CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_OPERATOR_WORDS = {"AND", "OR", "NOT"}
_INSIGHTS = re.compile(r"\s*SELECT\b", re.IGNORECASE)


def parse(text: str) -> Tree[Token]:
    """Return the tree of an expression.

    Raises:
        ExpressionError: the text is not metric math, or uses a feature that is not modelled.
    """
    if is_insights_query(text):
        raise ExpressionError(
            "a Metrics Insights query is not modelled: give the alarm the metric itself, in "
            + quoted(text)
        )
    for called in _CALLED.finditer(_without_strings(text)):
        _check_name(called.group(1), text, called.start())
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise ExpressionError(_syntax(error, text)) from None
    _check(tree, text)
    return tree


def is_insights_query(text: str) -> bool:
    """Return whether an alarm's Expression is a query of Metrics Insights rather than math."""
    return _INSIGHTS.match(text) is not None


def at(problem: str, text: str, position: int | None) -> str:
    """Return the problem with the column where it is, counted from 1."""
    return f"{problem} at column {(position or 0) + 1} of {quoted(text)}"


def quoted(text: str) -> str:
    """Return the expression for a message of one line, with its columns kept."""
    return '"' + re.sub(r"\s", " ", text) + '"'


def arguments_of(call: Tree[Token]) -> Iterator[Tree[Token]]:
    """Yield the arguments of a function's call."""
    for part in call.children[1:]:
        if isinstance(part, Tree):
            yield from trees_in(part)


def trees_in(part: Tree[Token]) -> list[Tree[Token]]:
    """Return the parts of a tree that are trees themselves."""
    return [child for child in part.children if isinstance(child, Tree)]


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)


def _without_strings(text: str) -> str:
    """Return the text with its strings blanked, columns kept."""
    return re.sub(r"\"[^\"]*\"|'[^']*'", lambda found: " " * len(found.group()), text)


def _check_name(name: str, text: str, position: int) -> None:
    if name in FUNCTIONS or name in _OPERATOR_WORDS or name == METRICS:
        return
    problem = f"unknown function {name}"
    if name in REFUSED:
        problem = f"{name} cannot be used ({REFUSED[name]})"
    elif name.upper() in FUNCTIONS or name.upper() == METRICS:
        problem += f" (functions are written in capitals: {name.upper()})"
    raise ExpressionError(at(problem, text, position))


def _syntax(error: UnexpectedInput, text: str) -> str:
    token = getattr(error, "token", None)
    if isinstance(token, Token) and token.type == "$END":
        return at("unexpected end", text, len(text))
    position = error.pos_in_stream or 0
    return at(f"unexpected {text[position]!r}", text, position)


def _check(tree: Tree[Token], text: str, words: tuple[str, ...] = (), depth: int = 0) -> None:
    """Check everything that does not depend on the metrics.

    Raises:
        ExpressionError: a word or a string is used as a value, a function has too many or too few
            arguments, a number is too large, or the expression is nested too deeply.
    """
    if depth > _DEEPEST:
        raise ExpressionError(f"more than {_DEEPEST} levels of nesting in {quoted(text)}")
    match tree.data, tree.children:
        case (("word" | "string"), [Token() as stray]) if stray not in words:
            raise ExpressionError(at(f"unexpected {stray}", text, stray.start_pos))
        case "number", [Token() as number] if not math.isfinite(float(number)):
            raise ExpressionError(at(f"the number {number} is too large", text, number.start_pos))
        case "call", [Token() as name, *_] if name == METRICS:
            arguments = list(arguments_of(tree))
            if len(arguments) > 1 or any(argument.data != "string" for argument in arguments):
                raise ExpressionError(at("METRICS takes one string", text, name.start_pos))
        case "call", [Token() as name, *_]:
            _check_call(name, list(arguments_of(tree)), text, depth)
        case _:
            for child in trees_in(tree):
                _check(child, text, depth=depth + 1)


def _check_call(name: Token, arguments: list[Tree[Token]], text: str, depth: int) -> None:
    function = FUNCTIONS.get(name)
    if function is None:  # NOT, AND or OR where no operator can stand
        raise ExpressionError(at(f"unexpected {name}", text, name.start_pos))
    most = len(function.parameters)
    if not function.least <= len(arguments) <= most:
        counts = " or ".join(str(number) for number in range(function.least, most + 1))
        hint = " (several series make one argument as [m1, m2])" if most == 1 else ""
        problem = f"{name} has {len(arguments)} arguments, but takes {counts}{hint},"
        raise ExpressionError(at(problem, text, name.start_pos))
    for parameter, argument in zip(function.parameters, arguments, strict=False):
        _check(argument, text, parameter.words, depth + 1)
        if not parameter.kinds and argument.data != "word":
            problem = f"{name} takes {parameter} here"
            raise ExpressionError(at(problem, text, name.start_pos))
