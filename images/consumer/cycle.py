"""The worker's rhythm as pure functions: poll, process, rest (POLL_WAIT_SECONDS), poll again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from consumer import setting_table as table
from consumer.leaving.drain import Drain
from consumer.retry import whole_seconds
from shared.quotas import MAX_BATCH

SHORTEST_LONG_POLL: Final = 1
"""A receive that waits at all asks all of SQS's servers; one that does not may miss messages
(SQS developer guide, "Amazon SQS short and long polling")."""

LONGEST_OUTAGE_WAIT: Final = 60.0
"""Pause between two attempts at a queue that does not answer, for a worker that never rests."""

ACKNOWLEDGE_SECONDS: Final = 0.2
"""A finished message is acknowledged at most so many seconds later, together with those that finish
in the meantime: a crash repeats little work, and ten quick messages share one request."""

REPORT_SECONDS: Final = 10.0
"""A worker that never rests writes the counts of a cycle this often while it has work, in seconds,
and whenever nothing is in hand any more."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a worker polls: at most `messages_per_poll`, then `poll_wait` seconds of rest.

    `receive_wait` is how many whole seconds the first receive of a poll waits for a message.
    With a `poll_wait` of 0 the worker polls continuously: each receive is a poll of its own.
    """

    messages_per_poll: int = table.MESSAGES_PER_POLL.default
    poll_wait: float = table.POLL_WAIT_SECONDS.default
    receive_wait: int = whole_seconds(table.RECEIVE_WAIT_SECONDS.default)

    @staticmethod
    def of_settings(
        messages_per_poll: int, poll_wait: float, receive_wait: float, drain: float
    ) -> Rhythm:
        """Return the rhythm of a worker with these settings; a wait of 0.5 s is a whole second.

        A receive waits no longer than `drain`, the value of DRAIN_SECONDS, leaves time for.
        """
        wait = min(whole_seconds(receive_wait), Drain.of(drain).longest_receive)
        return Rhythm(messages_per_poll, poll_wait, wait)


@dataclass(frozen=True, slots=True)
class CycleMemory:
    """State between two steps: messages `taken` in this poll, failed receives in a row."""

    taken: int = 0
    outages: int = 0


@dataclass(frozen=True, slots=True)
class Receive:
    """Step: receive up to `limit` messages, waiting up to `wait_seconds`, and process them."""

    limit: int
    wait_seconds: int


@dataclass(frozen=True, slots=True)
class Rest:
    """Step: the poll is over, do not call the queue for this time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ReceiveEnded:
    """Result of a Receive: `count` messages were received and processed."""

    count: int


@dataclass(frozen=True, slots=True)
class ReceiveFailed:
    """Result of a Receive: the queue did not answer.

    `share` is how much of its rest the worker takes. At random, it keeps a fleet whose queue comes
    back from asking all at once.
    """

    share: float = 1.0


@dataclass(frozen=True, slots=True)
class RestEnded:
    """Result of a Rest: its time is over."""


Step: TypeAlias = Receive | Rest
StepResult: TypeAlias = ReceiveEnded | ReceiveFailed | RestEnded


def first_step(rhythm: Rhythm) -> tuple[CycleMemory, Step]:
    """Return how a worker starts: with the first receive of a poll."""
    return CycleMemory(), _first_receive(rhythm)


def next_step(rhythm: Rhythm, memory: CycleMemory, result: StepResult) -> tuple[CycleMemory, Step]:
    """Return the new memory and the step that follows a step with this result.

    A poll ends when it has received `messages_per_poll` messages or when a receive returns none; a
    rest follows. A receive that failed ends the poll, too. The rest after it lasts 1, 2, 4, ...
    seconds for the first, second, third failure in a row, up to the usual rest, or a share of that.

    With 25 messages per poll: receives of 10, 10 and 5 messages, then the rest.
    """
    match result:
        case ReceiveEnded(count):
            taken = memory.taken + count
            if count == 0 or taken >= rhythm.messages_per_poll or rhythm.poll_wait == 0:
                return CycleMemory(), Rest(rhythm.poll_wait)
            limit = min(MAX_BATCH, rhythm.messages_per_poll - taken)
            wait_seconds = min(SHORTEST_LONG_POLL, rhythm.receive_wait)
            return CycleMemory(taken), Receive(limit, wait_seconds)
        case ReceiveFailed(share):
            wait = _outage_wait(rhythm, memory.outages) * share
            return CycleMemory(outages=memory.outages + 1), Rest(wait)
        case RestEnded():
            return CycleMemory(outages=memory.outages), _first_receive(rhythm)


def _first_receive(rhythm: Rhythm) -> Receive:
    return Receive(min(MAX_BATCH, rhythm.messages_per_poll), rhythm.receive_wait)


def _outage_wait(rhythm: Rhythm, outages: int) -> float:
    longest = rhythm.poll_wait or LONGEST_OUTAGE_WAIT
    return min(longest, 2.0 ** min(outages, 32))  # an exponent that a float can hold
