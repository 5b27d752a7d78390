"""Moving letters to another queue: send, then delete; no end of the process loses one.

A letter is deleted only after SQS has confirmed that its copy is in the target. What a process that
is killed leaves behind is one of three things. A letter that was not sent is visible again after
half a minute at most. One that was sent and not deleted is in the journal, and the next run only
deletes it. One whose request had no answer yet is sent again; if SQS had taken the first copy, the
target has two, which the run says (a FIFO queue drops the second one within five minutes).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from shared.entry_batches import batches, size
from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.quotas import MAX_BATCH
from tidemill.dead_letters.patience import ATTEMPTS, pause_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from shared.queue import OutgoingEntry, SendBatchResult
    from shared.stopping import Stop
    from tidemill.dead_letters.journal import Journal
    from tidemill.dead_letters.letter import Letter
    from tidemill.dead_letters.pace import Clock, Pace
    from tidemill.dead_letters.sweep import Sweep

DEDUPLICATION_SECONDS: Final = 300
"""How long a FIFO queue knows a deduplication id ("Exactly-once processing in Amazon SQS")."""


class Target(Protocol):
    """The queue that gets the letters."""

    url: str
    fifo: bool

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Send up to ten messages."""
        ...


@dataclass(slots=True)
class Moved:
    """What a run has done.

    Attributes:
        moved: ids of letters that are in the target, with their new ids.
        not_deleted: those of them that could not be deleted: the next run does only that.
        perhaps_twice: ids of letters of which the target may have two copies, from runs that this
            one resumes as well.
        unanswered: ids of letters that SQS may have taken: the next run sends them again.
        gone: ids of letters that had no answer and are no dead letters now: one copy was taken.
        refused: ids of letters that the target refuses, with the reason; they stay.
        held_back: ids of letters that stay because one before them in their group was not sent.
        returned: ids of letters that this run had sent and that are dead letters again.
    """

    moved: dict[str, str] = field(default_factory=dict)
    not_deleted: set[str] = field(default_factory=set)
    perhaps_twice: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    held_back: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)

    @property
    def whole(self) -> bool:
        """Return whether everything that was wanted is done."""
        return not (self.not_deleted or self.unanswered or self.refused or self.held_back)


@dataclass(frozen=True, slots=True)
class Order:
    """Which letters are moved, and as what.

    Attributes:
        wanted: whether a letter is to be moved.
        entry: the message to send.
        ids: their ids, if they are known: the sweep ends when all are settled.
    """

    wanted: Callable[[Letter], bool]
    entry: Callable[[Letter], OutgoingEntry]
    ids: frozenset[str] | None = None


class Mover:
    """Moves letters, batch by batch."""

    def __init__(
        self, target: Target, journal: Journal, pace: Pace, clock: Clock, stop: Stop
    ) -> None:
        """Send to this target."""
        self._target = target
        self._journal = journal
        self._pace = pace
        self._clock = clock
        self._stop = stop
        self._blocked: set[str] = set()
        self.result = Moved()

    def run(self, sweep: Sweep, order: Order) -> None:
        """Move what is wanted of a sweep; `result` is true at any moment, also after an error.

        Raises:
            QueueError: SQS does not answer, or refuses a whole request.
            DeadLetterError: the journal cannot be written.
        """
        self._blocked.clear()
        try:
            for letters in sweep.batches(self._pace.batch):
                self._delete(sweep, [one for one in letters if one.id in self._journal.sent])
                chosen = [one for one in letters if self._chosen(one, order)]
                for part in self._requests(chosen, order):
                    if not self._pace.wait(len(part)):
                        return
                    self._move(sweep, part, order)
                if order.ids is not None and order.ids <= self.settled:
                    return
        finally:
            self.result.perhaps_twice = set(self._journal.twice)
            unanswered = set(self._journal.open)
            self.result.gone = unanswered - sweep.seen if sweep.complete else set()
            self.result.unanswered = unanswered - self.result.gone
            sweep.give_back()

    @property
    def settled(self) -> set[str]:
        """Return the ids of letters that nothing more is to be done about."""
        return (self.result.moved.keys() - self.result.not_deleted) | self.result.refused.keys()

    def _chosen(self, letter: Letter, order: Order) -> bool:
        if letter.id in self._journal.sent:
            return False
        if not {letter.id, letter.original_id}.isdisjoint(self._journal.arrived):
            self.result.returned.add(letter.id)
            return False
        if not order.wanted(letter):
            return False
        if letter.received.damage:  # what SQS has is not what was received
            self.result.refused[letter.id] = letter.received.damage
            self._block([letter])
        return not letter.received.damage

    def _requests(self, letters: Sequence[Letter], order: Order) -> Iterator[list[Letter]]:
        """Yield letters that one request can hold.

        With FIFO queues a request has one letter of each group: SQS decides about each entry of a
        request alone, so it could refuse one and take the next of its group.
        """
        rounds = [list(letters)]
        if self._target.fifo:
            rounds = []
            counts: dict[str | None, int] = {}
            for letter in letters:
                number = counts.get(letter.group_id, 0) if letter.group_id else 0
                counts[letter.group_id] = number + 1
                if number == len(rounds):
                    rounds.append([])
                rounds[number].append(letter)
        for each in rounds:
            for begin, end in batches([size(order.entry(letter)) for letter in each]):
                yield each[begin:end]

    def _move(self, sweep: Sweep, letters: Sequence[Letter], order: Order) -> None:
        held_back = [one for one in letters if one.group_id in self._blocked]
        self.result.held_back |= {letter.id for letter in held_back}
        self._send(sweep, [one for one in letters if one not in held_back], order)

    def _send(self, sweep: Sweep, letters: list[Letter], order: Order) -> None:
        """Send letters, and delete those that are in the target then.

        Raises:
            QueueUnavailableError: no attempt had an answer; what has none is open in the journal.
        """
        sent: list[Letter] = []
        left = letters
        problem: QueueUnavailableError | None = None
        for attempt in range(ATTEMPTS):
            if not left or (attempt and self._stop.requested()):
                break
            pause_before(attempt, self._stop)
            earlier = {one.id: at for one in left if (at := self._journal.open.get(one.id))}
            try:
                result = self._request(left, order, earlier)
            except QueueUnavailableError as error:
                problem = error
                continue
            problem = None
            sent += [left[index] for index in sorted(result.sent)]
            final = {one.index: one for one in result.refused if not one.retry}
            if len(final) == len(left) > 1:  # SQS refuses some requests because of one entry
                self._delete(sweep, sent)
                for one in left:
                    self._send(sweep, [one], order)
                return
            for index, refusal in final.items():
                self.result.refused[left[index].id] = refusal.text
            self._block([left[index] for index in final])
            left = [
                letter
                for index, letter in enumerate(left)
                if index not in result.sent and index not in final
            ]
        self._delete(sweep, sent)
        if left:
            raise problem or QueueUnavailableError(
                f"{len(left)} letters were not accepted for now: run the same command again"
            )

    def _request(
        self, letters: Sequence[Letter], order: Order, earlier: dict[str, float]
    ) -> SendBatchResult:
        """Make one request, and note in the journal what is known before and after it."""
        fresh = [letter.id for letter in letters if letter.id not in earlier]
        self._journal.sending([letter.id for letter in letters], self._clock.time())
        try:
            result = self._target.send([order.entry(letter) for letter in letters])
        except QueueRefusedError:
            self._journal.was_not_sent(fresh)
            raise
        except QueueUnavailableError as error:
            if not error.answer_lost:
                self._journal.was_not_sent(fresh)
            raise
        new_ids = {letters[index].id: new for index, new in result.sent.items()}
        self.result.moved |= new_ids
        self.result.not_deleted |= new_ids.keys()
        self._journal.was_sent(new_ids, [name for name in new_ids if self._twice(name, earlier)])
        refused = {letters[one.index].id for one in result.refused if not one.answer_lost}
        self._journal.was_not_sent(name for name in fresh if name in refused)
        return result

    def _twice(self, name: str, earlier: dict[str, float]) -> bool:
        """Return whether the target may have a second copy of a letter that was sent now."""
        at = earlier.get(name)
        if at is None:
            return False
        return not self._target.fifo or self._clock.time() - at >= DEDUPLICATION_SECONDS

    def _block(self, letters: Sequence[Letter]) -> None:
        """Let nothing of these letters' groups follow them, where the order counts."""
        if self._target.fifo:
            self._blocked |= {letter.group_id for letter in letters if letter.group_id}

    def _delete(self, sweep: Sweep, letters: Sequence[Letter]) -> None:
        """Delete letters that are in the target.

        Raises:
            QueueError: SQS does not answer, or refuses: nothing more is sent then.
        """
        for begin in range(0, len(letters), MAX_BATCH):
            ids = {letter.id for letter in letters[begin : begin + MAX_BATCH]}
            self.result.moved |= {name: self._journal.sent[name] for name in ids}
            self.result.not_deleted |= ids
            left = sweep.delete(letters[begin : begin + MAX_BATCH])
            self.result.not_deleted -= ids - {letter.id for letter in left}
