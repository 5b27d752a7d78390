"""Facts: frozen events that the loop returns, and that its callers log, collect and draw."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class QueueSampled:
    """The queue at the end of a minute, as it is, even if a fault changes its metrics."""

    at: float
    visible: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class CapacitySampled:
    """The group at the end of a minute, in instances."""

    at: float
    desired: int
    in_service: int
    pending: int
    terminating: int


@dataclass(frozen=True, slots=True)
class AlarmChanged:
    """An alarm changed its state; the reason is in CloudWatch's words."""

    at: float
    alarm: str
    before: str
    after: str
    reason: str
    value: float | None


@dataclass(frozen=True, slots=True)
class DesiredChanged:
    """A policy, triggered by an alarm in its `state`, changed the desired capacity.

    `label` names the alarm's `value`, such as "instances needed". `inputs` has the newest values of
    the alarm's metrics, by id.
    """

    at: float
    alarm: str
    policy: str
    label: str
    value: float
    inputs: dict[str, float]
    before: int
    after: int
    state: str = "ALARM"


@dataclass(frozen=True, slots=True)
class PolicyHeld:
    """A policy was triggered and changed nothing, such as while instances warm up.

    A policy that asks for the present capacity is not recorded.
    """

    at: float
    alarm: str
    policy: str
    why: str


@dataclass(frozen=True, slots=True)
class ActivityStarted:
    """The group began to launch or terminate an instance; the texts are in Auto Scaling's words."""

    at: float
    kind_of: str
    instance: str
    description: str
    cause: str


@dataclass(frozen=True, slots=True)
class InstanceChanged:
    """An instance entered a lifecycle state; `detail` adds a reason, such as a hook's name."""

    at: float
    instance: str
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FaultBegan:
    """A fault began: its kind, its target, parameters other than the default.

    `target` is empty for all of the queue's metrics, all alarms or every caller.
    """

    at: float
    fault: str
    target: str
    parameters: dict[str, float]


@dataclass(frozen=True, slots=True)
class FaultEnded:
    """A fault ended that lasted for some time; what it had delayed may still arrive."""

    at: float
    fault: str
    target: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A note about the run itself, for readers of the timeline."""

    at: float
    text: str


Fact = (
    QueueSampled
    | CapacitySampled
    | AlarmChanged
    | DesiredChanged
    | PolicyHeld
    | ActivityStarted
    | InstanceChanged
    | FaultBegan
    | FaultEnded
    | Noted
)

KINDS: dict[str, type[Fact]] = {
    re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower(): kind
    for kind in (
        QueueSampled,
        CapacitySampled,
        AlarmChanged,
        DesiredChanged,
        PolicyHeld,
        ActivityStarted,
        InstanceChanged,
        FaultBegan,
        FaultEnded,
        Noted,
    )
}
"""The classes of facts by the `kind` of their records."""

_NAMES = {kind: name for name, kind in KINDS.items()}


@lru_cache(maxsize=16)
def stamp(seconds: float) -> str:
    """Return epoch seconds as Auto Scaling writes times: UTC, whole seconds, Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_service_over_time(facts: Iterable[Fact]) -> list[tuple[float, int]]:
    """Return (moment, instances in service from then on) for each change of an instance."""
    serving: set[str] = set()
    counts = []
    for fact in facts:
        if isinstance(fact, InstanceChanged):
            if fact.state == "InService":
                serving.add(fact.instance)
            else:
                serving.discard(fact.instance)
            counts.append((fact.at, len(serving)))
    return counts


def to_record(fact: Fact) -> dict[str, object]:
    """Return the fact as plain data for a JSON line: `kind`, `time` in UTC, and its fields."""
    return {"kind": _NAMES[type(fact)], "time": stamp(fact.at), **asdict(fact)}


def from_record(record: dict[str, object]) -> Fact:
    """Return the fact of a record that to_record has made.

    Raises:
        KeyError: the kind of the record is unknown.
        TypeError: its fields are not those of its kind.
    """
    fields = {name: value for name, value in record.items() if name not in {"kind", "time"}}
    return KINDS[str(record["kind"])](**fields)  # type: ignore[arg-type]  # a written fact's own fields
