"""Blame: which of the messages that a worker process had in hand pays for its end. Pure.

Only what a handler had begun can have caused the end. If that was one message, it pays with an
attempt. If there were several, in threads or in one batch, nobody can say which of them it was, so
each is run again alone in a process, where only the culprit ends it once more.

A time limit is a message's own, and the message that exceeds it pays, unless the process did not
answer any more: then a neighbour may have held the interpreter, and with it every other thread. The
messages of one batch have one limit, so they are run again alone, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class Begun:
    """What handlers had begun, as slots: all of them, and those beyond their time limit.

    `calls` is in how many calls of the handler they were; `answered` whether the process still
    answered when it was killed.
    """

    slots: Collection[int]
    overdue: Collection[int]
    calls: int
    answered: bool


@dataclass(frozen=True, slots=True)
class Blame:
    """Who pays, as slots: those that crashed or timed out, and those that are run again alone."""

    crashed: frozenset[int] = frozenset()
    timed_out: frozenset[int] = frozenset()
    alone: frozenset[int] = frozenset()


def of_death(slots: Collection[int]) -> Blame:
    """Return who pays for an end that nobody asked for."""
    if len(slots) == 1:
        return Blame(crashed=frozenset(slots))
    return Blame(alone=frozenset(slots))


def of_kill(begun: Begun) -> Blame:
    """Return who pays for a process that was killed because a message exceeded its limit.

    Three threads, one message beyond its limit: that one has timed out, two are run again alone.
    """
    slots, overdue = frozenset(begun.slots), frozenset(begun.overdue)
    in_batch = len(slots) > begun.calls
    if len(slots) == 1 or (begun.answered and not in_batch):
        return Blame(timed_out=overdue, alone=slots - overdue)
    return Blame(alone=slots)
