"""Whether IAM policies allow a call, by the rules that AWS publishes.

Rules: IAM user guide, "Policy evaluation logic", "IAM JSON policy elements: Condition operators".
The module knows the elements and operators that the product's template uses, and refuses others.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Statement = dict[str, Any]

KNOWN = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
"""Elements of a statement that this module evaluates."""


class Decision(StrEnum):
    """What policies decide about a call; only ALLOWED permits it."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not allowed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Call:
    """An API call: who makes it, the action as policies name it, the resource's ARN or `*`.

    `context` has the condition keys of the request, with their values.
    """

    principal: str
    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


def decide(statements: Iterable[Statement], call: Call) -> Decision:
    """Return the decision about the call: a denial overrides, and no statement means no permission.

    Raises:
        ValueError: this module does not know an element or a condition operator.
    """
    effects = {statement["Effect"] for statement in statements if matches(statement, call)}
    if "Deny" in effects:
        return Decision.DENIED
    return Decision.ALLOWED if "Allow" in effects else Decision.NOT_ALLOWED


def matches(statement: Statement, call: Call) -> bool:
    """Return whether a statement applies to the call; without Principal, to every caller."""
    if not statement.keys() <= KNOWN:
        raise ValueError(f"unknown elements in {statement}")
    return (
        _names_principal(statement.get("Principal", "*"), call.principal)
        and any(_like(each.lower(), call.action.lower()) for each in listed(statement["Action"]))
        and any(_like(arn, call.resource) for arn in listed(statement.get("Resource", "*")))
        and _conditions_hold(statement.get("Condition", {}), dict(call.context))
    )


def grants(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield each permission: one action, one resource, one value of each condition."""
    for statement in statements:
        if statement["Effect"] != "Allow":
            continue
        conditions = [
            [(operator, key, value) for value in listed(values)]
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        ]
        for action, resource, *chosen in itertools.product(
            listed(statement["Action"]), listed(statement.get("Resource", "*")), *conditions
        ):
            condition: dict[str, dict[str, str]] = {}
            for operator, key, value in chosen:
                condition.setdefault(operator, {})[key] = value
            yield {**statement, "Action": action, "Resource": resource, "Condition": condition}


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - policies write one value or several
    """Return a value that may be one or several as a list."""
    return value if isinstance(value, list) else [value]


def _names_principal(named: Any, principal: str) -> bool:  # noqa: ANN401 - text or a mapping
    if named == "*":
        return True
    return any(principal in listed(values) for values in named.values())


def _conditions_hold(conditions: Statement, context: dict[str, str]) -> bool:
    """Return whether all conditions hold; one whose key is not in the request does not hold."""
    return all(
        key in context and any(_holds(operator, value, context[key]) for value in listed(values))
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _holds(operator: str, value: str, given: str) -> bool:
    match operator:
        case "StringEquals":
            return given == value
        case "Bool":
            return given.lower() == value.lower()
        case "ArnLike":
            parts, wanted = given.split(":", 5), value.split(":", 5)
            return len(parts) == len(wanted) and all(map(_like, wanted, parts))
    raise ValueError(f"unknown condition operator {operator}")


def _like(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern with `*` and `?`."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text) is not None
