"""Clock, threads, conditions and stops of a machine in a universe: the consumer's own ports."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from greenlet import GreenletExit

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.universes.scheduler import Machine, Scheduler, Task

START: Final = 1_790_000_000.0
"""The epoch second at which a universe begins: in September 2026."""


class UniverseClock:
    """Virtual time; a thread may be interrupted whenever it looks at the clock."""

    def __init__(self, scheduler: Scheduler, machine: Machine) -> None:
        """Be the clock of this machine, whose wall clock may be set."""
        self._scheduler = scheduler
        self._machine = machine

    def time(self) -> float:
        """Return the seconds since the epoch, as this machine's wall clock has them."""
        self._scheduler.interrupt()
        return START + self._scheduler.now + self._machine.jump

    def monotonic(self) -> float:
        """Return the seconds since the universe began."""
        self._scheduler.interrupt()
        return self._scheduler.now

    def sleep(self, seconds: float) -> None:
        """Return after this time."""
        self._scheduler.sleep(seconds)


class UniverseThread:
    """A task as a thread of the standard library."""

    def __init__(self, scheduler: Scheduler, task: Task) -> None:
        """Stand for this task."""
        self._scheduler = scheduler
        self._task = task

    def join(self, timeout: float | None = None) -> None:
        """Wait until it ends, or for this many seconds."""
        until = inf if timeout is None else self._scheduler.now + timeout
        while self._task.alive and self._scheduler.now < until:
            me = self._scheduler.current
            if me is None:
                raise GreenletExit
            self._task.watchers.append(me)
            self._scheduler.block(until)

    def is_alive(self) -> bool:
        """Return whether it has not ended."""
        self._scheduler.interrupt()
        return self._task.alive


class UniverseThreads:
    """Threads of a machine; `refused` says whether no further one can be started now."""

    def __init__(
        self, scheduler: Scheduler, machine: Machine, refused: Callable[[str], bool]
    ) -> None:
        """Start threads on this machine."""
        self._scheduler = scheduler
        self._machine = machine
        self._refused = refused

    def start(self, name: str, function: Callable[[], object]) -> UniverseThread:
        """Run the function in a task; raise what Python raises where there is no thread left."""
        if self._refused(name):
            raise RuntimeError("can't start new thread")
        thread = UniverseThread(
            self._scheduler, self._scheduler.spawn(self._machine, name, function)
        )
        self._scheduler.interrupt()
        return thread

    def condition(self) -> UniverseCondition:
        """Return a new condition."""
        return UniverseCondition(self._scheduler)


class UniverseCondition:
    """A condition as in the standard library: who waits looks again only when it is notified."""

    __slots__ = ("_depth", "_entering", "_owner", "_scheduler", "_waiting")

    def __init__(self, scheduler: Scheduler) -> None:
        """Start free."""
        self._scheduler = scheduler
        self._owner: Task | None = None
        self._depth = 0
        self._entering: list[Task] = []
        self._waiting: list[Task] = []

    @property
    def free(self) -> bool:
        """Return whether nobody has the lock."""
        return self._owner is None

    def __enter__(self) -> bool:
        """Take the lock, which a thread may have already."""
        me = self._me()
        if self._owner is me:
            self._depth += 1
            return True
        self._scheduler.interrupt()
        self._take(me)
        return True

    def __exit__(self, *_: object) -> None:
        """Release the lock."""
        if self._scheduler.closing:
            return
        self._depth -= 1
        if not self._depth:
            self._release()
            self._scheduler.interrupt()

    def wait_for(self, predicate: Callable[[], object], timeout: float | None = None) -> object:
        """Wait until the predicate holds, or for this many seconds; return its last value."""
        until = inf if timeout is None else self._scheduler.now + timeout
        me = self._me()
        if self._owner is not me:
            raise RuntimeError("cannot wait on un-acquired lock")
        while not (result := predicate()) and self._scheduler.now < until:
            self._waiting.append(me)
            depth, self._depth = self._depth, 0
            self._release()
            self._scheduler.block(until)
            if me in self._waiting:
                self._waiting.remove(me)
            self._take(me)
            self._depth = depth
        return result

    def notify_all(self) -> None:
        """Let every thread that waits look at its predicate again."""
        if self._owner is not self._me():
            raise RuntimeError("cannot notify on un-acquired lock")
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self._scheduler.wake(task)

    def _take(self, me: Task) -> None:
        while self._owner is not None:
            self._entering.append(me)
            self._scheduler.block()
        self._owner, self._depth = me, 1

    def _release(self) -> None:
        self._owner = None
        entering, self._entering = self._entering, []
        for task in entering:
            self._scheduler.wake(task)

    def _me(self) -> Task:
        me = self._scheduler.current
        if me is None or self._scheduler.closing:
            raise GreenletExit
        return me


class UniverseStop:
    """A stop that the universe requests, as a signal would, or the consumer itself."""

    def __init__(self, scheduler: Scheduler) -> None:
        """Start with no stop requested."""
        self._scheduler = scheduler
        self._waiting: list[Task] = []
        self._requested = False
        self.hurried = False
        self.requested_at: float | None = None

    def request(self) -> None:
        """Request a stop."""
        if self._scheduler.closing:
            return
        if not self._requested:
            self.requested_at = self._scheduler.now
        self._requested = True
        self._wake()

    def hurry(self) -> None:
        """End at once, as a second signal asks for."""
        self.request()
        self.hurried = True
        self._wake()

    def requested(self) -> bool:
        """Return whether a stop was requested."""
        self._scheduler.interrupt()
        return self._requested

    def wait(self, seconds: float) -> bool:
        """Wait up to this many seconds; return True as soon as a stop is requested."""
        self._wait(seconds, self.requested)
        return self._requested

    def wait_hurried(self, seconds: float) -> bool:
        """Wait up to this many seconds for a second signal; return whether there was one."""
        self._wait(seconds, lambda: self.hurried)
        return self.hurried

    def _wait(self, seconds: float, done: Callable[[], bool]) -> None:
        until = self._scheduler.now + seconds
        while not done() and self._scheduler.now < until:
            if self._scheduler.current is not None:
                self._waiting.append(self._scheduler.current)
            self._scheduler.block(until)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self._scheduler.wake(task)
