"""The crew: all worker processes with their pipes, as one thread starts, reads and buries them."""

from __future__ import annotations

import os
import selectors
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from consumer.pool.seats import Seat
from consumer.pool.spawning import OrphanReaper, spawn
from consumer.pool.worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.output.lines import OutputLine
    from consumer.pool.frames import Terms
    from consumer.pool.spawning import Death
    from consumer.ports import Clock

END_LOOKS: Final = 100
END_PAUSE: Final = 0.02
"""Seconds between two looks whether killed processes are gone; one may wait for a disk."""

Readable: TypeAlias = "Sequence[tuple[WorkerProcess, int]]"


class Crew:
    """The worker processes; one thread calls all methods but `wake`, which any thread may call."""

    def __init__(self, size: int, terms: Terms) -> None:
        """Prepare seats for so many processes, which all get these terms."""
        self.seats = [Seat() for _ in range(size)]
        self._terms = terms
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        for file in (self._wake_read, self._wake_write):
            os.set_blocking(file, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._closed = False
        self._waking = threading.Lock()
        self._orphans = OrphanReaper()

    def workers(self) -> Iterator[WorkerProcess]:
        """Yield every process that is not buried."""
        return (seat.worker for seat in self.seats if seat.worker is not None)

    def ready(self) -> list[WorkerProcess]:
        """Return the processes whose handlers are ready, and that nobody is about to kill."""
        return [one for one in self.workers() if one.kind is not None and one.kill_at is None]

    def wake(self) -> None:
        """End a wait."""
        with self._waking, suppress(BlockingIOError):  # it is woken already
            if not self._closed:
                os.write(self._wake_write, b"!")

    def wait(self, seconds: float) -> Readable:
        """Wait until there is something to read, at most this long; return where."""
        found = []
        for key, events in self._selector.select(seconds):
            if key.fd == self._wake_read:
                with suppress(BlockingIOError):
                    os.read(self._wake_read, 1 << 12)
            elif events & selectors.EVENT_READ:
                found.append((key.data, key.fd))
            else:
                self._flush(key.data)
        if len(found) < 2:  # noqa: PLR2004 - nothing to sort
            return found
        # what was printed before what is reported of the message, so that lines keep their order
        return sorted(found, key=lambda one: one[1] == one[0].spawned.reports)

    def read(self, readable: Readable, now: float) -> list[OutputLine]:
        """Read from these pipes; return what was printed."""
        lines = []
        for worker, file in readable:
            is_open, printed = worker.read(file, now)
            lines += printed
            if not is_open:
                self._selector.unregister(file)
        return lines

    def send_rest(self, worker: WorkerProcess) -> None:
        """Send what did not fit into the worker's pipe as soon as it fits."""
        if worker.unsent:
            with suppress(KeyError):  # it waits for that already
                self._selector.register(worker.spawned.orders, selectors.EVENT_WRITE, worker)

    def fill_seats(self, now: float) -> list[str]:
        """Start a process in every seat that is due; return why some could not be started."""
        problems = []
        for seat in self.seats:
            if seat.worker is not None or now < seat.not_before:
                continue
            try:
                spawned = spawn()
            except OSError as error:
                seat.vacate(now, f"no process can be started: {error}", used=False)
                problems.append(seat.why)
                continue
            worker = WorkerProcess(spawned, self._terms)
            seat.fill(now, worker)
            for file in spawned.readable:
                self._selector.register(file, selectors.EVENT_READ, worker)
        return problems

    def reap(self) -> list[tuple[Seat, WorkerProcess, Death]]:
        """Return the processes that have ended, each with its seat; the caller buries them."""
        ended = [
            (seat, seat.worker, death)
            for seat in self.seats
            if seat.worker is not None and (death := seat.worker.spawned.reap()) is not None
        ]
        self._orphans.turn({worker.spawned.pid for worker in self.workers()})
        return ended

    def bury(self, worker: WorkerProcess, now: float) -> list[OutputLine]:
        """Read what a process that has ended left in its pipes, and close them."""
        for file in (*worker.spawned.readable, worker.spawned.orders):
            with suppress(KeyError):
                self._selector.unregister(file)
        return worker.read_all(now)

    def end_all(self, clock: Clock) -> list[WorkerProcess]:
        """Kill all processes, and wait a little until they are gone; return them."""
        ended = living = list(self.workers())
        for worker in ended:
            worker.kill()
        for seat in self.seats:
            seat.worker = None
        for _ in range(END_LOOKS):
            living = [worker for worker in living if worker.spawned.reap() is None]
            if not living:
                break
            clock.sleep(END_PAUSE)
        return ended

    def next_start(self) -> float | None:
        """Return when the next process is to be started."""
        times = [seat.not_before for seat in self.seats if seat.worker is None]
        return min(times, default=None)

    def close(self) -> None:
        """Close what is left, once all processes are buried."""
        with self._waking:
            self._closed = True
            os.close(self._wake_read)
            os.close(self._wake_write)
        self._selector.close()

    def _flush(self, worker: WorkerProcess) -> None:
        worker.flush()
        if not worker.unsent:
            self._selector.unregister(worker.spawned.orders)
