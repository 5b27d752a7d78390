"""Ports of the loop's driver: the queue, the instances, and listeners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemill.scaling.loop import InstanceEvent, Turn
    from tidemill.scaling.metrics.queue import QueueSample


class Probe(Protocol):
    """Port that reads the queue."""

    def sample(self) -> QueueSample:
        """Return the queue as it is now."""
        ...


class World(Protocol):
    """Port to the instances; every order returns at once, and later events report its effect."""

    def launch(self, instance: str) -> None:
        """Launch an instance with this id, or start the stopped one that has it."""
        ...

    def stop(self, instance: str) -> None:
        """Stop an instance for the warm pool; it can be launched again."""
        ...

    def drain(self, instance: str) -> None:
        """Announce to an instance that it will be terminated."""
        ...

    def terminate(self, instance: str) -> None:
        """Terminate an instance."""
        ...

    def events(self) -> Iterable[InstanceEvent]:
        """Return the events of instances since the last call."""
        ...


class Listener(Protocol):
    """Port that receives the result of each turn, such as a log or a display."""

    def on_turn(self, turn: Turn) -> None:
        """Receive a turn."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of a world's ports together."""

    probe: Probe
    world: World
    listeners: tuple[Listener, ...] = ()
