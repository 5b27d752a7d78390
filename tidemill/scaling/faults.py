"""Faults: what can go wrong on AWS, as values that rig and simulator share.

KINDS is the one table of them. The commands of `tidemill chaos`, the rig's HTTP path for faults and
the simulator's faults are made from it. To add a kind, describe it here, then write its effect.
What it does to an instance is written once per world: in a rig INJECTIONS of
tidemill/rig/lifetime.py, in the simulator EFFECTS of
tidemill/simulator/instances/simulated_instances.py. What it does to metrics and alarms is written
once, in the loop: tidemill/scaling/metrics/delivery.py, tidemill/scaling/alarms/watching.py. A kind
names only the worlds that have it. The module has more than 280 lines because the table and the
values that are read by it are one subject.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tidemill.scaling.errors import FaultError
from tidemill.scaling.times.catalogue import USUAL

if TYPE_CHECKING:
    from collections.abc import Mapping

SPOT_NOTICE_SECONDS: Final = USUAL.spot_warning.mean
"""From a Spot instance's notice to its end (EC2 user guide, "Spot Instance interruption
notices")."""

NOW: Final = 0.0
"""The time of a fault that happens at once."""

NEVER: Final = math.inf


class Target(StrEnum):
    """What a fault happens to; the loop itself has the effects of all but INSTANCE."""

    INSTANCE = "instance"
    METRIC = "metric"
    ALARM = "alarm"


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
        whole: whether it must be a whole number.
    """

    name: str
    default: float
    meaning: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    Attributes:
        name: its name on a command line.
        meaning: one sentence: what happens on AWS.
        target: what it happens to.
        worlds: the worlds that can imitate it.
        note: the end of the timeline's sentence, which starts with the target; {name} in it is the
            value of a parameter.
        answer: the end of the command's output, in the same form.
        parameters: its numeric parameters.
        choices: its possible targets; empty if they are not known beforehand.
    """

    name: str
    meaning: str
    target: Target
    worlds: frozenset[WorldKind]
    note: str
    answer: str
    parameters: tuple[FaultParameter, ...] = ()
    choices: tuple[str, ...] = ()


METRICS: Final = ("visible", "in-flight", "delayed", "age")
"""The metrics of the queue that a fault may happen to; each is a part of its name at SQS."""

FOR_MINUTES: Final = FaultParameter(
    "for_minutes", 60.0, "How long it lasts, in minutes; 0 is until the end."
)


SPOT: Final = FaultKind(
    name="spot",
    meaning="A Spot interruption: the instance gets its notice, and ends two minutes later.",
    target=Target.INSTANCE,
    worlds=frozenset(WorldKind),
    note="got the notice that a Spot instance gets",
    answer="got the notice that it ends",
)

METRICS_LATE: Final = FaultKind(
    name="metrics-late",
    meaning="SQS's metrics arrive late: an alarm sees a minute's datapoint some minutes later.",
    target=Target.METRIC,
    worlds=frozenset(WorldKind),
    note="will arrive {late_minutes:g} minutes late",
    answer="will arrive {late_minutes:g} minutes late",
    parameters=(
        FaultParameter("late_minutes", 5.0, "The delay of each datapoint, in minutes.", whole=True),
        FOR_MINUTES,
    ),
    choices=METRICS,
)

METRICS_MISSING: Final = FaultKind(
    name="metrics-missing",
    meaning="SQS's metrics are missing: their datapoints never arrive.",
    target=Target.METRIC,
    worlds=frozenset(WorldKind),
    note="will have no datapoints",
    answer="will have no datapoints",
    parameters=(FOR_MINUTES,),
    choices=METRICS,
)

METRICS_IRREGULAR: Final = FaultKind(
    name="metrics-irregular",
    meaning="SQS's metrics are irregular: a minute may have no datapoint, and the next one two.",
    target=Target.METRIC,
    worlds=frozenset(WorldKind),
    note="will have some datapoints in the minute after their own",
    answer="will have some datapoints in the minute after their own",
    parameters=(
        FaultParameter("share", 0.2, "The share of datapoints that move to the next minute."),
        FaultParameter("seed", 1.0, "The seed of the choice of these datapoints.", whole=True),
        FOR_MINUTES,
    ),
    choices=METRICS,
)

PHANTOM_IN_FLIGHT: Final = FaultKind(
    name="phantom-in-flight",
    meaning="A phantom message: SQS counts one message in flight in an empty queue.",
    target=Target.METRIC,
    worlds=frozenset(WorldKind),
    note="will be 1 while the queue is empty",
    answer="will be 1 while the queue is empty",
    parameters=(FOR_MINUTES,),
    choices=("in-flight",),
)

ALARMS_LATE: Final = FaultKind(
    name="alarms-late",
    meaning="Alarms are evaluated late: they see each minute some minutes later.",
    target=Target.ALARM,
    worlds=frozenset(WorldKind),
    note="will be evaluated {late_minutes:g} minutes late",
    answer="will be evaluated {late_minutes:g} minutes late",
    parameters=(
        FaultParameter(
            "late_minutes", 2.0, "The delay of each evaluation, in minutes.", whole=True
        ),
        FOR_MINUTES,
    ),
)

KINDS: Final[Mapping[str, FaultKind]] = {
    kind.name: kind
    for kind in (
        SPOT,
        METRICS_LATE,
        METRICS_MISSING,
        METRICS_IRREGULAR,
        PHANTOM_IN_FLIGHT,
        ALARMS_LATE,
    )
}
"""Every kind of fault by its name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its kind, its target and its time.

    Attributes:
        kind: the name of its kind.
        target: what it happens to: the id of an instance, one of METRICS, or the logical id of an
            alarm. None is the oldest instance in service, every metric of the queue, every alarm.
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
        """Return when a fault of metrics or alarms ends, in the unit of `at`."""
        return (
            self.at + 60 * self.value(FOR_MINUTES.name) if self.value(FOR_MINUTES.name) else NEVER
        )

    def is_on(self, now: float) -> bool:
        """Return whether a fault of metrics or alarms has begun and not ended."""
        return self.at <= now < self.until

    def concerns(self, target: str) -> bool:
        """Return whether this fault happens to a metric or an alarm, alone or with all others."""
        return self.target is None or self.target == target

    def phrase(self, text: str) -> str:
        """Return a note or an answer of this fault's kind, with the values of its parameters."""
        known = KINDS[self.kind].parameters
        return text.format(**{parameter.name: self.value(parameter.name) for parameter in known})

    def subject(self) -> str:
        """Return the words for what a fault of metrics or alarms happens to."""
        of_alarm = KINDS[self.kind].target is Target.ALARM
        choices = KINDS[self.kind].choices
        target = choices[0] if self.target is None and len(choices) == 1 else self.target
        if target is None:
            return "all alarms" if of_alarm else "SQS's metrics"
        return f"the {'alarm' if of_alarm else 'metric'} {target}"


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
