"""Processes as instances: starts, signals and ends a consumer process for each instance."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import IO, TYPE_CHECKING, ClassVar, cast

from tidemill.rig.child_processes import (
    child_environment,
    end_children,
    limit_file_size,
    signal_all,
)
from tidemill.rig.instances import Instances
from tidemill.rig.lifetime import ProgramState, Rules
from tidemill.scaling.fault_kinds import WorldKind
from tidemill.scaling.times.catalogue import USUAL, Times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tidemill.rig.clock import AwsClock
    from tidemill.rig.lifetime import Lifetime

OF_ALL = frozenset({"SIGKILL", "SIGSTOP", "SIGCONT"})
"""Signals that happen to a whole instance, and not to its consumer alone."""

COPY_SECONDS = 2.0
"""Time for the last output of a consumer that has ended to be in its file."""

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
        self._copiers: dict[str, list[subprocess.Popen[bytes]]] = {}

    def polled(self) -> bool:
        """Return whether any consumer runs."""
        return any(process.poll() is None for process in self._processes.values())

    def close(self) -> None:
        """End every consumer: first by SIGTERM, then by SIGKILL."""
        end_children(list(self._processes.values()), STOP_SECONDS)
        for instance in list(self._copiers):
            self._end_copiers(instance)
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
        lines, errors = self._copier(instance, "jsonl"), self._copier(instance, "err")
        self._processes[instance] = subprocess.Popen(
            self._command,
            env=child_environment(self._folder, self._environment(instance)),
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=errors,
            start_new_session=True,  # Ctrl-C reaches the rig only, which ends its children
        )
        lines.close()
        errors.close()

    def _copier(self, instance: str, suffix: str) -> IO[bytes]:
        """Return the pipe of a process that appends what it reads to a file of the logs.

        So a consumer's output is a pipe, as it is in a container: it survives a full disk, and what
        a killed consumer has written is kept.
        """
        with (self.logs / f"{instance}.{suffix}").open("ab") as out:
            copier = subprocess.Popen(
                ["cat"],  # noqa: S607 - whichever this machine has
                env=child_environment(self._folder, {}),
                stdin=subprocess.PIPE,
                stdout=out,
                start_new_session=True,
            )
        self._copiers.setdefault(instance, []).append(copier)
        return cast("IO[bytes]", copier.stdin)

    def _signal(self, instance: str, name: str) -> None:
        process = self._processes.get(instance)
        if process is None:
            return
        if name not in OF_ALL:
            process.send_signal(signal.Signals[name])
        elif process.poll() is None:
            signal_all(process.pid, name)
        if name == "SIGKILL":
            process.wait()

    def _limit_disk(self, instance: str, *, full: bool) -> None:
        process = self._processes.get(instance)
        if process is not None and process.poll() is None:
            limit_file_size(process.pid, full=full)

    def _remove(self, instance: str) -> None:
        self._signal(instance, "SIGKILL")

    def _release(self, instance: str) -> None:
        self._processes.pop(instance, None)
        self._end_copiers(instance)

    def _end_copiers(self, instance: str) -> None:
        """Wait until all output is copied, but not for a process that still holds it."""
        for copier in self._copiers.pop(instance, []):
            try:
                copier.wait(COPY_SECONDS)
            except subprocess.TimeoutExpired:
                copier.kill()
                copier.wait()

    def _describe_end(self, instance: str) -> str:
        self._end_copiers(instance)  # afterwards its last line is in the file
        code = self._processes[instance].returncode
        if code < 0:
            return f"its consumer was killed by signal {-code}"
        written = (self.logs / f"{instance}.err").read_text(errors="replace").strip()
        last = written.splitlines()[-1] if written else "it wrote no output"
        return f"its consumer ended with exit code {code}: {last}"
