"""Lifetime of one instance of a rig: a pure state machine that processes and containers share.

A lifetime has no effects of its own. Each order, fault and check returns a `Change`: the new
lifetime, and the steps that its world carries out with the real program, in order. Times are AWS's.

Example with 60 s to boot, launched at 0: a check at 20 returns `Booted`; a check at 60 returns
`Start`; a drain at 100 returns `Signal("SIGTERM")`; the first check after the program has ended
returns `HookCompleted`; terminate returns `Remove`; the first check after the program has been
removed returns `ReportVanished("")`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from tidemill.scaling.loop import Booted, HookCompleted
from tidemill.scaling.times.catalogue import mean_of

if TYPE_CHECKING:
    from tidemill.scaling.times.catalogue import Times

SHUTDOWN_SECONDS: Final = 90
"""Time for the programs of a stopped instance to end before its operating system kills them
(systemd, DefaultTimeoutStopSec)."""

RECLAIMED: Final = "EC2 took the Spot instance back"
VANISHED: Final = "its container no longer exists"


class ProgramState(Enum):
    """States of an instance's program, as its world finds them."""

    WAITING = auto()
    """The program has not been started."""
    RUNNING = auto()
    ENDED = auto()
    REMOVED = auto()
    """The program and its container no longer exist."""


@dataclass(frozen=True, slots=True)
class Start:
    """Step: start the program."""


START: Final = Start()


@dataclass(frozen=True, slots=True)
class Signal:
    """Step: send a signal to every program of the instance; `name` is such as SIGTERM."""

    name: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Step: kill every program of the instance."""


@dataclass(frozen=True, slots=True)
class LimitDisk:
    """Step: take from every program of the instance the room on its disk, or give it back."""

    full: bool


@dataclass(frozen=True, slots=True)
class ReportVanished:
    """Step: remove the rest of the instance, and report that it no longer exists.

    `detail` is the reason; None stands for the exit code and the last line of the program.
    """

    detail: str | None


Step = Start | Signal | Remove | LimitDisk | ReportVanished | Booted | HookCompleted


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules for all instances of a rig.

    Attributes:
        runs_after: seconds from launch to running.
        starts_after: seconds from launch until the program starts.
        restarts_after: the same for an instance that is launched again after a stop.
        drained_by_signal: whether SIGTERM drains the program and its end completes the lifecycle
            hook. It is false if user data does both.
    """

    runs_after: float
    starts_after: float
    restarts_after: float
    drained_by_signal: bool

    @staticmethod
    def of_consumers(times: Times) -> Rules:
        """Return the rules for a consumer as the program; every time is its mean.

        Example with 20 s until running, 40 s until work and restarts of 10 s: running after 20 s,
        program started after 60 s, after a restart from the warm pool after 30 s.
        """
        runs_after = mean_of(times.until_running())
        return Rules(
            runs_after, times.boot(), runs_after + times.restart.mean, drained_by_signal=True
        )

    @staticmethod
    def of_user_data(times: Times) -> Rules:
        """Return the rules for user data as the program, started when the instance runs.

        Example with 20 s until running: running and program started after 20 s; the user data
        starts the consumer.
        """
        runs_after = mean_of(times.until_running())
        return Rules(runs_after, runs_after, runs_after, drained_by_signal=False)


@dataclass(frozen=True, slots=True)
class Change:
    """Result of an order, a fault or a check: the new lifetime, and steps to carry out in order."""

    lifetime: Lifetime
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Lifetime:
    """State of an instance from its launch to its end.

    Attributes:
        instance: the instance's id.
        rules: the rules of its rig.
        launched_at: when it was launched, or launched again from the warm pool.
        starts_at: when its program starts.
        booted: whether it runs and `Booted` was returned.
        started: whether its program was started.
        draining: whether it was ordered to drain.
        terminated: whether it was ordered to terminate.
        stopped_at: when it was stopped for the warm pool, None if it was not.
        ends_at: when EC2 terminates it after a Spot notice, None without a notice.
        metadata_back_at: until when its instance metadata service fails.
        later: steps that end a fault, with the times at which they are due. The last of all is
            the report of an instance that has failed.
    """

    instance: str
    rules: Rules
    launched_at: float
    starts_at: float
    booted: bool = False
    started: bool = False
    draining: bool = False
    terminated: bool = False
    stopped_at: float | None = None
    ends_at: float | None = None
    metadata_back_at: float = 0.0
    later: tuple[tuple[float, Step], ...] = ()

    @staticmethod
    def launch(instance: str, rules: Rules, now: float) -> Lifetime:
        """Return the lifetime of an instance that is launched now."""
        return Lifetime(instance, rules, now, now + rules.starts_after)

    @staticmethod
    def adopt(instance: str, rules: Rules, launched_at: float, *, running: bool) -> Lifetime:
        """Return the lifetime of an instance that an earlier controller has launched."""
        fresh = Lifetime.launch(instance, rules, launched_at)
        return replace(fresh, booted=running, started=running)

    def launch_again(self, now: float) -> Change:
        """Boot a stopped instance again; programs that still run on it are killed."""
        rules = self.rules
        seconds = rules.restarts_after if self.started else rules.starts_after
        return Change(
            Lifetime(self.instance, rules, now, now + seconds),
            (Signal("SIGKILL"),) if self.started else (),
        )

    def stop(self, now: float) -> Change:
        """Stop an instance for the warm pool, by SIGTERM to its programs."""
        return Change(replace(self, stopped_at=now), (Signal("SIGTERM"),) if self.started else ())

    def drain(self) -> Change:
        """Drain an instance; the end of its program completes the termination lifecycle hook."""
        return Change(replace(self, draining=True), self.drain_signal())

    def terminate(self) -> Change:
        """Terminate an instance at once, even if its program works."""
        return Change(replace(self, terminated=True), (Remove(),))

    def check(self, now: float, program: ProgramState) -> Change:
        """Return the steps that are due at this time, given the state of the program."""
        if program is ProgramState.REMOVED:
            return Change(self, (ReportVanished("" if self.terminated else VANISHED),))
        if self.terminated:
            return Change(self)  # a container engine may need seconds to remove it
        if self.stopped_at is not None:  # it neither boots nor completes a hook
            late = now >= self.stopped_at + SHUTDOWN_SECONDS and program is ProgramState.RUNNING
            return Change(self, (Signal("SIGKILL"),) if late else ())
        boots = not self.booted and now >= self.launched_at + self.rules.runs_after
        over = tuple(step for at, step in self.later if at <= now)
        if any(isinstance(step, ReportVanished) for step in over):
            return Change(self, over[-1:])
        steps = self._due(now, program)
        return Change(
            replace(
                self,
                booted=self.booted or boots,
                started=self.started or START in steps,
                later=tuple(one for one in self.later if one[0] > now),
            ),
            ((Booted(self.instance),) if boots else ()) + over + steps,
        )

    def _due(self, now: float, program: ProgramState) -> tuple[Step, ...]:
        """Return the steps that are due on an instance that is neither stopped nor terminated."""
        # `started` is false again for an instance that was launched again after a stop.
        ended = self.started and program is ProgramState.ENDED
        if self.ends_at is not None and now >= self.ends_at:
            return (ReportVanished(RECLAIMED),)
        if self.draining and self.rules.drained_by_signal and (ended or not self.started):
            return (HookCompleted(self.instance),)
        if ended and self.ends_at is None:  # after a Spot notice, the end of a program is expected
            return (ReportVanished(None),)
        return (START,) if not self.started and now >= self.starts_at else ()

    def drain_signal(self) -> tuple[Step, ...]:
        """Return the signal that drains the program, as the drain watcher sends it on EC2."""
        return (Signal("SIGTERM"),) if self.started and self.rules.drained_by_signal else ()
