"""The outside world as the consumer sees it: a queue, lines, time, threads, handlers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

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

    def afresh(self, seconds: float) -> Queue:
        """Return the same queue over new connections, on which answers have so much time."""
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


class Thread(Protocol):
    """A thread that was started, as in the standard library."""

    def join(self, timeout: float | None = None) -> None:
        """Wait until it ends, or for this many seconds."""
        ...

    def is_alive(self) -> bool:
        """Return whether it has not ended."""
        ...


class Condition(Protocol):
    """A lock whose holder can wait until other threads have changed something.

    As in the standard library, it is entered with `with`, also by a thread that is in it already.
    """

    def __enter__(self) -> bool:
        """Take the lock."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """Release the lock."""
        ...

    def wait_for(self, predicate: Callable[[], object], timeout: float | None = None) -> object:
        """Wait until the predicate holds, or for this many seconds; return its last value."""
        ...

    def notify_all(self) -> None:
        """Let every thread that waits look at its predicate again."""
        ...


class Threads(Protocol):
    """Threads and what they wait for."""

    def start(self, name: str, function: Callable[[], object]) -> Thread:
        """Run the function in a thread that does not keep the process from exiting."""
        ...

    def condition(self) -> Condition:
        """Return a new condition."""
        ...


class Sink(Protocol):
    """A destination of encoded lines, which takes whole batches at a time."""

    def write(self, lines: list[bytes]) -> None:
        """Write the lines; once it has returned, a crash of the process loses none of them."""
        ...


class DeadLetters(Protocol):
    """A place for messages that a handler rejects."""

    def send(self, attempts: Sequence[Attempt]) -> Sequence[Attempt]:
        """Send copies of the messages there; return the attempts of those that have arrived."""
        ...


class Pool(Protocol):
    """Where handlers run: threads of this process, or processes of their own.

    Every delivery that was submitted ends in one of these ways: it is reported as finished or as
    returned, once; `start` did not allow it; it is withdrawn; or the pool was closed before it
    ended. All methods are safe in any thread.
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
    """What a pool calls, in any thread.

    `start` gets a delivery's key before its handler may run. If it returns False, the message is
    no longer this consumer's (its visibility timeout is over, or it was returned), and the pool
    forgets it. `finished` gets every attempt. `returned` gets what `Waiting.finished` names: it
    follows a message of its group that stays in the queue, so no handler gets it any more, and it
    goes back to the queue behind that message. `broken` gets the reason why no handler can run any
    more, and the consumer then ends.
    """

    start: Callable[[int], bool]
    finished: Callable[[Attempt], None]
    returned: Callable[[Sequence[Delivery]], None]
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
    threads: Threads
