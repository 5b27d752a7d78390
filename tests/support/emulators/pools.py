"""A pool of real worker processes whose attempts and lines a test can wait for."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from consumer.clock import SystemClock
from consumer.delivery import Delivery
from consumer.pool.process_pool import ProcessPlan, ProcessPool
from consumer.ports import PoolReports
from shared.queue import ReceivedMessage
from shared.stopping import SignalStop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.attempt import Attempt
    from shared.errors import WorkloadError

PATIENCE: Final = 30.0
HANDLERS: Final = "support.examples.misbehaving"


def do(name: str, argument: object = None) -> dict[str, object]:
    """Return the body of a message that has `name` called."""
    return {"do": name} if argument is None else {"do": name, "with": argument}


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
    except OSError:
        return False
    return state.split()[0] != "Z"


class Attempts:
    """The attempts, lines and ends of a pool so far; it is the pool's sink, too."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.changed = threading.Condition()
        self.attempts: list[Attempt] = []
        self.lines: list[dict[str, Any]] = []
        self.returned: list[Delivery] = []
        self.broken: list[WorkloadError] = []
        self.refused: set[int] = set()

    def write(self, lines: list[bytes]) -> None:
        """Keep lines, as a sink."""
        with self.changed:
            self.lines += [json.loads(line) for line in lines]
            self.changed.notify_all()

    def reports(self) -> PoolReports:
        """Return what a pool calls."""
        return PoolReports(
            start=lambda key: key not in self.refused,
            finished=lambda attempt: self._add(self.attempts, [attempt]),
            returned=lambda deliveries: self._add(self.returned, deliveries),
            broken=lambda error: self._add(self.broken, [error]),
        )

    def _add(self, kept: list[Any], new: Sequence[Any]) -> None:
        with self.changed:
            kept.extend(new)
            self.changed.notify_all()

    def wait(self, count: int) -> dict[str, str]:
        """Wait for that many attempts; return their results by message id."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.attempts) >= count, PATIENCE):
                raise AssertionError(f"no {count} attempts in {self.attempts}, {self.lines}")
            return {
                attempt.delivery.received.message_id: attempt.result.value
                for attempt in self.attempts
            }

    def of(self, message_id: str) -> Attempt:
        """Return the only attempt at this message."""
        [attempt] = [one for one in self.attempts if one.delivery.received.message_id == message_id]
        return attempt

    def texts(self, message_id: str | None) -> list[str]:
        """Return what was printed and logged for this message."""
        return [line["text"] for line in self.lines if line.get("message_id") == message_id]


class RunningPool:
    """A started pool with its attempts."""

    def __init__(self, pool: ProcessPool, attempts: Attempts) -> None:
        """Number deliveries from 1."""
        self.pool = pool
        self.seen = attempts
        self._keys = 0

    def send(
        self, *bodies: dict[str, object], attributes: dict[str, str | bytes] | None = None
    ) -> list[Delivery]:
        """Send messages of the group that a body names, all with these attributes."""
        deliveries = []
        for body in bodies:
            self._keys += 1
            text, now = json.dumps(body), time.time()
            system = {"MessageGroupId": str(body["group"])} if "group" in body else {}
            received = ReceivedMessage(
                f"m{self._keys}", f"r{self._keys}", text, 1, now, attributes or {}, system=system
            )
            deliveries.append(Delivery(self._keys, received, now, text))
        self.pool.submit(deliveries)
        return deliveries

    def do(
        self, *bodies: dict[str, object], attributes: dict[str, str | bytes] | None = None
    ) -> dict[str, str]:
        """Send messages, wait for all attempts so far, and return their results."""
        self.send(*bodies, attributes=attributes)
        return self.seen.wait(self._keys)

    def pids(self) -> list[int]:
        """Return the ids of the worker processes."""
        return self.pool.pids()


@contextmanager
def running(
    handler: str = "act",
    *,
    workers: int = 1,
    concurrency: int = 1,
    seconds: float = 20.0,
    fifo: bool = False,
) -> Iterator[RunningPool]:
    """Start a pool for one of the misbehaving handlers, provide it, and close it."""
    attempts = Attempts()
    name = handler if ":" in handler else f"{HANDLERS}:{handler}"
    plan = ProcessPlan(name, workers, concurrency, seconds, "INFO", "i-0123", fifo=fifo)
    pool = ProcessPool(plan, attempts.reports(), attempts, SystemClock(), SignalStop())
    try:
        pool.start()
        yield RunningPool(pool, attempts)
    finally:
        pool.close(5)
