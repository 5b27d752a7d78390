"""Difference: what one version of a template allows that another does not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tidemill.iam.grants import ALLOW, Grant

if TYPE_CHECKING:
    from collections.abc import Iterable

NOT = "not "


class Verdict(StrEnum):
    """What a change means: WIDER lets somebody do more; SAME changes words only."""

    WIDER = "wider"
    NARROWER = "narrower"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Change:
    """A grant that only one version has; `added` is True if that is the new one."""

    grant: Grant
    added: bool
    verdict: Verdict


def difference(old: set[Grant], new: set[Grant]) -> list[Change]:
    """Return the changes from old to new, by subject.

    An allowed action is wider unless the old version covers it, such as by a wildcard. A removed
    denial or boundary is wider, too. What cannot be decided counts as wider.
    """
    changes = [
        *(Change(grant, added=False, verdict=_removed(grant, new)) for grant in old - new),
        *(Change(grant, added=True, verdict=_added(grant, old)) for grant in new - old),
    ]
    return sorted(changes, key=lambda change: (change.grant, change.added))


def _added(grant: Grant, old: Iterable[Grant]) -> Verdict:
    if _covered(grant, old):
        return Verdict.SAME
    return Verdict.WIDER if grant.effect == ALLOW else Verdict.NARROWER


def _removed(grant: Grant, new: Iterable[Grant]) -> Verdict:
    if _covered(grant, new):
        return Verdict.SAME
    return Verdict.NARROWER if grant.effect == ALLOW else Verdict.WIDER


def _covered(grant: Grant, others: Iterable[Grant]) -> bool:
    return any(covers(other, grant) for other in others if other.subject == grant.subject)


def covers(one: Grant, other: Grant) -> bool:
    """Return whether a grant surely includes another: it has the same or fewer limits."""
    return (
        (one.subject, one.effect) == (other.subject, other.effect)
        and _includes(one.principal, other.principal)
        and _includes(one.action.lower(), other.action.lower())
        and _includes(one.resource, other.resource)
        and one.condition in {"", other.condition}
        and set(_parts(one.present)) <= set(_parts(other.present))
    )


def _includes(pattern: str, text: str) -> bool:
    """Return whether a text with wildcards includes another ("IAM JSON policy elements")."""
    if pattern == text:
        return True
    if pattern.startswith(NOT) or text.startswith(NOT) or "*" not in pattern:
        return False
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, flags=re.DOTALL) is not None


def _parts(present: str) -> list[str]:
    return present.split(" and ") if present else []
