"""docs/lint.md has every rule with the rule's own texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.builders.fleets import PRODUCT_TEMPLATE

from tidemill.lint.check import RULES

if TYPE_CHECKING:
    from tidemill.lint.finding import Rule

PAGE = PRODUCT_TEMPLATE.with_name("docs") / "lint.md"


def row(rule: Rule) -> str:
    """Return a rule's row in the table."""
    why = f"{rule.why} ({rule.page})"
    return f"| `{rule.id}` | {rule.severity} | {rule.problem} | {why} | {rule.fix} |"


def test_the_table_of_rules_is_theirs() -> None:
    """docs/lint.md has all rules, in their order and with their texts."""
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    assert rows == [row(rule) for rule in RULES]
