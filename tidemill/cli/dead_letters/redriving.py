"""One redrive: its passes over the queue, its journal, and its report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from shared.errors import QueueError
from tidemill.cli.dead_letters.output import counted
from tidemill.cli.options import print_json
from tidemill.dead_letters.errors import DeadLetterError
from tidemill.dead_letters.journal import opened_journal
from tidemill.dead_letters.letter import entry_of
from tidemill.dead_letters.moving import Mover, Order
from tidemill.dead_letters.pace import Pace, SystemClock
from tidemill.dead_letters.sweep import HIDE_SECONDS, Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from shared.queue import OutgoingEntry, SqsQueue
    from tidemill.cli.dead_letters.session import Session
    from tidemill.dead_letters.letter import Letter
    from tidemill.dead_letters.moving import Moved
    from tidemill.dead_letters.selection import Selection

RETRY_SECONDS: Final = 2.0
"""Seconds between two looks for letters that somebody hides."""

MARGIN_SECONDS: Final = 5.0
SHOWN: Final = 20
"""Ids in a sentence."""

WRONG: Final = 1


class Redrive:
    """Moves letters to a target, in as many passes as it takes."""

    def __init__(
        self, session: Session, target: SqsQueue, journal: Path | None, rate: float | None
    ) -> None:
        """Keep account in the journal, by default a file in this folder, deleted at the end."""
        self.target = target
        self._session = session
        self._queue = session.place.queue
        self._named = journal is not None
        name = self._queue.url.rsplit("/", 1)[-1]
        self._path = journal or Path(f"redrive-{name}.jsonl")
        self._rate = rate
        self._moved: Moved | None = None
        self._problem: Exception | None = None

    def entry(self, letter: Letter) -> OutgoingEntry:
        """Return the letter as a message for the target."""
        return entry_of(letter, fifo=self.target.fifo)

    def all(self) -> None:
        """Move every letter."""
        self.move(Order(lambda _letter: True, self.entry))

    def selected(self, selection: Selection) -> None:
        """Move the letters that are selected, in FIFO queues also those that come up behind."""

        def passes(move: Callable[[Order], None]) -> None:
            done: set[str] = set()
            while True:
                found = self._session.find_again(selection)
                ids = frozenset(letter.id for letter in found) - done
                if not ids or self._session.stop.requested():
                    return
                move(Order(_among(ids), self.entry, ids))
                done |= ids
                if not self._queue.fifo:
                    return

        self._run(passes)

    def move(self, order: Order) -> None:
        """Move the letters of one order."""
        self._run(lambda move: move(order))

    def report(self, *, as_json: bool) -> None:
        """Say what was done, and end the command with its exit code.

        Raises:
            DeadLetterError: SQS or the journal has ended the run.
            typer.Exit: a signal has, or something could not be done.
        """
        moved = self._moved
        if moved is not None:
            if as_json:
                print_json(_record(moved))
            else:
                for line in _sentences(moved):
                    typer.echo(line)
        whole = moved is not None and moved.whole and self._problem is None
        stopped = self._session.stop.requested()
        if whole and not stopped and not self._named:
            self._path.unlink(missing_ok=True)
        elif not whole or stopped:
            typer.echo(
                f"to go on, give the same command again; the journal is {self._path}", err=True
            )
        self._session.check_stop()
        if self._problem is not None:
            raise DeadLetterError(str(self._problem)) from self._problem
        if not whole:
            raise typer.Exit(WRONG)

    def _run(self, passes: Callable[[Callable[[Order], None]], None]) -> None:
        stop, clock = self._session.stop, SystemClock()
        with opened_journal(self._path, self._queue.url, self.target.url) as journal:
            mover = Mover(self.target, journal, Pace(self._rate, clock, stop), clock, stop)
            self._moved = mover.result
            stop.install(twice=True)
            try:
                passes(lambda order: self._move_patiently(mover, order))
                if mover.result.whole and not stop.requested():
                    journal.finish()
            except (QueueError, DeadLetterError) as error:
                self._problem = error
            finally:
                stop.restore()

    def _move_patiently(self, mover: Mover, order: Order) -> None:
        """Move, and wait for letters that a reader hides, or a run that was killed."""
        stop = self._session.stop
        deadline = time.monotonic() + HIDE_SECONDS + MARGIN_SECONDS
        said = False
        while True:
            mover.run(Sweep(self._queue, stop), order)
            missing = order.ids is None or order.ids - mover.settled - mover.result.held_back
            if not missing or stop.requested() or time.monotonic() > deadline:
                return
            hidden = self._session.place.counts().hidden
            if not hidden:
                return
            if not said:
                typer.echo(
                    f"{hidden} letters are hidden, by a reader or by a run that was killed: "
                    f"waiting for them, up to {HIDE_SECONDS} s",
                    err=True,
                )
                said = True
            stop.wait(RETRY_SECONDS)


def confirmed(question: str, *, yes: bool) -> None:
    """Return if the user agrees.

    Raises:
        DeadLetterError: the user does not, or there is nobody to ask.
    """
    try:
        agreed = yes or typer.confirm(question, err=True)
    except typer.Abort:  # the input has ended, or Ctrl-C
        agreed = False
    if not agreed:
        raise DeadLetterError("not confirmed: nothing was sent or deleted")


def _among(ids: frozenset[str]) -> Callable[[Letter], bool]:
    return lambda letter: letter.id in ids


def _sentences(moved: Moved) -> list[str]:
    lines = [f"sent {counted(len(moved.moved))}, deleted {_deleted(moved)} of them"]
    if len(moved.moved) <= SHOWN:
        lines += [f"  {old} is now {new}" for old, new in moved.moved.items()]
    for ids, sentence in (
        (moved.not_deleted, "sent, but not deleted here yet"),
        (moved.perhaps_twice, "perhaps twice in the target, as an answer of SQS was lost"),
        (moved.unanswered, "perhaps in the target, as there was no answer of SQS"),
        (moved.gone, "no dead letters any more, after a request without an answer"),
        (moved.held_back, "held back, since one before them in their group was not sent"),
        (moved.returned, "dead letters again since this run sent them, so not sent again"),
    ):
        if ids:
            lines.append(f"{len(ids)} {sentence}: {_ids(ids)}")
    lines += [f"refused: {name}: {reason}" for name, reason in sorted(moved.refused.items())]
    return lines


def _record(moved: Moved) -> dict[str, object]:
    return {
        "sent": moved.moved,
        "deleted": _deleted(moved),
        "notDeleted": sorted(moved.not_deleted),
        "perhapsTwice": sorted(moved.perhaps_twice),
        "unanswered": sorted(moved.unanswered),
        "gone": sorted(moved.gone),
        "heldBack": sorted(moved.held_back),
        "returned": sorted(moved.returned),
        "refused": moved.refused,
    }


def _deleted(moved: Moved) -> int:
    return len(moved.moved.keys() - moved.not_deleted)


def _ids(ids: Collection[str]) -> str:
    shown = ", ".join(sorted(ids)[:SHOWN])
    return shown if len(ids) <= SHOWN else f"{shown} and {len(ids) - SHOWN} more"
