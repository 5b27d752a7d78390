"""The scheduler: tasks in virtual time, of which one runs, and a seed decides which one.

A task is a greenlet, so it runs until it waits by a port, and no thread of the computer is in it.
Whenever a task waits, or is interrupted where a lock is taken or a clock is read, the scheduler
draws the next one of those that can run. If none can, time jumps to the first that will.
"""

from __future__ import annotations

import heapq
from math import inf
from typing import TYPE_CHECKING, Final

from greenlet import GreenletExit, getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

MOST_STEPS: Final = 400_000
"""Steps after which a universe counts as one that never ends."""


class StuckError(Exception):
    """No task can go on, now or later, or they go on for ever."""


class Machine:
    """What lives and ends as one: the tasks of one process, or those of SQS.

    A frozen machine (SIGSTOP) runs again at `frozen_until`; `slow` is by how much longer a step of
    it takes than one of others; `jump` is by how much its wall clock is wrong; `waiting` is for how
    many slow requests it waits, and `gave_up` whether it has not waited for one to its end.
    """

    def __init__(self, name: str) -> None:
        """Start without a task."""
        self.name = name
        self.dead = False
        self.frozen_until = -inf
        self.slow = 1.0
        self.jump = 0.0
        self.waiting = 0
        self.gave_up = False
        self.tasks: set[Task] = set()


class Task:
    """One thread of a machine."""

    __slots__ = ("alive", "green", "machine", "name", "number", "queued", "waits", "watchers")

    def __init__(self, number: int, name: str, machine: Machine, green: greenlet) -> None:
        """Start as a task that can run."""
        self.number = number
        self.name = name
        self.machine = machine
        self.green = green
        self.alive = True
        self.queued = False
        self.waits = 0
        self.watchers: list[Task] = []


class Scheduler:
    """Runs tasks one at a time; `now` is virtual, in seconds since the universe began."""

    def __init__(self, rng: Random, step_seconds: float, interruptions: float) -> None:
        """Let a step take up to `step_seconds`, and end early with this probability."""
        self.now = 0.0
        self.steps = 0
        self.closing = False
        self.current: Task | None = None
        self.error: BaseException | None = None
        self.after_step: Callable[[Task], None] = lambda _task: None
        self._random = rng.random
        self._step_seconds = step_seconds
        self._interruptions = interruptions
        self._hub = getcurrent()
        self._ready: list[Task] = []
        self._timers: list[tuple[float, int, int, Task]] = []
        self._numbers = 0
        self._thaw = -inf

    # What tasks call.

    def spawn(self, machine: Machine, name: str, function: Callable[[], object]) -> Task:
        """Let the function run as a task."""

        def run() -> None:
            try:
                function()
            except GreenletExit:
                pass
            except BaseException as error:  # noqa: BLE001 - `run` raises it in the hub
                self.error = self.error or error
            task.alive = False
            machine.tasks.discard(task)
            for watcher in task.watchers:
                self.wake(watcher)

        self._numbers += 1
        task = Task(self._numbers, name, machine, greenlet(run, self._hub))
        machine.tasks.add(task)
        self._queue(task)
        return task

    def interrupt(self) -> None:
        """Let another task run first, sometimes: this is where a thread could be interrupted."""
        if self._interruptions and self._random() < self._interruptions:
            self.pause()

    def pause(self) -> None:
        """Let another task run first, if one is drawn."""
        task = self._me()
        self._queue(task)
        self._hub.switch()
        self._check()

    def block(self, until: float = inf) -> bool:
        """Wait until somebody wakes the current task, or until this time; return which it was."""
        task = self._me()
        task.waits += 1
        if until < inf:
            heapq.heappush(self._timers, (until, task.number, task.waits, task))
        self._hub.switch()
        self._check()
        return self.now < until

    def sleep(self, seconds: float) -> None:
        """Wait for this time."""
        until = self.now + seconds
        while self.now < until:
            self.block(until)

    def wake(self, task: Task) -> None:
        """Let a task that waits run again."""
        if task.alive and not task.queued:
            task.waits += 1
            self._queue(task)

    # What the universe calls, outside of tasks.

    def run(self, until: float, done: Callable[[], bool] = lambda: False) -> None:
        """Run tasks until this time, or until something is done.

        Raises:
            StuckError: nothing can happen any more.
        """
        timers, random = self._timers, self._random
        while not done():
            while timers and timers[0][0] <= self.now:
                self._fire()
            task = self._choose(random)
            if task is None:
                if self.now >= until:
                    return
                self._jump(until)
                continue
            if self.now >= until:
                self._queue(task)
                return
            self._step(task)
            if self.steps > MOST_STEPS:
                raise StuckError(f"not at an end after {MOST_STEPS} steps")

    def kill(self, machine: Machine) -> None:
        """End a machine at once, in whatever its tasks are."""
        machine.dead = True
        self._ready = [task for task in self._ready if task.machine is not machine]

    def freeze(self, machine: Machine, seconds: float) -> None:
        """Let a machine do nothing for this time."""
        machine.frozen_until = max(machine.frozen_until, self.now + seconds)
        self._thaw = max(self._thaw, machine.frozen_until)

    def close(self, machines: list[Machine]) -> None:
        """End every task that is left, so that nothing of it stays in memory."""
        self.closing = True
        for machine in machines:
            for task in sorted(machine.tasks, key=lambda task: task.number):
                task.alive = False
                task.green.throw(GreenletExit)

    def _step(self, task: Task) -> None:
        self.steps += 1
        self.current = task
        self.now += self._step_seconds * self._random() * task.machine.slow
        task.green.switch()
        self.current = None
        if self.error is not None:
            raise self.error
        self.after_step(task)

    def _choose(self, random: Callable[[], float]) -> Task | None:
        ready = self._ready
        if self.now < self._thaw:
            places = [
                place for place, task in enumerate(ready) if task.machine.frozen_until <= self.now
            ]
            if not places:
                return None
            place = places[int(random() * len(places))]
        elif ready:
            place = int(random() * len(ready))
        else:
            return None
        task, ready[place] = ready[place], ready[-1]
        ready.pop()
        task.queued = False
        return task

    def _jump(self, until: float) -> None:
        """Go on to the next time at which something can run."""
        times = [until]
        if self._timers:
            times.append(self._timers[0][0])
        times += [task.machine.frozen_until for task in self._ready]
        if min(times) == inf:
            raise StuckError("every thread waits for another one")
        self.now = max(self.now, min(times))

    def _fire(self) -> None:
        _, _, waits, task = heapq.heappop(self._timers)
        if task.waits == waits and not task.machine.dead:
            self.wake(task)

    def _queue(self, task: Task) -> None:
        if not task.machine.dead:
            task.queued = True
            self._ready.append(task)

    def _me(self) -> Task:
        if self.closing or self.current is None:
            raise GreenletExit
        return self.current

    def _check(self) -> None:
        if self.closing:
            raise GreenletExit
