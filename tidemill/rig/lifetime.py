"""The lifetime of one instance of a rig: a pure state machine under processes and containers.

A lifetime never acts. Each order, fault and look returns a `Change`: the new lifetime, and the
steps that its world has to take with the real program, in order. Times are AWS's.

Example with 60 s to boot: launched at 0; a look at 20 reports `Booted`; a look at 60 says `Start`;
a drain at 100 says `Signal("SIGTERM")`; once the program has ended, a look reports `HookCompleted`;
terminate says `Remove`; once nothing is left, a look says `Left("")`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from tidemill.rig.errors import RigError
from tidemill.scaling.boot_times import LAUNCH_SECONDS, RESTART_SECONDS
from tidemill.scaling.faults import SPOT, SPOT_NOTICE_SECONDS
from tidemill.scaling.loop import Booted, HookCompleted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemill.scaling.faults import Fault

SHUTDOWN_SECONDS: Final = 90
"""How long the system of an instance that is stopped waits for its programs to end before it kills
them (systemd, DefaultTimeoutStopSec)."""

TAKEN_BACK: Final = "EC2 took the Spot instance back"
VANISHED: Final = "its container is not there any more"


class Program(Enum):
    """What a world finds of an instance's program."""

    WAITING = auto()
    """It has not been started."""
    RUNNING = auto()
    ENDED = auto()
    REMOVED = auto()
    """Nothing is left of it or of its container."""


@dataclass(frozen=True, slots=True)
class Start:
    """Step: start the program."""


START: Final = Start()


@dataclass(frozen=True, slots=True)
class Signal:
    """Step: send a signal, by its name such as SIGTERM, to all that runs on the instance."""

    name: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Step: end all that runs on the instance, at once."""


@dataclass(frozen=True, slots=True)
class Left:
    """Step: remove what is left and report the instance as gone.

    `detail` says why; None stands for the last words of the program.
    """

    detail: str | None


Step = Start | Signal | Remove | Left | Booted | HookCompleted


@dataclass(frozen=True, slots=True)
class Rules:
    """What all instances of a rig have in common.

    Attributes:
        runs_after: seconds from launch to running.
        starts_after: seconds from launch until the program starts.
        restarts_after: the same where the program had started before the instance was stopped.
        drained_by_signal: SIGTERM drains the program, and its end completes the lifecycle hook.
            False where user data does both.
    """

    runs_after: float
    starts_after: float
    restarts_after: float
    drained_by_signal: bool

    @staticmethod
    def of_consumers(boot_seconds: float) -> Rules:
        """Return the rules where the program is the consumer, started `boot_seconds` after launch.

        boot_seconds 60 -> running after 20, started after 60, started again after 20 + 10.
        """
        runs_after = min(LAUNCH_SECONDS, boot_seconds)
        restarts_after = min(boot_seconds, runs_after + RESTART_SECONDS)
        return Rules(runs_after, boot_seconds, restarts_after, drained_by_signal=True)

    @staticmethod
    def of_user_data(boot_seconds: float) -> Rules:
        """Return the rules where the program is the user data: it starts as soon as it can.

        boot_seconds 60 -> running and started after 20; user data then decides how long it takes.
        """
        runs_after = min(LAUNCH_SECONDS, boot_seconds)
        return Rules(runs_after, runs_after, runs_after, drained_by_signal=False)


@dataclass(frozen=True, slots=True)
class Change:
    """The result of an order, a fault or a look: the new lifetime, and steps to take in order."""

    lifetime: Lifetime
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How far an instance has come.

    Attributes:
        instance: its id.
        rules: of its rig.
        launched_at: when it was launched, or launched again out of the warm pool.
        starts_at: when its program starts.
        booted: it runs, and that was reported.
        started: its program was started.
        draining: it has to finish its work and complete its lifecycle hook.
        terminated: it was ordered to end at once.
        stopped_at: when it was stopped for the warm pool.
        ends_at: when EC2 terminates it, after a Spot instance's notice.
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

    @staticmethod
    def launch(instance: str, rules: Rules, now: float) -> Lifetime:
        """Return the lifetime of an instance that is launched now."""
        return Lifetime(instance, rules, now, now + rules.starts_after)

    @staticmethod
    def adopt(instance: str, rules: Rules, launched_at: float, *, running: bool) -> Lifetime:
        """Return the lifetime of an instance that another controller has launched."""
        fresh = Lifetime.launch(instance, rules, launched_at)
        return replace(fresh, booted=running, started=running)

    def launch_again(self, now: float) -> Change:
        """Boot an instance that was stopped; what still runs on it is killed."""
        rules = self.rules
        seconds = rules.restarts_after if self.started else rules.starts_after
        return Change(
            Lifetime(self.instance, rules, now, now + seconds),
            (Signal("SIGKILL"),) if self.started else (),
        )

    def stop(self, now: float) -> Change:
        """Stop an instance for the warm pool: its programs are asked to end."""
        return Change(replace(self, stopped_at=now), (Signal("SIGTERM"),) if self.started else ())

    def drain(self) -> Change:
        """Let an instance finish its work before its termination lifecycle hook is completed."""
        return Change(replace(self, draining=True), self.drain_signal())

    def terminate(self) -> Change:
        """End an instance, whatever its program does."""
        return Change(replace(self, terminated=True), (Remove(),))

    def inject(self, fault: Fault, now: float) -> Change:
        """Let a fault happen to an instance.

        Raises:
            RigError: instances of a rig have no faults of this kind.
        """
        if fault.kind not in INJECTIONS:
            raise RigError(f"instances of a rig have no fault {fault.kind}")
        return INJECTIONS[fault.kind](self, fault, now)

    def look(self, now: float, program: Program) -> Change:
        """Return what is due at this time, given what the world finds of the program."""
        if program is Program.REMOVED:
            return Change(self, (Left("" if self.terminated else VANISHED),))
        if self.terminated:
            return Change(self)  # a container engine takes its time to remove it
        if self.stopped_at is not None:  # nothing that runs on it could complete a hook
            late = now >= self.stopped_at + SHUTDOWN_SECONDS and program is Program.RUNNING
            return Change(self, (Signal("SIGKILL"),) if late else ())
        boots = not self.booted and now >= self.launched_at + self.rules.runs_after
        steps = self._due(now, program)
        return Change(
            replace(self, booted=self.booted or boots, started=self.started or START in steps),
            ((Booted(self.instance),) if boots else ()) + steps,
        )

    def _due(self, now: float, program: Program) -> tuple[Step, ...]:
        """Return what is due on an instance that is neither stopped nor terminated."""
        # A program that ended before the instance was launched again is yet to start.
        ended = self.started and program is Program.ENDED
        if self.ends_at is not None and now >= self.ends_at:
            return (Left(TAKEN_BACK),)
        if self.draining and self.rules.drained_by_signal and (ended or not self.started):
            return (HookCompleted(self.instance),)
        if ended and self.ends_at is None:  # after a notice, a program ends in order
            return (Left(None),)
        return (START,) if not self.started and now >= self.starts_at else ()

    def drain_signal(self) -> tuple[Step, ...]:
        """Return what the drain watcher does on an instance that runs user data."""
        return (Signal("SIGTERM"),) if self.started and self.rules.drained_by_signal else ()


def _spot(lifetime: Lifetime, _: Fault, now: float) -> Change:
    """Give the notice of a Spot interruption; another notice changes nothing."""
    if lifetime.ends_at is not None:
        return Change(lifetime)
    ending = replace(lifetime, ends_at=now + SPOT_NOTICE_SECONDS)
    return Change(ending, lifetime.drain_signal())


INJECTIONS: Final[Mapping[str, Callable[[Lifetime, Fault, float], Change]]] = {SPOT.name: _spot}
"""What each kind of fault does to an instance, by its name."""
