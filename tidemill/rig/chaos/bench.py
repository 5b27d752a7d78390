"""Port to a fleet under test, and the one whose instances are processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from tidemill.scaling.fault_kinds import WorldKind

if TYPE_CHECKING:
    from pathlib import Path

    from tidemill.ledger.queues import Queues
    from tidemill.rig.rig import Rig
    from tidemill.scaling.faults import Fault


class Bench(Protocol):
    """A fleet under test.

    Attributes:
        folder: the folder for its files.
        logs: the folder of the consumers' lines.
        speed: how many seconds of AWS pass in a second of wall-clock time.
    """

    folder: Path
    logs: Path
    speed: float

    @property
    def kind(self) -> WorldKind:
        """Return what its instances are."""
        ...

    def turn(self) -> None:
        """Let the fleet go on, if it does not by itself."""
        ...

    def inject(self, fault: Fault) -> str:
        """Let a fault happen now; return its target.

        Raises:
            RigError: it cannot happen.
        """
        ...

    def waiting(self) -> int:
        """Return how many messages are in the work queue: visible, in flight or delayed."""
        ...

    def look(self) -> Queues:
        """Return what is in both queues."""
        ...

    def client_environment(self, caller: str) -> dict[str, str]:
        """Return the environment for a client of the work queue, such as the producer."""
        ...


class ProcessBench:
    """A rig in this process, whose instances are processes."""

    kind: Final = WorldKind.PROCESSES

    def __init__(self, rig: Rig, folder: Path) -> None:
        """Put a running rig under test."""
        self._rig = rig
        self.folder = folder
        self.logs = rig.world.logs
        self.speed = rig.clock.speed

    def turn(self) -> None:
        """Take a turn of the loop."""
        self._rig.turn()

    def inject(self, fault: Fault) -> str:
        """Let a fault happen now; return its target."""
        return self._rig.inject(fault)

    def waiting(self) -> int:
        """Return how many messages were in the work queue at the last turn."""
        queue = self._rig.probe.latest
        return queue.visible + queue.in_flight + queue.delayed

    def look(self) -> Queues:
        """Return what is in both queues."""
        return self._rig.probe.left_over()

    def client_environment(self, caller: str) -> dict[str, str]:
        """Return the environment for a client of the work queue."""
        return self._rig.client_environment(caller)
