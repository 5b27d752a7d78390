"""Kinds of faults: the one table of what can go wrong on AWS, that rig and simulator share.

The commands of `tidemill chaos`, the plans of `tidemill chaos run`, the rig's HTTP path for faults
and the simulator's faults are made from KINDS. To add a kind, describe it here, then write its
effect. What it does to an instance is written once per world: in a rig INJECTIONS of
tidemill/rig/chaos/injections.py, in the simulator EFFECTS of
tidemill/simulator/instances/simulated_instances.py. What it does to metrics and alarms is written
once, in the loop: tidemill/scaling/metrics/delivery.py, tidemill/scaling/alarms/watching.py. What
it does to calls of AWS is written once, in tidemill/rig/chaos/treatment.py. A kind names only the
worlds that have it. The module has more than 280 lines because the table is one subject.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Target(StrEnum):
    """What a fault happens to; the loop itself has the effects of METRIC and ALARM."""

    INSTANCE = "instance"
    METRIC = "metric"
    ALARM = "alarm"
    CALLER = "caller"
    """Whoever calls AWS: an instance, or the producer."""
    RIG = "rig"
    """What imitates AWS: the emulator, or the controller of a fleet of containers."""


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

RIGS: Final = frozenset({WorldKind.PROCESSES, WorldKind.CONTAINERS})
"""The worlds with real programs."""

FOR_SECONDS: Final = FaultParameter("for_seconds", 60.0, "How long it lasts, in seconds.")

KILL: Final = FaultKind(
    name="kill",
    meaning=("The instance fails without a notice: its programs get SIGKILL."),
    target=Target.INSTANCE,
    worlds=RIGS,
    note="failed without a notice",
    answer="failed without a notice",
)

FREEZE: Final = FaultKind(
    name="freeze",
    meaning=("The instance freezes: none of its programs runs, then all go on where they were."),
    target=Target.INSTANCE,
    worlds=RIGS,
    note="froze",
    answer="is frozen",
    parameters=(replace(FOR_SECONDS, default=180.0),),
)

REBOOT: Final = FaultKind(
    name="reboot",
    meaning=("The instance restarts without shutting down, as after a kernel panic."),
    target=Target.INSTANCE,
    worlds=RIGS,
    note="restarts without shutting down",
    answer="restarts",
)

DISK_FULL: Final = FaultKind(
    name="disk-full",
    meaning=("The disk of the instance is full: no program on it can write to a file."),
    target=Target.INSTANCE,
    worlds=RIGS,
    note="has no room left on its disk",
    answer="has no room left on its disk",
    parameters=(replace(FOR_SECONDS, default=120.0),),
)

METADATA_DOWN: Final = FaultKind(
    name="metadata-down",
    meaning=("The instance metadata service answers each request with an error."),
    target=Target.INSTANCE,
    worlds=frozenset({WorldKind.CONTAINERS}),
    note="has no instance metadata",
    answer="has no instance metadata",
    parameters=(replace(FOR_SECONDS, default=120.0),),
)

NETWORK_SLOW: Final = FaultKind(
    name="network-slow",
    meaning=("The network is slow: each call and its answer take longer."),
    target=Target.CALLER,
    worlds=RIGS,
    note="has a slow network",
    answer="has a slow network",
    parameters=(
        FaultParameter("late_seconds", 10.0, "The time by which an answer is late, in seconds."),
        FOR_SECONDS,
    ),
)

NETWORK_CUT: Final = FaultKind(
    name="network-cut",
    meaning=("The network is cut: calls get no answer until it is back."),
    target=Target.CALLER,
    worlds=RIGS,
    note="has no network",
    answer="has no network",
    parameters=(FOR_SECONDS,),
)

NETWORK_LOSSY: Final = FaultKind(
    name="network-lossy",
    meaning=(
        "The network loses connections: some before AWS gets the call, some before its answer "
        "arrives."
    ),
    target=Target.CALLER,
    worlds=RIGS,
    note="loses connections",
    answer="loses connections",
    parameters=(
        FaultParameter("share", 0.3, "The share of calls that it happens to, from 0 to 1."),
        FOR_SECONDS,
    ),
)

CREDENTIALS_EXPIRED: Final = FaultKind(
    name="credentials-expired",
    meaning=("The credentials have expired: AWS refuses each call with ExpiredToken."),
    target=Target.CALLER,
    worlds=RIGS,
    note="has expired credentials",
    answer="has expired credentials",
    parameters=(FOR_SECONDS,),
)

CLOCK_WRONG: Final = FaultKind(
    name="clock-wrong",
    meaning=(
        "The clock has jumped by more than 15 minutes: AWS refuses each call, because its "
        "signature has expired."
    ),
    target=Target.CALLER,
    worlds=RIGS,
    note="has a wrong clock",
    answer="has a wrong clock",
    parameters=(FOR_SECONDS,),
)

SQS_ERRORS: Final = FaultKind(
    name="sqs-errors",
    meaning=("SQS fails: it answers with the status 500 or 503."),
    target=Target.CALLER,
    worlds=RIGS,
    note="gets errors of SQS (500, 503)",
    answer="gets errors of SQS (500, 503)",
    parameters=(
        FaultParameter("share", 1.0, "The share of calls that it happens to, from 0 to 1."),
        FOR_SECONDS,
    ),
)

SQS_REFUSALS: Final = FaultKind(
    name="sqs-refusals",
    meaning=("SQS, or something before it, refuses calls: with 400, 408, 413, 429 or a redirect."),
    target=Target.CALLER,
    worlds=RIGS,
    note="gets refusals of SQS (400 to 429, redirects)",
    answer="gets refusals of SQS (400 to 429, redirects)",
    parameters=(
        FaultParameter("share", 1.0, "The share of calls that it happens to, from 0 to 1."),
        FOR_SECONDS,
    ),
)

SQS_THROTTLED: Final = FaultKind(
    name="sqs-throttled",
    meaning=("SQS throttles calls, and entries of batches."),
    target=Target.CALLER,
    worlds=RIGS,
    note="is throttled by SQS",
    answer="is throttled by SQS",
    parameters=(
        FaultParameter("share", 1.0, "The share of calls that it happens to, from 0 to 1."),
        FOR_SECONDS,
    ),
)

SQS_SLOW: Final = FaultKind(
    name="sqs-slow",
    meaning=("SQS is slow: it acts at once and answers late."),
    target=Target.CALLER,
    worlds=RIGS,
    note="gets slow answers of SQS",
    answer="gets slow answers of SQS",
    parameters=(
        FaultParameter("late_seconds", 30.0, "The time by which an answer is late, in seconds."),
        FOR_SECONDS,
    ),
)

SQS_LYING: Final = FaultKind(
    name="sqs-lying",
    meaning=(
        "SQS answers with 200 and nonsense, without having acted: HTML, nothing, null, a list."
    ),
    target=Target.CALLER,
    worlds=RIGS,
    note="gets nonsense from SQS",
    answer="gets nonsense from SQS",
    parameters=(
        FaultParameter("share", 1.0, "The share of calls that it happens to, from 0 to 1."),
        FOR_SECONDS,
    ),
)

SQS_FORGETFUL: Final = FaultKind(
    name="sqs-forgetful",
    meaning=("The answers of SQS are lost: it acts, and the connection ends without an answer."),
    target=Target.CALLER,
    worlds=RIGS,
    note="loses the answers of SQS",
    answer="loses the answers of SQS",
    parameters=(
        FaultParameter("share", 0.3, "The share of calls that it happens to, from 0 to 1."),
        FOR_SECONDS,
    ),
)

LOGS_DOWN: Final = FaultKind(
    name="logs-down",
    meaning=("CloudWatch Logs is down: its answers have the status 503."),
    target=Target.CALLER,
    worlds=RIGS,
    note="has no CloudWatch Logs",
    answer="has no CloudWatch Logs",
    parameters=(FOR_SECONDS,),
)

AWS_RESTARTS: Final = FaultKind(
    name="aws-restarts",
    meaning=(
        "The emulator of AWS ends and starts again with its state: meanwhile connections are "
        "refused."
    ),
    target=Target.RIG,
    worlds=frozenset({WorldKind.PROCESSES}),
    note="restarts",
    answer="restarts",
)

CONTROLLER_KILLED: Final = FaultKind(
    name="controller-killed",
    meaning=(
        "The controller of the fleet gets SIGKILL, and another one takes its containers over."
    ),
    target=Target.RIG,
    worlds=frozenset({WorldKind.CONTAINERS}),
    note="is killed",
    answer="is killed",
)

KINDS: Final[Mapping[str, FaultKind]] = {
    kind.name: kind
    for kind in (
        SPOT,
        KILL,
        FREEZE,
        REBOOT,
        DISK_FULL,
        METADATA_DOWN,
        NETWORK_SLOW,
        NETWORK_CUT,
        NETWORK_LOSSY,
        CREDENTIALS_EXPIRED,
        CLOCK_WRONG,
        SQS_ERRORS,
        SQS_REFUSALS,
        SQS_THROTTLED,
        SQS_SLOW,
        SQS_LYING,
        SQS_FORGETFUL,
        LOGS_DOWN,
        AWS_RESTARTS,
        CONTROLLER_KILLED,
        METRICS_LATE,
        METRICS_MISSING,
        METRICS_IRREGULAR,
        PHANTOM_IN_FLIGHT,
        ALARMS_LATE,
    )
}
"""Every kind of fault by its name."""
