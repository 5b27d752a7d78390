"""Processes as instances: starts, signals and ends a consumer process for each instance."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, ClassVar

from tidemill.rig.child_processes import child_environment, end_children
from tidemill.rig.instances import Instances
from tidemill.rig.lifetime import ProgramState, Rules
from tidemill.scaling.faults import WorldKind
from tidemill.scaling.times.catalogue import USUAL, Times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tidemill.rig.clock import AwsClock
    from tidemill.rig.lifetime import Lifetime

STOP_SECONDS = 5.0
"""Time for consumers to end after SIGTERM when the rig ends."""


class ProcessWorld(Instances):
    """A world in which each instance's program is a process, usually `python -m consumer`."""

    kind: ClassVar[WorldKind] = WorldKind.PROCESSES

    def __init__(
        self,
        folder: Path,
        clock: AwsClock,
        environment: Callable[[str], Mapping[str, str]],
        times: Times = USUAL,
        command: Sequence[str] = (sys.executable, "-m", "consumer"),
    ) -> None:
        """Prepare an empty world.

        Args:
            folder: the rig's folder; the output of consumers is written to logs/ in it.
            clock: AWS's time.
            environment: returns the consumer's settings for an instance id.
            times: AWS's times, of which instances take the means.
            command: the consumer's command line.
        """
        super().__init__(folder, clock, Rules.of_consumers(times))
        self._folder = folder
        self._environment = environment
        self._command = command
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def polled(self) -> bool:
        """Return whether any consumer runs."""
        return any(process.poll() is None for process in self._processes.values())

    def close(self) -> None:
        """End every consumer: first by SIGTERM, then by SIGKILL."""
        end_children(list(self._processes.values()), STOP_SECONDS)
        self._processes.clear()
        self._lifetimes.clear()

    def _find_programs(self) -> dict[str, ProgramState]:
        return {instance: self._program(instance) for instance in self._lifetimes}

    def _program(self, instance: str) -> ProgramState:
        process = self._processes.get(instance)
        if self._lifetimes[instance].terminated:
            return ProgramState.REMOVED  # `_remove` has waited for its end
        if process is None:
            return ProgramState.WAITING
        return ProgramState.RUNNING if process.poll() is None else ProgramState.ENDED

    def _create(self, instance: str) -> None:
        """Do nothing: a process needs no preparation before its start."""

    def _update_metadata(self, lifetime: Lifetime) -> None:
        """Do nothing: a process has no instance metadata."""

    def _show_target(self, instance: str, target: str) -> None:
        """Do nothing: a process has no instance metadata."""

    def _start(self, instance: str) -> None:
        with (
            (self.logs / f"{instance}.jsonl").open("ab") as out,
            (self.logs / f"{instance}.err").open("ab") as err,
        ):
            self._processes[instance] = subprocess.Popen(
                self._command,
                env=child_environment(self._folder, self._environment(instance)),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,  # Ctrl-C reaches the rig only, which ends its children
            )

    def _signal(self, instance: str, name: str) -> None:
        process = self._processes.get(instance)
        if process is None:
            return
        process.send_signal(signal.Signals[name])
        if name == "SIGKILL":
            process.wait()

    def _remove(self, instance: str) -> None:
        self._signal(instance, "SIGKILL")

    def _release(self, instance: str) -> None:
        self._processes.pop(instance, None)

    def _describe_end(self, instance: str) -> str:
        code = self._processes[instance].returncode
        if code < 0:
            return f"its consumer was killed by signal {-code}"
        written = (self.logs / f"{instance}.err").read_text(errors="replace").strip()
        last = written.splitlines()[-1] if written else "it wrote no output"
        return f"its consumer ended with exit code {code}: {last}"
