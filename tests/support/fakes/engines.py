"""A container engine in memory, and a clock that tests set."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tidemill.rig.containers.engine import ContainerSpec, ContainerState
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass
class HandClock:
    """AWS's time, set by the test; it passes `speed` times faster than wall-clock time."""

    time: float = 0.0
    speed: float = 1.0

    def now(self) -> float:
        """Return the time that was set."""
        return self.time


@dataclass
class FakeContainer:
    """A container: its specification, state and output, the signals and commands that it got."""

    spec: ContainerSpec
    state: str = "created"
    code: int = 0
    out: list[bytes] = field(default_factory=list)
    err: bytes = b""
    signals: list[str] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)


class FakeEngine:
    """An engine that keeps containers in memory.

    With `slow`, removed containers stay listed with the state `removing`. With `obedient`, a
    container that got SIGTERM has ended when containers are listed for the second time.
    """

    def __init__(self, *, slow: bool = False, obedient: bool = False) -> None:
        """Begin without a container."""
        self.made: dict[str, FakeContainer] = {}
        self.removed: list[tuple[str, str]] = []
        self.slow = slow
        self.obedient = obedient

    def create(self, spec: ContainerSpec) -> None:
        """Create a container."""
        if spec.name in self.made:
            raise RigError(f"the name {spec.name} is taken")
        self.made[spec.name] = FakeContainer(spec)

    def start(self, name: str) -> None:
        """Start a container; one that already runs raises an error."""
        if self._find(name).state not in {"created", "exited"}:
            raise RigError(f"{name} cannot be started: {self.made[name].state}")
        self.made[name].state = "running"

    def signal(self, name: str, signal: str) -> None:
        """Note the signal, if the container runs."""
        if name in self.made and self.made[name].state == "running":
            self.made[name].signals.append(signal)

    def pause(self, name: str) -> None:
        """Pause a container, if it runs."""
        if name in self.made and self.made[name].state == "running":
            self.made[name].state = "paused"

    def unpause(self, name: str) -> None:
        """Let a container continue, if it is paused."""
        if name in self.made and self.made[name].state == "paused":
            self.made[name].state = "running"

    def execute(self, name: str, command: Sequence[str]) -> None:
        """Note the command, if the container runs."""
        if name in self.made and self.made[name].state == "running":
            self.made[name].commands.append(list(command))

    def remove(self, name: str) -> None:
        """Remove a container, if it exists, and note the state that it had."""
        if name in self.made:
            self.removed.append((name, self.made[name].state))
        if name in self.made and self.slow:
            self.made[name].state = "removing"
        else:
            self.made.pop(name, None)

    def exit_code(self, name: str) -> int:
        """Return its exit code."""
        return self._find(name).code

    def containers(self, label: str, value: str) -> list[ContainerState]:
        """Return the containers with this label."""
        found = [
            ContainerState(name, made.state, dict(made.spec.labels))
            for name, made in self.made.items()
            if made.spec.labels.get(label) == value
        ]
        for made in self.made.values():
            if self.obedient and made.state == "running" and "SIGTERM" in made.signals:
                made.state = "exited"
        return found

    def output(self, name: str, *, stdout: bool, stderr: bool) -> bytes:
        """Return its output."""
        made = self._find(name)
        return b"".join(made.out) * stdout + made.err * stderr

    def follow(self, name: str, *, stdout: bool, stderr: bool) -> Iterator[bytes]:
        """Yield its output so far."""
        yield self.output(name, stdout=stdout, stderr=stderr)

    def end(self, name: str, code: int = 0, err: bytes = b"") -> None:
        """Let a container end by itself."""
        made = self.made[name]
        made.state, made.code, made.err = "exited", code, err

    def add(self, name: str, labels: Mapping[str, str], state: str = "running") -> None:
        """Add a container that another program created."""
        self.made[name] = FakeContainer(replace(ANYTHING, name=name, labels=labels), state)

    def _find(self, name: str) -> FakeContainer:
        if name not in self.made:
            raise RigError(f"there is no container {name}")
        return self.made[name]


ANYTHING = ContainerSpec("any", "any", "any", "any", {}, {}, {})
