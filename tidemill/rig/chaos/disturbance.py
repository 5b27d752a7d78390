"""Disturbance of calls of AWS: carries out, behind the door, what faults do to each call."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

from tidemill.rig.chaos.treatment import TREATMENTS, treat
from tidemill.rig.door.calls import CutError, Reply
from tidemill.rig.door.credentials import CONTROLLERS
from tidemill.scaling.errors import FaultError
from tidemill.scaling.fault_kinds import NETWORK_CUT
from tidemill.scaling.faults import Fault, read_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.rig.chaos.treatment import Treatment
    from tidemill.rig.door.calls import Call, Forward, Request

SPEED: Final = "speed"
"""The field of a request with how many seconds of AWS pass in a second of wall-clock time."""
SEED: Final = 1
"""The seed of which calls a fault with a share happens to. A run is not repeated call by call,
because the order of calls differs from run to run."""
PLAIN: Final = (("content-type", "text/plain"),)


@dataclass(frozen=True, slots=True)
class Active:
    """A fault that happens now, until a time of the monotonic clock; its times are AWS's."""

    fault: Fault
    until: float
    speed: float


@dataclass
class CallFaults:
    """The faults of the calls that pass a door; it is both the door's disturbance and its control.

    A call of the rig itself or of the user is never disturbed. Several faults may concern a call:
    the first of them that changes it counts.

    Attributes:
        clock: the monotonic clock.
        random: draws the calls that a fault with a share happens to.
    """

    clock: Callable[[], float] = time.monotonic
    random: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311 - not for secrets
    _active: list[Active] = field(default_factory=list)

    def add(self, fault: Fault, speed: float) -> None:
        """Let a fault happen from now on, until its end.

        Raises:
            FaultError: it is not a fault of calls.
        """
        if fault.kind not in TREATMENTS:
            raise FaultError(f"the fault {fault.kind} does not happen to calls")
        until = self.clock() + fault.seconds / speed
        self._active = [one for one in self._active if one.until > self.clock()]
        self._active.append(Active(fault, until, speed))

    async def control(self, request: Request) -> Reply:
        """Answer the rig's request to add a fault, whose fields are a JSON object in the body."""
        try:
            fields: dict[str, str] = json.loads(request.body)
            speed = float(fields.pop(SPEED))
            self.add(read_fault(fields), speed)
        except (ValueError, LookupError, AttributeError, TypeError, FaultError) as error:
            return Reply(400, PLAIN, f"not a fault of calls: {error}".encode())
        return Reply(200, PLAIN)

    async def __call__(self, call: Call, forward: Forward) -> Reply:
        """Answer a call, with what faults do to it."""
        for active in self._active if call.caller not in CONTROLLERS else ():
            if self._concerns(active, call):
                treatment = treat(active.fault, call.service, self.random)
                if treatment.answer is not None or treatment.cut or _late(treatment):
                    return await self._carry_out(active, treatment, call, forward)
        reply = await forward()
        if self._cut_meanwhile(call):  # such as a long poll that had begun before
            raise CutError
        return reply

    def _concerns(self, active: Active, call: Call) -> bool:
        return active.fault.concerns(call.caller) and self.clock() < active.until

    def _cut_meanwhile(self, call: Call) -> bool:
        """Return whether the caller's network has been cut since the call began."""
        return call.caller not in CONTROLLERS and any(
            active.fault.kind == NETWORK_CUT.name
            for active in self._active
            if self._concerns(active, call)
        )

    async def _carry_out(
        self, active: Active, treatment: Treatment, call: Call, forward: Forward
    ) -> Reply:
        await asyncio.sleep(treatment.late_before / active.speed)
        reply = await forward() if treatment.acts else Reply(200)
        await asyncio.sleep(treatment.late_after / active.speed)
        if treatment.held:
            await asyncio.sleep(max(0.0, active.until - self.clock()))
        if treatment.cut:
            raise CutError
        return reply if treatment.answer is None else treatment.answer(call.request)


def _late(treatment: Treatment) -> bool:
    return bool(treatment.late_before or treatment.late_after)
