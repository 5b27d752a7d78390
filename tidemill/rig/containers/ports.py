"""What a world of containers needs: a clock, and a container engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.rig.containers.engine import ContainerSpec, Seen


class Clock(Protocol):
    """Tells AWS's time, which passes `speed` times faster than ours."""

    @property
    def speed(self) -> float:
        """Return how many seconds of AWS pass in a second of ours."""
        ...

    def now(self) -> float:
        """Return epoch seconds."""
        ...


class Engine(Protocol):
    """The container engine, as far as the fleet needs it."""

    def create(self, spec: ContainerSpec) -> None:
        """Create a container without starting it."""
        ...

    def start(self, name: str) -> None:
        """Start it."""
        ...

    def signal(self, name: str, signal: str) -> None:
        """Send a signal to it, if it runs."""
        ...

    def remove(self, name: str) -> None:
        """End and remove it, if it is there."""
        ...

    def exit_code(self, name: str) -> int:
        """Return the code that it ended with."""
        ...

    def containers(self, label: str, value: str) -> list[Seen]:
        """Return all containers with this label."""
        ...

    def output(self, name: str, *, stdout: bool, stderr: bool) -> bytes:
        """Return what it has written."""
        ...

    def follow(self, name: str, *, stdout: bool, stderr: bool) -> Iterator[bytes]:
        """Yield what it writes until it ends."""
        ...
