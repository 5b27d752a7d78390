"""Treatment of calls of AWS by faults: what each kind of fault does to one call, as a value.

A treatment has no effects of its own; tidemill/rig/chaos/disturbance.py carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tidemill.rig.chaos.answers import (
    CLOCK,
    ERRORS,
    EXPIRED,
    LOGS_ERROR,
    NONSENSE,
    REFUSALS,
    THROTTLED,
)
from tidemill.scaling.fault_kinds import (
    CLOCK_WRONG,
    CREDENTIALS_EXPIRED,
    LOGS_DOWN,
    NETWORK_CUT,
    NETWORK_LOSSY,
    NETWORK_SLOW,
    SQS_ERRORS,
    SQS_FORGETFUL,
    SQS_LYING,
    SQS_REFUSALS,
    SQS_SLOW,
    SQS_THROTTLED,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from tidemill.rig.chaos.answers import Answer
    from tidemill.scaling.faults import Fault

SQS: Final = "sqs"
LOGS: Final = "logs"


@dataclass(frozen=True, slots=True)
class Treatment:
    """What happens to one call on its way.

    Attributes:
        late_before: AWS's seconds until AWS gets the call.
        acts: whether AWS gets the call at all.
        late_after: AWS's seconds from AWS's answer until the caller gets it.
        answer: makes the answer that the caller gets in place of AWS's, None for AWS's own.
        cut: whether the connection ends without an answer.
        held: whether it ends only when the fault is over.
    """

    late_before: float = 0.0
    acts: bool = True
    late_after: float = 0.0
    answer: Answer | None = None
    cut: bool = False
    held: bool = False


UNTREATED: Final = Treatment()


def treat(fault: Fault, service: str, random: Random) -> Treatment:
    """Return what a fault does to a call of this service."""
    services, treatment = TREATMENTS[fault.kind]
    return treatment(fault, random) if service in services or not services else UNTREATED


def _slow_network(fault: Fault, _: Random) -> Treatment:
    return Treatment(late_before=fault.value("late_seconds"))


def _cut(_: Fault, _random: Random) -> Treatment:
    return Treatment(acts=False, cut=True, held=True)


def _lossy(fault: Fault, random: Random) -> Treatment:
    """Lose the call, or as often the answer to it."""
    if random.random() >= fault.value("share"):
        return UNTREATED
    return Treatment(acts=random.random() < 0.5, cut=True)  # noqa: PLR2004 - as often as not


def _slow_sqs(fault: Fault, _: Random) -> Treatment:
    return Treatment(late_after=fault.value("late_seconds"))


def _forgetful(fault: Fault, random: Random) -> Treatment:
    return Treatment(cut=True) if random.random() < fault.value("share") else UNTREATED


def _expired(_: Fault, _random: Random) -> Treatment:
    return Treatment(acts=False, answer=EXPIRED)


def _wrong_clock(_: Fault, _random: Random) -> Treatment:
    return Treatment(acts=False, answer=CLOCK)


def _logs_down(_: Fault, _random: Random) -> Treatment:
    return Treatment(acts=False, answer=LOGS_ERROR)


def _one_of(answers: Sequence[Answer]) -> Callable[[Fault, Random], Treatment]:
    """Return the treatment that answers a share of calls in one of these ways, without acting."""

    def answered(fault: Fault, random: Random) -> Treatment:
        if random.random() >= fault.value("share"):
            return UNTREATED
        return Treatment(acts=False, answer=random.choice(answers))

    return answered


TREATMENTS: Final[Mapping[str, tuple[frozenset[str], Callable[[Fault, Random], Treatment]]]] = {
    NETWORK_SLOW.name: (frozenset(), _slow_network),
    NETWORK_CUT.name: (frozenset(), _cut),
    NETWORK_LOSSY.name: (frozenset(), _lossy),
    CREDENTIALS_EXPIRED.name: (frozenset(), _expired),
    CLOCK_WRONG.name: (frozenset(), _wrong_clock),
    SQS_ERRORS.name: (frozenset({SQS}), _one_of(ERRORS)),
    SQS_REFUSALS.name: (frozenset({SQS}), _one_of(REFUSALS)),
    SQS_THROTTLED.name: (frozenset({SQS}), _one_of(THROTTLED)),
    SQS_SLOW.name: (frozenset({SQS}), _slow_sqs),
    SQS_LYING.name: (frozenset({SQS}), _one_of(NONSENSE)),
    SQS_FORGETFUL.name: (frozenset({SQS}), _forgetful),
    LOGS_DOWN.name: (frozenset({LOGS}), _logs_down),
}
"""For each kind of fault of calls, the services that it concerns (none for all of them), and the
function that treats a call."""
