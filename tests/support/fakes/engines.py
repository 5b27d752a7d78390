"""A container engine in memory, and a clock for the fleet that is on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tidemill.rig.containers.engine import ContainerSpec, ContainerState
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass
class HandClock:
    """AWS's time, set by hand; `speed` is how much faster than ours it passes."""

    time: float = 0.0
    speed: float = 1.0

    def now(self) -> float:
        """Return the time that was set."""
        return self.time


@dataclass
class FakeContainer:
    """A container: what it was made of, its state, and what it has written and heard."""

    spec: ContainerSpec
    state: str = "created"
    code: int = 0
    out: list[bytes] = field(default_factory=list)
    err: bytes = b""
    signals: list[str] = field(default_factory=list)


class FakeEngine:
    """Keeps containers in memory.

    With `slow`, what is removed stays in sight as in removal; with `obedient`, what hears SIGTERM
    has ended at the look after the next one.
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
        """Start one that does not run; anything else cannot be."""
        if self._find(name).state not in {"created", "exited"}:
            raise RigError(f"{name} cannot be started: {self.made[name].state}")
        self.made[name].state = "running"

    def signal(self, name: str, signal: str) -> None:
        """Note what one that runs has heard."""
        if name in self.made and self.made[name].state == "running":
            self.made[name].signals.append(signal)

    def remove(self, name: str) -> None:
        """Remove one, if it is there, and note the state that it was in."""
        if name in self.made:
            self.removed.append((name, self.made[name].state))
        if name in self.made and self.slow:
            self.made[name].state = "removing"
        else:
            self.made.pop(name, None)

    def exit_code(self, name: str) -> int:
        """Return what it ended with."""
        return self._find(name).code

    def containers(self, label: str, value: str) -> list[ContainerState]:
        """Return those with this label."""
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
        """Return what it has written."""
        made = self._find(name)
        return b"".join(made.out) * stdout + made.err * stderr

    def follow(self, name: str, *, stdout: bool, stderr: bool) -> Iterator[bytes]:
        """Yield what it has written, as if it had ended then."""
        yield self.output(name, stdout=stdout, stderr=stderr)

    def end(self, name: str, code: int = 0, err: bytes = b"") -> None:
        """Let one end by itself."""
        made = self.made[name]
        made.state, made.code, made.err = "exited", code, err

    def add(self, name: str, labels: Mapping[str, str], state: str = "running") -> None:
        """Put a container there that somebody else has made."""
        self.made[name] = FakeContainer(replace(ANYTHING, name=name, labels=labels), state)

    def _find(self, name: str) -> FakeContainer:
        if name not in self.made:
            raise RigError(f"there is no container {name}")
        return self.made[name]


ANYTHING = ContainerSpec("any", "any", "any", "any", {}, {}, {})
