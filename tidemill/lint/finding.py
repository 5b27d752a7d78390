"""Rules and findings as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tidemill.lint.linted_fleet import LintedFleet


class Severity(StrEnum):
    """The severity of a finding, as in SARIF's levels; a note never fails a run."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Violation:
    """A violation that a rule has found: a sentence, and its place.

    `at` is a logical id and the keys below that resource, such as ("Jobs", "Properties",
    "VisibilityTimeout"). Without a `severity`, the severity of the rule applies.
    """

    what: str
    at: tuple[str, ...]
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its texts, and the check that yields its violations.

    `problem` names what the rule finds, `why` the consequence, `page` the AWS page about it, and
    `fix` the remedy.
    """

    id: str
    severity: Severity
    problem: str
    why: str
    page: str
    fix: str
    check: Callable[[LintedFleet], Iterable[Violation]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation of one rule at one place of the template; line and column count from 1."""

    rule: str
    severity: Severity
    what: str
    logical_id: str
    line: int
    column: int
    why: str
    page: str
    fix: str
