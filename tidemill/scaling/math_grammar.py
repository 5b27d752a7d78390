"""The grammar of CloudWatch metric math: from text to a tree, with errors that name the column."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from lark import Lark, Token
from lark.exceptions import UnexpectedInput

from tidemill.scaling.math_values import ExpressionError
from tidemill.scaling.metric_math import FUNCTIONS, REFUSED

if TYPE_CHECKING:
    from lark import Tree

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
METRICS = "METRICS"
SPELLINGS = {"&&": "AND", "||": "OR"}
_CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_OPERATOR_WORDS = {"AND", "OR", "NOT"}
_INSIGHTS = re.compile(r"\s*SELECT\b", re.IGNORECASE)


def parse(text: str) -> Tree[Token]:
    """Return the tree of an expression.

    Raises:
        ExpressionError: the text is not metric math, or calls a function that is not modelled.
    """
    if is_insights_query(text):
        raise ExpressionError(
            "a Metrics Insights query is not modelled: give the alarm the metric itself, in "
            + quoted(text)
        )
    for called in _CALLED.finditer(_without_strings(text)):
        _check_name(called.group(1), text, called.start())
    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        raise ExpressionError(_syntax(error, text)) from None


def is_insights_query(text: str) -> bool:
    """Say whether an alarm's Expression is a query of Metrics Insights rather than math."""
    return _INSIGHTS.match(text) is not None


def at(problem: str, text: str, position: int | None) -> str:
    """Return the problem with the column where it is, counted from 1."""
    return f"{problem} at column {(position or 0) + 1} of {quoted(text)}"


def quoted(text: str) -> str:
    """Return the expression for a message of one line, with its columns kept."""
    return '"' + re.sub(r"\s", " ", text) + '"'


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
