"""Port to the container engine that runs containers as instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tidemill.rig.containers.engine import ContainerSpec, ContainerState


class ContainerEngine(Protocol):
    """Port to a container engine; each method raises RigError if it fails."""

    def create(self, spec: ContainerSpec) -> None:
        """Create a container without starting it."""
        ...

    def start(self, name: str) -> None:
        """Start a container that was created or has ended."""
        ...

    def signal(self, name: str, signal: str) -> None:
        """Send a signal, such as SIGTERM, to a container, if it runs."""
        ...

    def pause(self, name: str) -> None:
        """Freeze every program of a container, if it runs."""
        ...

    def unpause(self, name: str) -> None:
        """Let the programs of a paused container continue."""
        ...

    def execute(self, name: str, command: Sequence[str]) -> None:
        """Run a command in a container that runs, and wait for its end."""
        ...

    def remove(self, name: str) -> None:
        """End and remove a container, if it exists."""
        ...

    def exit_code(self, name: str) -> int:
        """Return the exit code of a container that has ended."""
        ...

    def containers(self, label: str, value: str) -> list[ContainerState]:
        """Return all containers with this label."""
        ...

    def output(self, name: str, *, stdout: bool, stderr: bool) -> bytes:
        """Return what a container has written so far."""
        ...

    def follow(self, name: str, *, stdout: bool, stderr: bool) -> Iterator[bytes]:
        """Yield what a container writes, from its first byte on, until it ends."""
        ...
