"""A trial of leaving consumers: what became of every message, and what had to wait."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from support.emulators.consumer_stage import Stage
from support.endurance.fleet import Fleet, Leaving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.emulators.ministack import Ministack

DRAIN_PATIENCE: Final = 600.0
"""Seconds for the queue to become empty at the end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to a fleet, between its begin and the leaving of all.

    Attributes:
        leaving: how consumers leave.
        happen: what happens meanwhile.
        size: how many consumers there are at a time.
        settings: the consumers' settings besides the fleet's.
        handler_seconds: how long a handler takes.
        backlog: how many messages are always visible.
    """

    leaving: Leaving
    happen: Callable[[Fleet], None]
    size: int = 4
    settings: dict[str, str] = field(default_factory=dict)
    handler_seconds: float = 0.2
    backlog: int = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial has shown.

    Attributes:
        stops: how many consumers have left.
        killed: how many of them the hook's end has killed.
        longest_leaving: seconds that the slowest one took to leave.
        sent: messages that were sent.
        handled_again: how often a handler has ended for a message that had been handled.
        cut_off: how often a handler has begun and not ended.
        waiting: messages that were in flight when all had left, so that nobody had them.
        waiting_seconds: until the last of these was visible.
        drained_seconds: from the leaving of all until other consumers had emptied the queue.
        longest: seconds from the sending of a message until it was handled, of the slowest one.
        ledger: the figures of the ledger.
    """

    stops: int
    killed: int
    longest_leaving: float
    sent: int
    handled_again: int
    cut_off: int
    waiting: int
    waiting_seconds: float
    drained_seconds: float
    longest: float
    ledger: dict[str, Any]

    @property
    def hidden_receives(self) -> int:
        """Return how many receives ended in nothing: their messages waited for the timeout."""
        return int(self.ledger["silent_receives"])


def run(server: Ministack, folder: Path, plan: Plan) -> Outcome:
    """Carry out a plan in a folder of its own, and return what it has shown."""
    folder.mkdir()
    stage = Stage(server, folder)
    with server.sqs() as sqs:
        fleet = Fleet(stage, sqs, plan.leaving, plan.settings, plan.handler_seconds, plan.backlog)
        with closing(fleet):
            fleet.begin(plan.size)
            plan.happen(fleet)
            fleet.leave()
            left_at = time.monotonic()
            stops, killed, longest = len(fleet.took), fleet.killed, max(fleet.took)
            waiting = fleet.counts()[1]
            _wait(lambda: fleet.counts()[1] == 0)
            visible_at = time.monotonic()
            _finish(fleet, plan.size)
            drained_at = time.monotonic()
        notes = fleet.notes()
        return Outcome(
            stops=stops,
            killed=killed,
            longest_leaving=longest,
            sent=len(fleet.sent),
            handled_again=_again(notes),
            cut_off=sum(what == "begun" for what, _, _ in notes)
            - sum(what == "ended" for what, _, _ in notes),
            waiting=waiting,
            waiting_seconds=visible_at - left_at if waiting else 0.0,
            drained_seconds=drained_at - left_at,
            longest=_longest(fleet.sent, notes),
            ledger=fleet.account(),
        )


def _finish(fleet: Fleet, size: int) -> None:
    """Let new consumers empty the queue; these always leave in order."""
    fleet.leaving = Leaving(drained=True)
    for _ in range(size):
        fleet.launch()
    _wait(lambda: fleet.counts() == (0, 0))
    fleet.leave()


def _wait(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DRAIN_PATIENCE
    while not true():
        assert time.monotonic() < deadline, "the queue does not become empty"
        time.sleep(0.1)


def _again(notes: list[tuple[str, str, float]]) -> int:
    ended = Counter(message_id for what, message_id, _ in notes if what == "ended")
    return sum(number - 1 for number in ended.values())


def _longest(sent: dict[str, float], notes: list[tuple[str, str, float]]) -> float:
    first: dict[str, float] = {}
    for what, message_id, at in notes:
        if what == "ended":
            first.setdefault(message_id, at)
    return max(at - sent[message_id] for message_id, at in first.items())
