"""Injector of a rig's faults: finds their targets, lets them happen at their times, notes both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemill.rig.errors import RigError
from tidemill.scaling.facts import FaultBegan, FaultEnded, Noted
from tidemill.scaling.fault_kinds import KINDS, Target
from tidemill.scaling.faults import PRODUCER, describe_missed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.rig.chaos.ports import EmulatedAws
    from tidemill.rig.clock import AwsClock
    from tidemill.rig.instances import Instances
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.faults import Fault
    from tidemill.scaling.group.memory import GroupMemory


class Injector:
    """The faults of one rig, but for those of metrics and alarms, which are the loop's."""

    def __init__(
        self, world: Instances, aws: EmulatedAws, clock: AwsClock, note: Callable[[Fact], None]
    ) -> None:
        """Begin without a fault.

        Args:
            world: the rig's instances.
            aws: the rig's emulator of AWS.
            clock: AWS's time.
            note: called with the begin and the end of each fault.
        """
        self._world = world
        self._aws = aws
        self._clock = clock
        self._note = note
        self._planned: list[Fault] = []
        self._lasting: list[Fault] = []

    def inject(self, fault: Fault, group: GroupMemory) -> str:
        """Inject a fault, at once or at its time; return its target, an instance's id or words.

        The result is empty for a planned fault of an instance that is chosen when it happens.

        Raises:
            RigError: there is no such target, or this rig cannot imitate the fault.
        """
        if fault.at > self._clock.now():
            self._planned.append(fault)
            return fault.target or ""
        return self._inject(fault, group)

    def inject_due(self, group: GroupMemory) -> None:
        """Inject the planned faults that are due, and note those that have ended."""
        now = self._clock.now()
        for fault in [one for one in self._lasting if one.until <= now]:
            self._lasting.remove(fault)
            self._note(FaultEnded(fault.until, fault.kind, fault.target or ""))
        for fault in [one for one in self._planned if one.at <= now]:
            self._planned.remove(fault)
            try:
                self._inject(fault, group)
            except RigError as error:
                self._note(Noted(now, describe_missed(fault, error)))

    def _inject(self, fault: Fault, group: GroupMemory) -> str:
        kind = KINDS[fault.kind]
        if self._world.kind not in kind.worlds:
            raise RigError(f"{self._world.kind.value} cannot imitate the fault {kind.name}")
        now = self._clock.now()
        target = _target(fault, group)
        happening = replace(fault, target=target, at=now)
        match kind.target:
            case Target.INSTANCE:
                self._world.inject(str(target), happening)
            case Target.CALLER:
                self._aws.disturb(happening, self._clock.speed)
            case _:
                self._aws.break_off(happening)
        self._note(FaultBegan(now, fault.kind, target or "", dict(fault.parameters)))
        if happening.seconds:
            self._lasting.append(happening)
        return happening.subject()


def _target(fault: Fault, group: GroupMemory) -> str | None:
    """Return the instance or caller that a fault happens to; None is every caller, or the rig."""
    kind = KINDS[fault.kind]
    if kind.target is Target.RIG or (fault.target == PRODUCER and kind.target is Target.CALLER):
        return fault.target
    if kind.target is Target.CALLER and fault.target is None:
        return None
    if fault.target is not None and not fault.target.isdecimal():
        if group.find(fault.target) is None:
            raise RigError(f"the group has no instance {fault.target}")
        return fault.target
    serving = [item for item in group.instances if item.in_service_at is not None]
    serving.sort(key=lambda item: (item.launched_at, item.id))
    if not serving:
        raise RigError("no instance is in service: the fault needs one")
    return serving[(max(1, int(fault.target or 1)) - 1) % len(serving)].id
