"""The policies of the template's resources, resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.aws_rules.iam import Statement

    from tidemill.scaling.template.resolver import Resolver


def statements_in(part: object) -> Iterator[Statement]:
    """Yield the policy statements anywhere in a part of a template."""
    if isinstance(part, dict):
        if "Effect" in part:
            yield part
        for value in part.values():
            yield from statements_in(value)
    elif isinstance(part, list):
        for item in part:
            yield from statements_in(item)


def statements_of(template: Resolver, logical_id: str) -> list[Statement]:
    """Return the statements of a resource, resolved."""
    return list(statements_in(template.properties(logical_id)))


def policies(template: Resolver) -> dict[str, list[Statement]]:
    """Return the statements of every resource that has any and that is in the stack."""
    found = {
        name: statements_of(template, name)
        for name in template.template["Resources"]
        if template.exists(name)
    }
    return {name: statements for name, statements in found.items() if statements}
