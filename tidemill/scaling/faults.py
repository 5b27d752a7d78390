"""Faults: what can go wrong on AWS, as values that rig and simulator share.

A fault has one of the kinds of tidemill/scaling/fault_kinds.py, a target and a time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tidemill.scaling.errors import FaultError
from tidemill.scaling.fault_kinds import FOR_MINUTES, FOR_SECONDS, KINDS, Target
from tidemill.scaling.times.catalogue import USUAL

if TYPE_CHECKING:
    from collections.abc import Mapping

SPOT_NOTICE_SECONDS: Final = USUAL.spot_warning.mean
"""From a Spot instance's notice to its end (EC2 user guide, "Spot Instance interruption
notices")."""

NOW: Final = 0.0
"""The time of a fault that happens at once."""

NEVER: Final = math.inf

PRODUCER: Final = "producer"
"""The target of a fault of the producer's calls; the other callers are instances."""

EVERYTHING: Final[Mapping[Target, str]] = {
    Target.INSTANCE: "the oldest instance in service",
    Target.METRIC: "SQS's metrics",
    Target.ALARM: "all alarms",
    Target.CALLER: "every caller",
    Target.RIG: "the rig",
}
"""The words for what a fault without a target happens to."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its kind, its target and its time.

    Attributes:
        kind: the name of its kind.
        target: what it happens to: the id of an instance, its rank among those in service (1 is
            the oldest; after the youngest they are counted again), one of METRICS, the logical id
            of an alarm, or "producer". None is the oldest instance in service, every metric of the
            queue, every alarm, every instance and the producer.
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

    @property
    def until(self) -> float:
        """Return when a fault ends, in the unit of `at`: at once if its kind has no duration."""
        names = {known.name for known in KINDS[self.kind].parameters}
        if FOR_MINUTES.name in names:
            minutes = self.value(FOR_MINUTES.name)
            return self.at + 60 * minutes if minutes else NEVER
        return self.at + (self.value(FOR_SECONDS.name) if FOR_SECONDS.name in names else 0.0)

    @property
    def seconds(self) -> float:
        """Return for how many seconds a fault lasts; 0 if its kind has no duration."""
        return self.until - self.at

    def is_on(self, now: float) -> bool:
        """Return whether a fault has begun and not ended."""
        return self.at <= now < self.until

    def concerns(self, target: str) -> bool:
        """Return whether this fault happens to a metric or an alarm, alone or with all others."""
        return self.target is None or self.target == target

    def phrase(self, text: str) -> str:
        """Return a note or an answer of this fault's kind, with the values of its parameters."""
        known = KINDS[self.kind].parameters
        return text.format(**{parameter.name: self.value(parameter.name) for parameter in known})

    def subject(self) -> str:
        """Return the words for what a fault happens to."""
        kind = KINDS[self.kind]
        target = kind.choices[0] if self.target is None and len(kind.choices) == 1 else self.target
        if target is None:
            return EVERYTHING[kind.target]
        thing = {Target.ALARM: "the alarm ", Target.METRIC: "the metric "}
        return f"{thing.get(kind.target, '')}{target}"


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
        FaultError: the kind is unknown, it has no such parameter or target, or a value is not a
            number, or not a whole one where it must be.
    """
    name = fields.get("kind", "")
    if name not in KINDS:
        raise FaultError(f"there is no fault {name!r}: choose one of {', '.join(sorted(KINDS))}")
    kind = KINDS[name]
    known = {parameter.name: parameter for parameter in kind.parameters}
    given = fields.keys() - {"kind", "target", "at"}
    if given - known.keys():
        unknown = ", ".join(sorted(given - known.keys()))
        raise FaultError(f"the fault {name} has no parameter {unknown}")
    target = fields.get("target") or None
    if target is not None and kind.choices and target not in kind.choices:
        raise FaultError(
            f"the fault {name} cannot happen to {target!r}: choose one of {', '.join(kind.choices)}"
        )
    return Fault(
        name,
        target,
        _number("at", fields.get("at", repr(NOW))),
        {
            parameter: _number(parameter, fields[parameter], whole=known[parameter].whole)
            for parameter in sorted(given)
        },
    )


def _number(name: str, text: str, *, whole: bool = False) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise FaultError(f"{name} of a fault is {text!r}, which is not a number") from error
    if not math.isfinite(number) or number < 0:
        raise FaultError(f"{name} of a fault is {text}: it must be 0 or more")
    if whole and number != int(number):
        raise FaultError(f"{name} of a fault is {text}: it must be a whole number")
    return number
