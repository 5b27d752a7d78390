"""Check: one question to AWS, with everything that a user has to know before it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from tidemill.verify.bench import Bench
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target


class Level(StrEnum):
    """What a check does to the stack, and the option that allows it."""

    READ = "reads"
    ACT = "acts: --act"
    OVERNIGHT = "waits seven hours: --overnight"
    DELETE = "deletes the stack: --delete"


@dataclass(frozen=True, slots=True)
class Use:
    """What an observation takes, roughly and at most.

    Attributes:
        seconds: its duration.
        instance_seconds: time of instances that is billed.
        requests: requests to SQS.
        metrics_read: metrics that GetMetricData reads.
    """

    seconds: float = 5.0
    instance_seconds: float = 0.0
    requests: int = 0
    metrics_read: int = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """What is done in order to see something; several checks may judge the same one.

    Attributes:
        name: its name in the notes.
        does: what it does, as a sentence.
        level: what it does to the stack.
        calls: the actions that it may call, which are also the permissions it needs.
        use: what it takes, for a target.
        observe: does it, and takes notes.
    """

    name: str
    does: str
    level: Level
    calls: tuple[str, ...]
    use: Callable[[Target], Use]
    observe: Callable[[Bench], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One question to AWS.

    Attributes:
        name: its name, for --only.
        question: what only AWS can answer.
        observation: what is done for it.
        judge: returns what was expected beside what was observed; expectations are derived from
            the template, the core and its times.
        remedy: what to do if they differ.
    """

    name: str
    question: str
    observation: Observation
    judge: Callable[[Target, Mapping[str, Any]], Iterable[Row]]
    remedy: str
