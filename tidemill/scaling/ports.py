"""What the loop's driver needs from a world: a queue to look at, instances, and listeners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemill.scaling.loop import InstanceEvent, Turn
    from tidemill.scaling.metrics.queue import QueueSample


class Probe(Protocol):
    """Sees the queue."""

    def sample(self) -> QueueSample:
        """Return the queue as it is now."""
        ...


class World(Protocol):
    """Has the instances; every order returns at once and shows up in later events."""

    def launch(self, instance: str) -> None:
        """Start an instance with this id, be it a new one or one that was stopped."""
        ...

    def stop(self, instance: str) -> None:
        """Stop an instance for the warm pool; it stays, and can be launched again."""
        ...

    def drain(self, instance: str) -> None:
        """Tell an instance that it has to go."""
        ...

    def terminate(self, instance: str) -> None:
        """End an instance."""
        ...

    def events(self) -> Iterable[InstanceEvent]:
        """Return what instances did since the last call."""
        ...


class Listener(Protocol):
    """Hears what came of each turn: a log, a display, a mirror."""

    def on_turn(self, turn: Turn) -> None:
        """Take note of a turn."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of a world's ports together."""

    probe: Probe
    world: World
    listeners: tuple[Listener, ...] = ()
