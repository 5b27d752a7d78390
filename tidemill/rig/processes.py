"""Consumer processes as instances: a boot that takes its time, SIGTERM when they have to go."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tidemill.rig.children import end_children
from tidemill.rig.errors import RigError
from tidemill.rig.leftovers import child_environment
from tidemill.scaling.boot_times import LAUNCH_SECONDS, RESTART_SECONDS, USER_DATA_SECONDS
from tidemill.scaling.loop import Booted, Gone, HookCompleted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tidemill.scaling.loop import InstanceEvent

NOTICE_SECONDS = 120
"""Between a Spot instance's notice and its end (EC2 user guide, "Spot Instance interruption
notices")."""

SHUTDOWN_SECONDS = 90
"""How long the system of an instance that is stopped waits for its consumer to end, before it kills
it (systemd, DefaultTimeoutStopSec)."""

TAKEN_BACK = "EC2 took the Spot instance back"

STOP_SECONDS = 5.0


class Clock(Protocol):
    """Tells AWS's time."""

    def now(self) -> float:
        """Return epoch seconds."""
        ...


@dataclass(slots=True)
class Machine:
    """One instance: its consumer, once it has started, and how far its lifecycle has come.

    Times are AWS's: `works_at` is when its consumer starts, `stopped_at` when it was told to stop,
    and `ends_at` when a Spot instance that got its notice ends.
    """

    launched_at: float
    works_at: float
    process: subprocess.Popen[bytes] | None = None
    running: bool = False
    draining: bool = False
    done: bool = False
    stopped_at: float | None = None
    ends_at: float | None = None


class ProcessWorld:
    """Starts and stops `python -m consumer` processes as the group orders instances."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        environment: Callable[[str], Mapping[str, str]],
        boot_seconds: float = LAUNCH_SECONDS + USER_DATA_SECONDS,
        command: Sequence[str] = (sys.executable, "-m", "consumer"),
    ) -> None:
        """Get ready.

        Args:
            folder: the rig's; what instances write goes to logs/ in it.
            clock: AWS's time.
            environment: the consumer's settings for an instance id.
            boot_seconds: AWS's seconds from launch until the consumer starts.
            command: what the consumer is.
        """
        self._folder = folder
        self._clock = clock
        self._environment = environment
        self._boot_seconds = boot_seconds
        self._command = command
        self._launch_seconds = min(LAUNCH_SECONDS, boot_seconds)
        self._machines: dict[str, Machine] = {}
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)

    def launch(self, instance: str) -> None:
        """Start an instance with this id; its consumer follows when it has booted.

        One that was stopped boots again, faster if its consumer had started before.
        """
        seconds = self._boot_seconds
        known = self._machines.get(instance)
        if known is not None and known.process is not None:
            self._kill(known)
            seconds = min(seconds, self._launch_seconds + RESTART_SECONDS)
        now = self._clock.now()
        self._machines[instance] = Machine(now, now + seconds)

    def stop(self, instance: str) -> None:
        """Stop an instance: its consumer is asked to end, and may be launched again later."""
        machine = self._machines.get(instance)
        if machine is None:
            return
        machine.stopped_at = self._clock.now()
        if machine.process is not None:
            machine.process.terminate()

    def drain(self, instance: str) -> None:
        """Tell an instance's consumer to finish, as the drain watcher does on EC2."""
        machine = self._machines.get(instance)
        if machine is None:
            return
        machine.draining = True
        if machine.process is not None:
            machine.process.terminate()

    def interrupt(self, instance: str) -> None:
        """Give an instance the notice that a Spot instance gets; two minutes later it is gone.

        Another notice changes nothing.

        Raises:
            RigError: it is not there.
        """
        machine = self._machines.get(instance)
        if machine is None:
            raise RigError(f"{instance} is not there any more")
        if machine.ends_at is None:
            machine.ends_at = self._clock.now() + NOTICE_SECONDS
            if machine.process is not None:
                machine.process.terminate()

    def terminate(self, instance: str) -> None:
        """End an instance, whatever its consumer does."""
        machine = self._machines.get(instance)
        if machine is None:
            return
        machine.done = True
        self._kill(machine)

    def polled(self) -> bool:
        """Tell whether any consumer runs."""
        return any(
            machine.process is not None and machine.process.poll() is None
            for machine in self._machines.values()
        )

    def events(self) -> Iterator[InstanceEvent]:
        """Yield what instances did since the last call, and let booted ones start working."""
        now = self._clock.now()
        for instance, machine in list(self._machines.items()):
            if machine.stopped_at is not None:
                yield from self._look_at_stopped(instance, machine, machine.stopped_at, now)
                continue
            if not machine.running and now - machine.launched_at >= self._launch_seconds:
                machine.running = True
                yield Booted(instance)
            if machine.ends_at is not None and now >= machine.ends_at:
                self._kill(machine)
                yield self._forget(instance, TAKEN_BACK)
            elif machine.process is None:
                yield from self._look_at_empty(instance, machine, now)
            elif machine.process.poll() is not None:
                if machine.done:
                    yield self._forget(instance)
                elif machine.draining:
                    yield HookCompleted(instance)
                elif machine.ends_at is None:  # else it did as the notice said
                    words = self._last_words(instance, machine.process.returncode)
                    yield self._forget(instance, words)

    def _look_at_empty(
        self, instance: str, machine: Machine, now: float
    ) -> Iterator[InstanceEvent]:
        """Go on with an instance whose consumer has not started."""
        if machine.done:
            yield self._forget(instance)
        elif machine.draining:
            yield HookCompleted(instance)
        elif now >= machine.works_at:
            machine.process = self._start(instance)

    def _look_at_stopped(
        self, instance: str, machine: Machine, stopped_at: float, now: float
    ) -> Iterator[InstanceEvent]:
        """Go on with an instance that is stopped: nobody on it can complete a hook."""
        if machine.done:
            yield self._forget(instance)
        elif now >= stopped_at + SHUTDOWN_SECONDS:
            self._kill(machine)

    def _forget(self, instance: str, detail: str = "") -> Gone:
        del self._machines[instance]
        return Gone(instance, detail)

    def close(self) -> None:
        """End every consumer: first asked, then forced."""
        processes = [m.process for m in self._machines.values() if m.process is not None]
        end_children(processes, STOP_SECONDS)
        self._machines.clear()

    def _kill(self, machine: Machine) -> None:
        if machine.process is not None:
            machine.process.kill()
            machine.process.wait()

    def _start(self, instance: str) -> subprocess.Popen[bytes]:
        with (
            (self.logs / f"{instance}.jsonl").open("ab") as out,
            (self.logs / f"{instance}.err").open("ab") as err,
        ):
            return subprocess.Popen(
                self._command,
                env=child_environment(self._folder, self._environment(instance)),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,  # Ctrl-C is the rig's to hear; it ends its children itself
            )

    def _last_words(self, instance: str, code: int) -> str:
        said = (self.logs / f"{instance}.err").read_text(errors="replace").strip()
        if code < 0:
            return f"its consumer was killed by signal {-code}"
        last = said.splitlines()[-1] if said else "it said nothing"
        return f"its consumer ended with exit code {code}: {last}"
