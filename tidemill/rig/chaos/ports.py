"""Port to what imitates AWS, as far as faults need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from tidemill.scaling.faults import Fault


class EmulatedAws(Protocol):
    """The emulator of AWS, and the program that controls the instances."""

    def disturb(self, fault: Fault, speed: float) -> None:
        """Let a fault happen to the calls of its target, from now on until its end.

        Args:
            fault: its target is a caller, None for all of them; its times are AWS's.
            speed: how many seconds of AWS pass in a second of wall-clock time.

        Raises:
            RigError: this emulator cannot do so.
        """
        ...

    def break_off(self, fault: Fault) -> None:
        """End the emulator, or the program that controls the instances, and start it again.

        Raises:
            RigError: this rig cannot do so, or it does not start again.
        """
        ...


class Unreachable:
    """An emulator that no fault reaches."""

    def disturb(self, fault: Fault, _speed: float) -> None:
        """Refuse."""
        raise RigError(f"the fault {fault.kind} does not reach this emulator of AWS")

    def break_off(self, fault: Fault) -> None:
        """Refuse."""
        raise RigError(f"the fault {fault.kind} does not reach this emulator of AWS")


UNREACHABLE: Final = Unreachable()
