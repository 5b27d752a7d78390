"""The outside world as the consumer sees it: a queue, a place to write lines, time, a stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.attempt import Attempt
    from consumer.delivery import Delivery
    from shared.errors import WorkloadError
    from shared.queue import ReceivedMessage, Refusal
    from shared.stopping import StopSwitch


class Queue(Protocol):
    """The calls of shared.queue.SqsQueue that a consumer makes; each takes up to ten messages.

    All of them raise QueueUnavailableError (the call may succeed later) or QueueRefusedError.
    """

    def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int
    ) -> list[ReceivedMessage]:
        """Receive up to `limit` messages, waiting for the first of them."""
        ...

    def delete(self, receipts: Sequence[str]) -> tuple[Refusal, ...]:
        """Delete the messages; return those that SQS did not delete."""
        ...

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Set, for each receipt, in how many seconds the message becomes visible again."""
        ...


class Clock(Protocol):
    """Time in seconds."""

    def time(self) -> float:
        """Return the seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Return the seconds of a clock that is never set back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after this time."""
        ...


class Sink(Protocol):
    """A destination of encoded lines, which takes whole batches at a time."""

    def write(self, lines: list[bytes]) -> None:
        """Write the lines; once it has returned, a crash of the process loses none of them."""
        ...


class Pool(Protocol):
    """Where handlers run: threads of this process, or processes of their own.

    Every delivery that was submitted is reported as finished exactly once, or it is withdrawn, or
    it is still with its handler when the pool was closed. All methods are safe in any thread.
    """

    @property
    def slots(self) -> int:
        """Return how many messages are handled at the same time."""
        ...

    def start(self) -> None:
        """Get ready to handle messages; raise HandlerError if HANDLER cannot be used."""
        ...

    def submit(self, deliveries: Sequence[Delivery]) -> None:
        """Let the deliveries be handled, in this order; return at once."""
        ...

    def withdraw(self, keep: int) -> list[Delivery]:
        """Take back what no handler has yet, all but the first `keep`: it will not be handled."""
        ...

    def running(self) -> dict[int, float]:
        """Return the deadline (epoch seconds) of every delivery that a handler has, by its key."""
        ...

    def close(self, seconds: float) -> bool:
        """Let handlers end and shut down, then kill what remains; return whether all have ended."""
        ...


@dataclass(frozen=True, slots=True)
class PoolReports:
    """What a pool calls, in any thread, when something has happened.

    `finished` gets every attempt. `broken` gets the reason why no handler can run any more: the
    consumer then ends.
    """

    finished: Callable[[Attempt], None]
    broken: Callable[[WorkloadError], None]


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world in one value, for the parts that need several pieces of it.

    `stop` is set by a signal, or by the program itself when its worker has ended.
    """

    queue: Queue
    sink: Sink
    clock: Clock
    stop: StopSwitch
