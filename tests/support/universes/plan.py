"""Plans: what a seed makes of a universe, its settings, its messages and its faults, as values."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from support.universes.faults import FIFO_HAS_NOT, swarm

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a consumer (by number, from 1) at a time, for some seconds."""

    at: float
    kind: str
    consumer: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One universe; durations are in seconds.

    Attributes:
        seed: of all that is drawn while the universe runs.
        fifo: whether the queue is a FIFO queue, with `groups` message groups.
        sends: when each message is sent.
        poison: how many of them no handler can process.
        max_receives: of the queue's redrive policy; None without one.
        starts: when each consumer starts.
        stops: when each consumer is asked to stop.
        visibility: the consumer's setting, as the others until `batch`.
        dead_letters: whether rejected messages are copied to the dead letters.
        handling: what a step of a handler usually takes at most.
        usual: what a request takes at most on its way to SQS, and again back.
        step: what a step of a thread takes at most.
        interruptions: the probability that a thread is interrupted where it could be.
        faults: the kinds that are enabled.
        events: faults that happen at a time.
        left_out: faults that do not happen although they were drawn (see `Faults`).
    """

    seed: int
    fifo: bool
    groups: int
    sends: Sequence[float]
    poison: int
    max_receives: int | None
    starts: Sequence[float]
    stops: Sequence[float]
    visibility: int
    message_seconds: float
    drain: float
    receive_wait: int
    poll_wait: float
    messages_per_poll: int
    concurrency: int
    retry_delay: float
    batch: bool
    dead_letters: bool
    handling: float
    usual: float
    step: float
    interruptions: float
    faults: frozenset[str]
    events: Sequence[Event]
    left_out: frozenset[tuple[str, int]] = frozenset()


def draw(seed: int) -> Plan:
    """Return the universe of a seed."""
    rng = Random(seed)  # noqa: S311 - chance, not secrets
    fifo = rng.random() < 0.3
    faults = swarm(rng)
    if fifo:
        faults -= FIFO_HAS_NOT
    length = rng.choice([5.0, 20.0, 60.0])
    max_receives = rng.choice([None, 3, 5])
    visibility = rng.choice([3, 5, 10, 30, 60])
    sends = sorted(rng.random() * length * 0.7 for _ in range(rng.randint(1, 12)))
    starts = [rng.random() * length * 0.3 for _ in range(rng.randint(1, 2))]
    message_seconds = rng.choice([1.0, 5.0, 20.0])
    poll_wait = rng.choice([0.0, 0.0, 0.0, 2.0, 10.0])
    return Plan(
        seed=seed,
        fifo=fifo,
        groups=rng.randint(1, 3),
        sends=sends,
        poison=0 if max_receives is None else rng.choice([0, 0, 1, 2]),
        max_receives=max_receives,
        starts=starts,
        stops=[start + rng.random() * length for start in starts],
        visibility=visibility,
        message_seconds=message_seconds,
        drain=rng.choice([0.0, 2.0, 9.0, 9.0, 30.0]),
        receive_wait=rng.choice([1, 5, 20] if poll_wait == 0 else [0, 1, 5, 20]),
        poll_wait=poll_wait,
        messages_per_poll=rng.choice([1, 3, 10, 25]),
        concurrency=rng.choice([1, 1, 2, 4]),
        retry_delay=rng.choice([0.0, 1.0, 5.0]),
        batch=rng.random() < 0.2,
        dead_letters=rng.random() < 0.7,
        handling=message_seconds * rng.choice([0.0, 0.05, 0.3]),
        usual=rng.choice([0.001, 0.02, 0.05]),
        step=rng.choice([1e-6, 1e-4]),
        interruptions=rng.choice([0.0, 0.1, 0.5]),
        faults=faults,
        events=_events(rng, faults, starts, length),
    )


def _events(
    rng: Random, faults: frozenset[str], starts: Sequence[float], length: float
) -> list[Event]:
    """Return the faults that happen at a time; none of another one changes what is drawn here."""
    chances = {
        "killed": (0.5, 0.0),
        "frozen": (0.7, 90.0),
        "clock set": (0.7, 0.0),
        "slow processor": (0.5, 10.0),
        "outage": (0.7, 40.0),
    }
    events = []
    for consumer, start in enumerate(starts, 1):
        for kind, (chance, longest) in chances.items():
            happens, at = rng.random() < chance, start + rng.random() * length
            seconds = rng.random() * longest
            if kind == "clock set":
                seconds = rng.choice([-1.0, 1.0]) * rng.choice([1.0, 60.0, 86_400.0])
            if happens and kind in faults:
                events.append(Event(at, kind, consumer, seconds))
    return events
