"""A consumer's requests to SQS, each on its own way there and back, and what can go wrong on it.

SQS answers in a task of its own. So a request of a consumer that is gone, or that has waited long
enough, is carried out all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final, TypeVar

from shared.errors import QueueError, QueueRefusedError, QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from support.universes.faults import Faults
    from support.universes.record import Record
    from support.universes.scheduler import Machine, Scheduler


Result = TypeVar("Result")

LATE: Final = 0.2
"""Seconds after which an answer is late: longer than requests usually take."""

PATIENCE: Final = 30.0
"""Seconds that a consumer waits for an answer, besides the wait of a receive."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request by a machine, one of REQUESTS, the fault in store for it, and what it concerns.

    `given_up` is not empty once the machine waits for it no more.
    """

    machine: Machine
    request: str
    fault: str
    receipts: Callable[[], list[str]]
    given_up: list[bool] = field(default_factory=list)


class Wire:
    """The network between machines and SQS; `usual` is how long a request takes at most."""

    def __init__(
        self, scheduler: Scheduler, record: Record, faults: Faults, rng: Random, usual: float
    ) -> None:
        """Start without an outage."""
        self.scheduler = scheduler
        self.record = record
        self.faults = faults
        self.sqs_machine: Machine | None = None
        self.outage_until = -inf
        self._rng = rng
        self._usual = usual

    def ask(
        self,
        machine: Machine,
        request: str,
        act: Callable[[], Result],
        receipts: Callable[[], list[str]],
        patience: float,
    ) -> Result:
        """Let SQS act; return what it answers.

        Args:
            machine: who asks.
            request: one of REQUESTS.
            act: what SQS does.
            receipts: the messages that the request concerns, asked for after the act.
            patience: seconds until the caller gives up.

        Raises:
            QueueUnavailableError: no answer, whether or not SQS has acted.
            QueueRefusedError: the request is not allowed.
        """
        scheduler = self.scheduler
        exchange = Exchange(machine, request, self._fault(request), receipts)
        answers: list[Result | QueueError] = []
        caller = scheduler.current

        def serve() -> None:
            answers.append(self._serve(exchange, act))
            if caller is not None:
                scheduler.wake(caller)

        slow = exchange.fault == "slow"
        if exchange.fault:
            self.note(machine, f"{request} will be {exchange.fault}")
        if slow:  # the caller's other threads may have to wait for it
            self.record.excuse_machine(machine.name, f"{request} slow")
            machine.waiting += 1
        if self.sqs_machine is None:
            raise TypeError("a wire leads to SQS")
        scheduler.spawn(self.sqs_machine, request, serve)
        until = scheduler.now + patience
        while not answers and scheduler.now < until:
            scheduler.block(until)
        machine.waiting -= slow
        if not answers:
            exchange.given_up.append(True)
            machine.gave_up = True
            self._excuse(exchange, "without an answer")
            answers.append(QueueUnavailableError("read timeout", answer_lost=True))
        answer = answers[0]
        if isinstance(answer, QueueError):
            self.note(machine, f"{request}: {answer}")
            raise answer
        return answer

    def _serve(self, exchange: Exchange, act: Callable[[], Result]) -> Result | QueueError:
        """Take the request to SQS and its answer back, or lose either."""
        scheduler, fault = self.scheduler, exchange.fault
        scheduler.sleep(self._way(slow=fault == "slow" and self.faults.rng.random() < 0.5))
        if scheduler.now < self.outage_until or fault == "unavailable":
            self._excuse(exchange, "unavailable")
            return QueueUnavailableError("no answer from the endpoint")
        if fault == "denied":
            self._excuse(exchange, "denied")
            return QueueRefusedError("SQS refused the request: AccessDenied")
        result = act()
        if exchange.given_up:
            self._excuse(exchange, "answered too late")
        scheduler.sleep(self._way(slow=fault == "slow"))
        if fault == "answer lost" or scheduler.now < self.outage_until:
            self._excuse(exchange, "answer lost")
            return QueueUnavailableError("connection reset", answer_lost=True)
        return result

    def _excuse(self, exchange: Exchange, what: str) -> None:
        """Note a fault of a request; a lost heartbeat concerns all that the machine has."""
        fault = f"{exchange.request} {what}"
        self.record.excuse(exchange.receipts(), fault)
        if exchange.request == "change":
            self.record.excuse_machine(exchange.machine.name, fault)

    def note(self, machine: Machine, what: str) -> None:
        """Add an event to the trace."""
        if self.record.trace is not None:
            self.record.note(self.scheduler.now, machine.name, what)

    def _fault(self, request: str) -> str:
        for name in ("unavailable", "answer lost", "slow", "denied"):
            if self.faults.happens(f"{request} {name}"):
                return name
        return ""

    def _way(self, *, slow: bool) -> float:
        return self._rng.uniform(1.0, 40.0) if slow else self._usual * self._rng.random()
