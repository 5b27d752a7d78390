"""The worker's rhythm: poll up to a quota, rest, poll again, decided without clock or queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from consumer import setting_table as table
from consumer.retry import whole_seconds
from shared.quotas import MAX_BATCH

SHORTEST_LONG_POLL: Final = 1
"""A receive that waits at all asks all of SQS's servers; one that does not may miss messages
(SQS developer guide, "Amazon SQS short and long polling")."""

SETTLE_SECONDS: Final = 1.0
"""Slow handlers have their messages settled this often: a crash repeats little of their work."""

LONGEST_OUTAGE_WAIT: Final = 60.0
"""Pause between two attempts at a queue that does not answer, for a worker that never rests."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a worker polls: `messages_per_poll` at most, then `poll_wait` seconds of rest.

    `receive_wait` is how many whole seconds the first receive of a poll waits for a message.
    With a `poll_wait` of 0 the worker polls continuously: each receive is a poll of its own.
    """

    messages_per_poll: int = table.MESSAGES_PER_POLL.default
    poll_wait: float = table.POLL_WAIT_SECONDS.default
    receive_wait: int = whole_seconds(table.RECEIVE_WAIT_SECONDS.default)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the rhythm remembers: messages taken in this poll, failed attempts in a row."""

    taken: int = 0
    outages: int = 0


@dataclass(frozen=True, slots=True)
class Receive:
    """Next step: receive up to `limit` messages, waiting up to `wait_seconds`, and process them."""

    limit: int
    wait_seconds: int


@dataclass(frozen=True, slots=True)
class Rest:
    """Next step: the poll is over, leave the queue alone for this long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Received:
    """It happened that a receive brought `count` messages, and that they were processed."""

    count: int


@dataclass(frozen=True, slots=True)
class Unavailable:
    """It happened that nobody answered the receive."""


@dataclass(frozen=True, slots=True)
class Rested:
    """It happened that the rest is over."""


Step: TypeAlias = Receive | Rest
Happened: TypeAlias = Received | Unavailable | Rested


def first_step(rhythm: Rhythm) -> tuple[Memory, Step]:
    """Return how a worker begins: with the first receive of a poll."""
    return Memory(), _open_poll(rhythm)


def next_step(rhythm: Rhythm, memory: Memory, happened: Happened) -> tuple[Memory, Step]:
    """Return what to remember and what to do after `happened`.

    A poll goes on until its quota is filled or a receive comes back empty; then comes the rest.
    An outage ends the poll, and each further one in a row doubles the rest, from one second up
    to the usual rest.
    """
    match happened:
        case Received(count):
            taken = memory.taken + count
            if count == 0 or taken >= rhythm.messages_per_poll or rhythm.poll_wait == 0:
                return Memory(), Rest(rhythm.poll_wait)
            limit = min(MAX_BATCH, rhythm.messages_per_poll - taken)
            return Memory(taken), Receive(limit, min(SHORTEST_LONG_POLL, rhythm.receive_wait))
        case Unavailable():
            return Memory(outages=memory.outages + 1), Rest(_outage_wait(rhythm, memory.outages))
        case Rested():
            return Memory(outages=memory.outages), _open_poll(rhythm)


def _open_poll(rhythm: Rhythm) -> Receive:
    return Receive(min(MAX_BATCH, rhythm.messages_per_poll), rhythm.receive_wait)


def _outage_wait(rhythm: Rhythm, outages: int) -> float:
    longest = rhythm.poll_wait or LONGEST_OUTAGE_WAIT
    return min(longest, 2.0 ** min(outages, 32))  # the exponent stays where floats do
