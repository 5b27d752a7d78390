"""What a rule is, and what one finds: frozen data without any logic but their order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tidemill.lint.linted_fleet import LintedFleet


class Severity(StrEnum):
    """How bad a finding is; these are SARIF's levels too. A note never fails a run."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule sees: a sentence, and the place.

    `at` is a logical id and the steps below that resource, such as ("Jobs", "Properties",
    "VisibilityTimeout"). Without a `severity` it is the rule's.
    """

    what: str
    at: tuple[str, ...]
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its texts, and the check that yields its faults.

    `violation` says in a few words what the rule finds, `why` what comes of it, `page` the AWS page
    that says so, `fix` what to do.
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
