"""Dead letters, and a program that redrives them, for tests in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.fakes.letters import START, Caller, Calls, LetterStore, Time

from shared.queue import ReceivedMessage
from tidemill.dead_letters.journal import opened_journal
from tidemill.dead_letters.letter import Letter, entry_of
from tidemill.dead_letters.moving import Moved, Mover, Order
from tidemill.dead_letters.pace import Pace
from tidemill.dead_letters.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEAD = "https://sqs.eu-west-1.amazonaws.com/1/dead"
WORK = "https://sqs.eu-west-1.amazonaws.com/1/work"


def received(  # noqa: PLR0913 - each is a property of a message
    name: str = "a",
    body: str = "{}",
    *,
    sent_at: float = START - 3_600,
    group: str | None = None,
    attributes: dict[str, str | bytes] | None = None,
    types: dict[str, str] | None = None,
    system: dict[str, str] | None = None,
) -> ReceivedMessage:
    """Return a message as it was received."""
    known = dict(system or {})
    if group is not None:
        known["MessageGroupId"] = group
    return ReceivedMessage(
        name, f"{name}#1", body, 4, sent_at, attributes or {}, types or {}, known
    )


def a_letter(name: str = "a", body: str = "{}", **fields: object) -> Letter:
    """Return a dead letter."""
    return Letter(received(name, body, **fields))  # type: ignore[arg-type]  # those of `received`


@dataclass
class Bench:
    """A dead-letter queue and its target, and programs that move letters from one to the other."""

    journal: Path
    fifo: bool = False
    time: Time = field(default_factory=Time)
    dead: LetterStore = field(init=False)
    work: LetterStore = field(init=False)

    def __post_init__(self) -> None:
        """Make both queues of one kind."""
        suffix = ".fifo" if self.fifo else ""
        self.dead = LetterStore(DEAD + suffix, self.time)
        self.work = LetterStore(WORK + suffix, self.time)

    def fill(self, count: int, groups: int = 3) -> list[str]:
        """Put dead letters into their queue; return their ids, which are their bodies, too."""
        ids = [f"letter-{number:02}" for number in range(count)]
        for number, name in enumerate(ids):
            group = f"g{number % groups}" if self.fifo else None
            self.dead.put(received(name, name, group=group))
        return ids

    def redrive(
        self,
        calls: Calls | None = None,
        wanted: Callable[[Letter], bool] = lambda _letter: True,
        rate: float | None = None,
    ) -> Moved:
        """Run one program, which may be killed or fail; return what it has done."""
        calls = calls or Calls()
        result = Moved()
        with opened_journal(self.journal, self.dead.url, self.work.url) as journal:
            pace = Pace(rate, self.time, self.time)
            mover = Mover(Caller(self.work, calls), journal, pace, self.time, self.time)
            result = mover.result
            sweep = Sweep(Caller(self.dead, calls), self.time)
            mover.run(sweep, Order(wanted, lambda one: entry_of(one, fifo=self.fifo)))
        return result
