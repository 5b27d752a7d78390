"""The dispatcher: decides which process gets which messages, and what their ends mean.

One thread runs its turns. A turn waits for something to read, or for a tenth of a second while
messages are in hand: a worker process notes the end of a message in its page, so the consumer knows
of it that soon even if the process does not get to say anything any more.
"""

from __future__ import annotations

import threading
from itertools import compress
from typing import TYPE_CHECKING, Final

from consumer.capacity import HandlingTimes
from consumer.handlers.handler import HandlerKind
from consumer.pool.chunks import FAST, calls_wanted, chunk_size
from consumer.pool.effects import Effects
from consumer.pool.endings import bury, expire
from consumer.pool.page import REVOKE_SECONDS
from shared.quotas import MAX_BATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.delivery import Delivery
    from consumer.pool.backlog import Backlog
    from consumer.pool.crew import Crew
    from consumer.pool.frames import Terms
    from consumer.pool.worker_process import WorkerProcess
    from consumer.ports import Clock

TICK: Final = 0.1
IDLE_TICK: Final = 1.0
KILL_TICK: Final = 0.02
HELD_BACK_SECONDS: Final = 0.1
"""Time after which messages are taken back that wait behind a slow one in a worker process."""


class Dispatcher:
    """The decisions about all processes; `lock` protects what other threads use as well."""

    def __init__(self, crew: Crew, backlog: Backlog, terms: Terms, clock: Clock) -> None:
        """Hand out what is in the backlog."""
        self.lock = threading.Condition()
        self.crew = crew
        self.backlog = backlog
        self.closing = False
        self._terms = terms
        self.clock = clock
        self._times = HandlingTimes(terms.seconds)
        self._chunk = 1
        self._next_tick = 0.0
        self._busy_at = 0.0
        self._resting = False
        self._handing = threading.Lock()
        self._revoked: list[tuple[WorkerProcess, list[int]]] = []

    def turn(self, start: Callable[[int], bool]) -> Effects:
        """Wait for something to happen; return what the consumer is to do about it.

        `start` says whether the handler of a delivery may start.
        """
        self._resting = True  # before looking: a message that is handed over now wakes this thread
        patience = self._patience()
        self._resting = patience > TICK
        readable = self.crew.wait(patience)
        now = self.clock.monotonic()
        effects = Effects()
        with self.lock:
            effects.lines += self.crew.read(readable, self.clock.time())
            for worker in {worker for worker, _ in readable}:
                self._collect(worker, effects)
            if now >= self._next_tick or patience == KILL_TICK:
                self._next_tick = now + TICK
                self._tick(now, effects)
            self.lock.notify_all()
        with self._handing:
            self._hand_out(start, effects)
        return effects

    def submit(self, deliveries: Sequence[Delivery], start: Callable[[int], bool]) -> Effects:
        """Add deliveries to the backlog and hand them over, unless a turn is about to do so.

        That saves a turn, and two switches between threads.
        """
        effects = Effects()
        with self.lock:
            self.backlog.waiting.add(deliveries)
        if self._handing.acquire(blocking=False):
            try:
                self._hand_out(start, effects)
            finally:
                self._handing.release()
            if self._resting:  # it has to watch these messages from now on
                self.crew.wake()
        else:
            self.crew.wake()
        return effects

    def revoke(self, workers: Sequence[WorkerProcess]) -> None:
        """Take back at once what no handler has begun; the caller holds the lock."""
        marked = []
        for worker in workers:
            begun = worker.hands.started()
            slots = [slot for slot in worker.hands.slots if slot not in begun]
            worker.hands.revoke(slots)
            marked.append((worker, slots))
        if any(slots for _, slots in marked):
            self.clock.sleep(REVOKE_SECONDS)
        now = self.clock.monotonic()
        for worker, slots in marked:
            self.backlog.waiting.put_back(worker.hands.take_back(slots, now))

    def _patience(self) -> float:
        if self._killing():
            return KILL_TICK
        now = self.clock.monotonic()
        if self._revoked or any(worker.hands.slots for worker in self.crew.workers()):
            self._busy_at = now
        if now - self._busy_at < IDLE_TICK:  # the next messages may come any moment
            return TICK
        due = self.crew.next_start()
        return IDLE_TICK if due is None else min(IDLE_TICK, max(0, due - now))

    def _killing(self) -> bool:
        return any(
            worker.kill_at is not None or worker.killed or worker.silent
            for worker in self.crew.workers()
        )

    def _collect(self, worker: WorkerProcess, effects: Effects, *, dead: bool = False) -> None:
        """Take note of what a process has finished."""
        ended, left = worker.hands.collect(dead=dead)
        if left:
            self.backlog.waiting.put_back(left)
        if not ended:
            return
        offset = self.clock.time() - self.clock.monotonic()
        times = [finished - started for _, _, started, finished in ended]
        self._times.extend(times)
        if max(times) >= FAST:  # looked at again in the next tick
            self._chunk = 1
        effects.end(self.backlog, ended, offset)
        if not worker.hands.slots:
            worker.alone = False
            effects.lines += worker.end_lines(self.clock.time())

    def _tick(self, now: float, effects: Effects) -> None:
        """Look for what nobody reports: ends in pages, time limits, dead processes."""
        for worker in self.crew.workers():
            if worker.hands.slots:
                self._collect(worker, effects)
        for seat, worker, death in self.crew.reap():
            effects.lines += self.crew.bury(worker, self.clock.time())
            self._collect(worker, effects, dead=True)
            bury(seat, worker, death, self, effects)
        for worker in self.crew.workers():
            expire(worker, self._terms.seconds, now, effects)
        self._chunk = chunk_size(self._times.p95())
        self._take_back_held(now)
        if not self.closing:
            effects.problems += self.crew.fill_seats(now)

    def _take_back_held(self, now: float) -> None:
        """Take back what waits behind a slow message: marked in one tick, taken in the next."""
        alive = list(self.crew.workers())
        for worker, slots in self._revoked:
            if worker in alive:
                self.backlog.waiting.put_back(worker.hands.take_back(slots, now))
        self._revoked = []
        patience = max(HELD_BACK_SECONDS, 2 * self._times.p95())
        for worker in self.crew.ready():
            if slots := worker.hands.held_back(now, patience):
                worker.hands.revoke(slots)
                self._revoked.append((worker, slots))

    def _hand_out(self, start: Callable[[int], bool], effects: Effects) -> None:
        """Hand messages over as far as there is room; one thread at a time does so.

        `start` takes locks of its own, and is called without ours.
        """
        while True:
            if not self.backlog:  # whoever adds to it hands out, or wakes a turn, afterwards
                return
            with self.lock:
                chosen = [] if self.closing else self._choose()
            refused: list[Delivery] = []
            for worker, deliveries, together in chosen:
                may_start = [start(one.key) for one in deliveries]
                allowed = list(compress(deliveries, may_start))
                refused += [one for one, may in zip(deliveries, may_start, strict=True) if not may]
                if allowed:
                    with self.lock:
                        worker.hand(allowed, self.clock.monotonic(), together=together)
                        self.crew.send_rest(worker)
            if not refused:
                return
            with self.lock:
                for one in refused:
                    effects.forget(self.backlog, one)

    def _choose(self) -> list[tuple[WorkerProcess, list[Delivery], bool]]:
        """Take deliveries out of the backlog, each with the process that is to get it."""
        workers = [worker for worker in self.crew.ready() if not worker.alone and worker.hands.room]
        if len(workers) > 1:
            workers.sort(key=lambda worker: len(worker.hands.slots))
        chosen = []
        if workers and self.backlog.next_suspect() is not None:
            # One at a time: nothing more for this process until it is idle.
            reserved = workers.pop(0)
            if not reserved.hands.slots and not any(one.alone for one in self.crew.workers()):
                reserved.alone = True
                chosen.append((reserved, [self.backlog.take_suspect()], False))
        for place, worker in enumerate(workers):
            chosen += self._share(worker, len(workers) - place)
        return chosen

    def _share(
        self, worker: WorkerProcess, processes: int
    ) -> list[tuple[WorkerProcess, list[Delivery], bool]]:
        """Take out what one process gets now, of what has to do for so many."""
        waiting = self.backlog.waiting
        if not len(waiting):
            return []
        batch = worker.kind == HandlerKind.BATCH
        chunk = 1 if batch else self._chunk
        busy = worker.hands.calls(list(worker.hands.slots)) if batch else len(worker.hands.slots)
        wanted = calls_wanted(chunk, self._terms.concurrency, busy)
        if batch:
            frames = [waiting.take(MAX_BATCH, batch=True) for _ in range(wanted)]
        else:
            wanted = min(wanted, -(-len(waiting) // processes))
            frames = [waiting.take(min(chunk, wanted - n)) for n in range(0, wanted, chunk)]
        return [(worker, frame, batch) for frame in frames if frame]
