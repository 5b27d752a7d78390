"""Fakes of the producer's ports: destination, stop and progress; and messages to send."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Final

from producer.messages.outgoing_message import Origin, OutgoingMessage, utf8_size
from shared.errors import QueueUnavailableError
from shared.queue import UNNAMED, OutgoingEntry, Refusal, SendBatchResult

CIVIC: Final = (
    '{"vehicleId":"VH2001","make":"Honda","model":"Civic","year":2020,"color":"Blue",'
    '"mileage":15000}'
)
LATEST_YEAR: Final = 2027
DOWN: Final = QueueUnavailableError("no answer from the endpoint: it is down")


LOST: Final = QueueUnavailableError("no answer from the endpoint: reset", answer_lost=True)

Entries = Sequence[str | OutgoingEntry]
Answer = Callable[[Entries], SendBatchResult]


def body_of(entry: str | OutgoingEntry) -> str:
    """Return the body of what a destination gets."""
    return entry if isinstance(entry, str) else entry.body


def seeded(seed: int = 1) -> Random:
    """Return a source of randomness that is the same in every run."""
    return Random(seed)  # noqa: S311 - repeatable, not secret


def vehicle_line(number: int) -> str:
    """Return a valid line whose vehicle's id ends in the number."""
    return CIVIC.replace("VH2001", f"VH{number}")


def outgoing(number: int = 1, body: str = CIVIC, origin: Origin = Origin.LINE) -> OutgoingMessage:
    """Build a message of that line."""
    return OutgoingMessage(body, utf8_size(body), origin, number, f"VH{number}")


def outgoings(count: int, first: int = 1) -> list[OutgoingMessage]:
    """Build that many messages with bodies of their own."""
    return [outgoing(n, vehicle_line(n)) for n in range(first, first + count)]


def grouped(number: int, group: str) -> OutgoingMessage:
    """Build a message of that line and group."""
    body = vehicle_line(number)
    size = utf8_size(body)
    return OutgoingMessage(body, size, Origin.LINE, number, f"VH{number}", group_id=group)


def everything(messages: Entries) -> SendBatchResult:
    """Accept a whole batch."""
    bodies = map(body_of, messages)
    return SendBatchResult({place: f"id-{body}" for place, body in enumerate(bodies)}, ())


def all_but(*refusals: Refusal) -> Answer:
    """Return an answer that accepts a batch except for the refusals."""
    refused = {refusal.index for refusal in refusals}

    def answer(messages: Entries) -> SendBatchResult:
        bodies = enumerate(map(body_of, messages))
        accepted = {n: f"id-{body}" for n, body in bodies if n not in refused}
        return SendBatchResult(accepted, refusals)

    return answer


def silence_about(*places: int) -> Answer:
    """Return an answer that accepts a batch except for these places, of which SQS says nothing."""
    return all_but(*(Refusal(place, "", UNNAMED, retry=True, answer_lost=True) for place in places))


class FakeDestination:
    """A destination with prepared answers, exceptions included; then it accepts everything."""

    def __init__(self, answers: Iterable[Exception | Answer] = ()) -> None:
        """Prepare the answers."""
        self.answers = list(answers)
        self.calls: list[list[str | OutgoingEntry]] = []
        self._lock = threading.Lock()

    def send(self, messages: Entries) -> SendBatchResult:
        """Record the call and answer."""
        with self._lock:
            self.calls.append(list(messages))
            answer = self.answers.pop(0) if self.answers else everything
        if isinstance(answer, Exception):
            raise answer
        return answer(messages)


class FakeProgress:
    """A display that keeps what it has to show."""

    def __init__(self) -> None:
        """Start with nothing done."""
        self.done = 0
        self.notes: list[str] = []

    def advance(self, messages: int) -> None:
        """Count."""
        self.done += messages

    def note(self, text: str) -> None:
        """Keep."""
        self.notes.append(text)
