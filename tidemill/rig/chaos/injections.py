"""Injections: what each kind of fault does to the lifetime of an instance of a rig."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tidemill.rig.errors import RigError
from tidemill.rig.lifetime import Change, LimitDisk, ReportVanished, Signal
from tidemill.scaling.fault_kinds import DISK_FULL, FREEZE, KILL, METADATA_DOWN, REBOOT, SPOT
from tidemill.scaling.faults import SPOT_NOTICE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemill.rig.lifetime import Lifetime, Step
    from tidemill.scaling.faults import Fault

FAILED: Final = "it failed without a notice"


def inject(lifetime: Lifetime, fault: Fault, now: float) -> Change:
    """Return the change of an instance by a fault.

    Raises:
        RigError: instances of a rig have no faults of this kind.
    """
    if fault.kind not in INJECTIONS:
        raise RigError(f"instances of a rig have no fault {fault.kind}")
    return INJECTIONS[fault.kind](lifetime, fault, now)


def _spot(lifetime: Lifetime, _: Fault, now: float) -> Change:
    """Return the change by a Spot interruption's notice; a second notice changes nothing."""
    if lifetime.ends_at is not None:
        return Change(lifetime)
    ending = replace(lifetime, ends_at=now + SPOT_NOTICE_SECONDS)
    return Change(ending, lifetime.drain_signal())


def _kill(lifetime: Lifetime, _: Fault, now: float) -> Change:
    """Return the change by a failure without a notice; the next check reports the instance."""
    failed = replace(lifetime, later=((now, ReportVanished(FAILED)),))
    return Change(failed, (Signal("SIGKILL"),) if lifetime.started else ())


def _freeze(lifetime: Lifetime, fault: Fault, now: float) -> Change:
    """Return the change by a freeze: programs are stopped, and continue when it ends."""
    return _lasting(lifetime, fault, now, Signal("SIGSTOP"), Signal("SIGCONT"))


def _reboot(lifetime: Lifetime, _: Fault, now: float) -> Change:
    """Return the change by a restart: programs are killed, and started after a boot."""
    if not lifetime.started:
        return Change(lifetime)
    again = now + lifetime.rules.restarts_after
    restarting = replace(lifetime, started=False, starts_at=again, later=())
    return Change(restarting, (Signal("SIGKILL"),))


def _disk_full(lifetime: Lifetime, fault: Fault, now: float) -> Change:
    """Return the change by a full disk, which has room again when the fault ends."""
    return _lasting(lifetime, fault, now, LimitDisk(full=True), LimitDisk(full=False))


def _metadata_down(lifetime: Lifetime, fault: Fault, now: float) -> Change:
    """Return the change by a failure of the instance metadata service."""
    return Change(replace(lifetime, metadata_back_at=now + fault.seconds))


def _lasting(lifetime: Lifetime, fault: Fault, now: float, begin: Step, end: Step) -> Change:
    """Return the change by a fault that a second step ends; of several, the longest counts."""
    if not lifetime.started:
        return Change(lifetime)
    same = [one for one in lifetime.later if one[1] == end]
    others = tuple(one for one in lifetime.later if one[1] != end)
    until = max([now + fault.seconds, *(at for at, _ in same)])
    return Change(replace(lifetime, later=((until, end), *others)), (begin,))


INJECTIONS: Final[Mapping[str, Callable[[Lifetime, Fault, float], Change]]] = {
    SPOT.name: _spot,
    KILL.name: _kill,
    FREEZE.name: _freeze,
    REBOOT.name: _reboot,
    DISK_FULL.name: _disk_full,
    METADATA_DOWN.name: _metadata_down,
}
"""The function that applies each kind of fault to an instance, by the kind's name."""
