"""Plan of faults: which ones happen, to what and when, drawn from a seed or read from a file.

The same seed, kinds, duration and pace make the same plan. Targets are ranks among the instances in
service, because their ids differ from run to run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any, Final

from tidemill.rig.errors import RigError
from tidemill.scaling.errors import FaultError
from tidemill.scaling.fault_kinds import FOR_MINUTES, FOR_SECONDS, KINDS, Target, WorldKind
from tidemill.scaling.faults import PRODUCER, Fault, read_fault, write_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tidemill.scaling.fault_kinds import FaultKind

RANKS: Final = 4
"""Ranks of instances that are drawn, as the template's group has four instances at most."""
CHOICES: Final = {
    FOR_SECONDS.name: (20.0, 40.0, 60.0, 120.0, 180.0),
    FOR_MINUTES.name: (1.0, 2.0, 4.0),
    "late_seconds": (1.0, 5.0, 15.0, 30.0),
    "late_minutes": (1.0, 2.0, 3.0),
    "share": (0.1, 0.3, 0.6, 1.0),
}
"""The values that are drawn for a parameter; others keep their defaults. Faults are shorter than
the minutes that a worker keeps trying, so that a plan has calm times between them."""
OF_PRODUCER: Final = 0.15
"""The share of faults of calls that happen to the producer."""
OF_ALL: Final = 0.35
"""The share of faults of SQS and CloudWatch Logs that happen to every caller."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Faults in the order of their times, which are AWS's seconds since the start of the plan.

    `seconds` is how long the plan lasts; `seed` is what it was drawn from, None if it was not.
    """

    faults: tuple[Fault, ...]
    seconds: float
    seed: int | None = None


def kinds_of(world: WorldKind) -> tuple[str, ...]:
    """Return the names of the kinds of faults that a world can imitate."""
    return tuple(name for name, kind in KINDS.items() if world in kind.worlds)


def draw_plan(seed: int, seconds: float, every: float, kinds: Sequence[str]) -> Plan:
    """Draw a plan with one fault in every `every` seconds of AWS's time.

    The kinds are shuffled, and shuffled again when each of them has had its turn: so all of them
    occur in a plan that is long enough. The first fault comes after `every` seconds.

    Raises:
        RigError: a kind is unknown, or there is none.
    """
    unknown = sorted(set(kinds) - KINDS.keys())
    if unknown or not kinds:
        raise RigError(
            f"there is no fault {', '.join(unknown) or 'to draw'}: choose from "
            f"{', '.join(sorted(KINDS))}"
        )
    random = Random(seed)  # noqa: S311 - not for secrets
    count = int(seconds // every)
    names = _in_turn(list(kinds), random)
    faults = tuple(
        replace(_draw(KINDS[next(names)], random), at=every * number)
        for number in range(1, count + 1)
    )
    return Plan(faults, seconds, seed)


def write_plan(plan: Plan) -> str:
    """Return a plan as JSON; `read_plan` reads it."""
    return json.dumps(
        {
            "seed": plan.seed,
            "seconds": plan.seconds,
            "faults": [write_fault(fault) for fault in plan.faults],
        },
        indent=1,
    )


def read_plan(text: str, name: str) -> Plan:
    """Return the plan in a file's text.

    Args:
        text: the file's text.
        name: the file's name, for errors.

    Raises:
        RigError: it is not a plan.
    """
    try:
        found: dict[str, Any] = json.loads(text)
        faults = sorted((read_fault(one) for one in found["faults"]), key=lambda one: one.at)
        seed = None if found.get("seed") is None else int(found["seed"])
        return Plan(tuple(faults), float(found["seconds"]), seed)
    except (ValueError, LookupError, TypeError, AttributeError, FaultError) as error:
        raise RigError(f"{name} is not a plan of faults: {error}") from error


def describe(fault: Fault) -> str:
    """Return a planned fault in one line, such as "120 s: freeze of instance 2, for_seconds 60"."""
    given = [f"{name} {value:g}" for name, value in fault.parameters.items()]
    subject = fault.subject()
    if fault.target is not None and fault.target.isdecimal():
        subject = f"instance {fault.target}"
    return ", ".join([f"{fault.at:g} s: {fault.kind} of {subject}", *given])


def _in_turn(kinds: list[str], random: Random) -> Iterator[str]:
    while True:
        random.shuffle(kinds)
        yield from kinds


def _draw(kind: FaultKind, random: Random) -> Fault:
    names = sorted(one.name for one in kind.parameters)
    parameters = {name: random.choice(CHOICES[name]) for name in names if name in CHOICES}
    return Fault(kind.name, _draw_target(kind, random), parameters=parameters)


def _draw_target(kind: FaultKind, random: Random) -> str | None:
    rank = str(random.randint(1, RANKS))
    match kind.target:
        case Target.INSTANCE:
            return rank
        case Target.CALLER:
            drawn = random.random()
            if drawn < OF_PRODUCER:
                return PRODUCER
            of_service = not kind.name.startswith(("network", "credentials", "clock"))
            return None if of_service and drawn < OF_PRODUCER + OF_ALL else rank
        case _:
            return None
