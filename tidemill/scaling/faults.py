"""Faults: what can go wrong on AWS, as values that rig and simulator share.

KINDS is the one table of them. The commands of `tidemill chaos`, the rig's HTTP path for faults and
the simulator's faults are made from it. To add a kind, describe it here, then write what it does to
an instance: in a rig INJECTIONS of tidemill/rig/lifetime.py, in the simulator EFFECTS of
tidemill/simulator/instances/simulated_instances.py. A kind names only the worlds that have it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tidemill.scaling.errors import FaultError

if TYPE_CHECKING:
    from collections.abc import Mapping

SPOT_NOTICE_SECONDS: Final = 120.0
"""From a Spot instance's notice to its end (EC2 user guide, "Spot Instance interruption
notices")."""

NOW: Final = 0.0
"""The time of a fault that happens at once."""


class Target(StrEnum):
    """What a fault happens to."""

    INSTANCE = "instance"


class WorldKind(StrEnum):
    """The worlds in which a fleet runs without AWS."""

    SIMULATOR = "simulator"
    PROCESSES = "processes"
    CONTAINERS = "containers"


@dataclass(frozen=True, slots=True)
class FaultParameter:
    """A numeric parameter of a kind of fault, such as its duration.

    Attributes:
        name: in snake_case, with its unit, such as `freeze_seconds`.
        default: the value for a fault that does not set it.
        meaning: one sentence.
    """

    name: str
    default: float
    meaning: str


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    Attributes:
        name: its name on a command line.
        meaning: one sentence: what happens on AWS.
        target: what it happens to.
        worlds: the worlds that can imitate it.
        note: the end of the timeline's sentence, which starts with the target's id.
        answer: the end of the command's output, which starts with the target's id.
        parameters: its numeric parameters.
    """

    name: str
    meaning: str
    target: Target
    worlds: frozenset[WorldKind]
    note: str
    answer: str
    parameters: tuple[FaultParameter, ...] = ()


SPOT: Final = FaultKind(
    name="spot",
    meaning="A Spot interruption: the instance gets its notice, and ends two minutes later.",
    target=Target.INSTANCE,
    worlds=frozenset(WorldKind),
    note="got the notice that a Spot instance gets",
    answer="got the notice that it ends",
)

KINDS: Final[Mapping[str, FaultKind]] = {kind.name: kind for kind in (SPOT,)}
"""Every kind of fault by its name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its kind, its target and its time.

    Attributes:
        kind: the name of its kind.
        target: the id of what it happens to; None for the oldest one in service.
        at: when it happens, in seconds of the world's clock (a rig: epoch seconds of AWS's time;
            the simulator: seconds since its start). A time in the past means at once.
        parameters: values by parameter name, only those that are not the default.
    """

    kind: str
    target: str | None = None
    at: float = NOW
    parameters: Mapping[str, float] = field(default_factory=dict)

    def value(self, parameter: str) -> float:
        """Return the value of a parameter of this fault's kind: its own or the default."""
        defaults = {known.name: known.default for known in KINDS[self.kind].parameters}
        return self.parameters.get(parameter, defaults[parameter])


def describe_missed(fault: Fault, reason: Exception) -> str:
    """Return the timeline's note about a planned fault that could not happen."""
    return f"the fault {fault.kind} did not happen: {reason}"


def write_fault(fault: Fault) -> dict[str, str]:
    """Return a fault as text fields, such as for a request over HTTP; `read_fault` reads them.

    Fault("spot", "i-1") -> {"kind": "spot", "target": "i-1"}
    """
    return {
        "kind": fault.kind,
        **({"target": fault.target} if fault.target is not None else {}),
        **({"at": repr(fault.at)} if fault.at != NOW else {}),
        **{name: repr(value) for name, value in fault.parameters.items()},
    }


def read_fault(fields: Mapping[str, str]) -> Fault:
    """Return the fault that text fields describe.

    Raises:
        FaultError: the kind is unknown, it has no such parameter, or a value is not a number.
    """
    name = fields.get("kind", "")
    if name not in KINDS:
        raise FaultError(f"there is no fault {name!r}: choose one of {', '.join(sorted(KINDS))}")
    known = {parameter.name for parameter in KINDS[name].parameters}
    given = fields.keys() - {"kind", "target", "at"}
    if given - known:
        raise FaultError(f"the fault {name} has no parameter {', '.join(sorted(given - known))}")
    return Fault(
        name,
        fields.get("target") or None,
        _number("at", fields.get("at", repr(NOW))),
        {parameter: _number(parameter, fields[parameter]) for parameter in sorted(given)},
    )


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise FaultError(f"{name} of a fault is {text!r}, which is not a number") from error
    if not math.isfinite(number) or number < 0:
        raise FaultError(f"{name} of a fault is {text}: it must be 0 or more")
    return number
