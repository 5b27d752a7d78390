"""Fakes of the consumer's ports: queue, clock, sink and stop, whose calls tests can inspect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from consumer.delivery import Delivery
from shared.errors import QueueUnavailableError
from shared.queue import ReceivedMessage, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

CIVIC: Final = (
    '{"vehicleId":"VH2001","make":"Honda","model":"Civic","year":2020,"color":"Blue",'
    '"mileage":15000}'
)
START: Final = 1_790_000_000.0
"""The epoch second at which fake clocks start: in September 2026."""

DOWN: Final = QueueUnavailableError("no answer from the endpoint: it is down")


def message(
    number: int = 1, body: str = CIVIC, receive_count: int = 1, sent_at: float = START - 5
) -> ReceivedMessage:
    """Build a received message whose id and receipt end in the number."""
    return ReceivedMessage(f"id-{number}", f"receipt-{number}", body, receive_count, sent_at)


def messages(count: int) -> list[ReceivedMessage]:
    """Build that many valid messages, numbered from 1."""
    return [message(number) for number in range(1, count + 1)]


def delivery(
    number: int = 1, body: str = CIVIC, receive_count: int = 1, sent_at: float = START - 5
) -> Delivery:
    """Build the delivery of a message that was received at START; the number is its key."""
    received = message(number, body, receive_count, sent_at)
    return Delivery(number, received, START, body)


class FakeQueue:
    """A queue with prepared answers, which notes every call.

    `answers` are the results of the receives, exceptions included; when they are used up, receives
    return nothing. `delete_answers` and `visibility_answers` work the same way.
    """

    def __init__(self, answers: Iterable[list[ReceivedMessage] | Exception] = ()) -> None:
        """Prepare the answers of the receives."""
        self.answers = list(answers)
        self.delete_answers: list[tuple[Refusal, ...] | Exception] = []
        self.visibility_answers: list[tuple[Refusal, ...] | Exception] = []
        self.receives: list[tuple[int, int, int]] = []
        self.deletes: list[list[str]] = []
        self.changes: list[dict[str, int]] = []
        self.afreshed: list[float] = []
        self.on_receive: Callable[[], None] = lambda: None
        self.on_delete: Callable[[], None] = lambda: None

    @property
    def deleted(self) -> list[str]:
        """Return the receipts of all delete requests."""
        return [receipt for batch in self.deletes for receipt in batch]

    def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int
    ) -> list[ReceivedMessage]:
        """Return the next prepared answer."""
        self.receives.append((limit, wait_seconds, visibility_seconds))
        self.on_receive()
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        return answer

    def delete(self, receipts: Sequence[str]) -> tuple[Refusal, ...]:
        """Note the request and return the next prepared answer."""
        self.deletes.append(list(receipts))
        self.on_delete()
        return _next(self.delete_answers)

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Note the request and return the next prepared answer."""
        self.changes.append(dict(changes))
        return _next(self.visibility_answers)

    def afresh(self, seconds: float) -> FakeQueue:
        """Note the wish, and return this queue."""
        self.afreshed.append(seconds)
        return self


class FakeClock:
    """A clock that tests move; sleeping moves it as well."""

    def __init__(self) -> None:
        """Start at START, with the monotonic clock at zero."""
        self.elapsed = 0.0
        self.slept: list[float] = []

    def time(self) -> float:
        """Return the epoch second."""
        return START + self.elapsed

    def monotonic(self) -> float:
        """Return the seconds since the start."""
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        """Note the pause and move on."""
        self.slept.append(seconds)
        self.elapsed += seconds


class FakeSink:
    """A sink that keeps the lines, and the number of lines in each write."""

    def __init__(self) -> None:
        """Start with nothing written."""
        self.raw: list[bytes] = []
        self.writes: list[int] = []
        self.error: Exception | None = None

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Return all lines, decoded."""
        return [json.loads(line) for line in self.raw]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of one event."""
        return [line for line in self.lines if line["event"] == name]

    def write(self, lines: list[bytes]) -> None:
        """Keep the lines, or raise `error`."""
        if self.error:
            raise self.error
        self.raw += lines
        self.writes.append(len(lines))


def refusal(index: int, *, retry: bool) -> Refusal:
    """Build the refusal of one entry of a batch."""
    return Refusal(index, "InternalError" if retry else "ReceiptHandleIsInvalid", "no", retry)


def _next(answers: list[tuple[Refusal, ...] | Exception]) -> tuple[Refusal, ...]:
    answer = answers.pop(0) if answers else ()
    if isinstance(answer, Exception):
        raise answer
    return answer
