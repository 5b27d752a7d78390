"""Scenarios: loads of messages, with their share of poison messages, faults and handling times."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from producer.arrivals import Pattern, due_times
from tidemill.simulator.instances.handling import NO_FAILURES, Failures, HandlerTime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from tidemill.scaling.faults import Fault

    Arrivals = Callable[[Random], Iterator[float]]

DAY = 86_400.0
HOUR = 3600.0
GROUPS = 10
"""Message groups of a FIFO queue, unless their number is given."""
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load for a fleet, and the faults during it.

    Attributes:
        name: the scenario's name.
        about: a short description.
        arrivals: a function of random numbers that returns when messages are sent, in seconds since
            the start, in ascending order.
        seconds: the duration of the scenario; a run continues after it until the queue is drained.
        poison: the share of poison messages.
        poisoned: whether each message is a poison message, in their order; empty to choose them at
            random with the share `poison`.
        faults: the planned faults; their times are in seconds since the start.
        handler: the time to handle a message.
        failures: the shares of attempts and messages that fail.
        groups: the number of message groups, for FIFO queues.
    """

    name: str
    about: str
    arrivals: Arrivals
    seconds: float = DAY
    poison: float = 0.0
    poisoned: Sequence[bool] = ()
    faults: Sequence[Fault] = ()
    handler: HandlerTime = field(default_factory=HandlerTime)
    failures: Failures = NO_FAILURES
    groups: int = GROUPS


def constant(rate: float, seconds: float) -> Arrivals:
    """Return arrivals at a constant rate per second, for a number of seconds."""
    return lambda rng: islice(due_times(Pattern.CONSTANT, rate, 1, rng), round(rate * seconds))


def _until(seconds: float, times: Arrivals) -> Arrivals:
    return lambda rng: takewhile(lambda at: at < seconds, times(rng))


def _at_once(*bursts: tuple[float, int]) -> Arrivals:
    return lambda _: (at for at, count in bursts for _ in range(count))


def _ramp(rate: float, seconds: float) -> Arrivals:
    """Return arrivals with a rate that rises evenly from 0 to twice the mean rate."""
    return lambda rng: islice(due_times(Pattern.RAMP, rate, seconds, rng), int(rate * seconds))


def _tide(mean: float, swing: float, seconds: float) -> Arrivals:
    """Return arrivals of a day's tide: lowest at the start, highest after half a day.

    A mean of 0.2 messages a second and a swing of 0.9 give 0.02 at the start and 0.38 after half a
    day. A Poisson process of the highest rate is thinned (Lewis and Shedler, 1979).
    """

    def times(rng: Random) -> Iterator[float]:
        highest = mean * (1 + swing)
        for at in due_times(Pattern.POISSON, highest, 1, rng):
            if at >= seconds:
                return
            rate = mean * (1 - swing * math.cos(2 * math.pi * at / DAY))
            if rng.random() * highest < rate:
                yield at

    return times


def scenarios(load: int = 1) -> dict[str, Scenario]:
    """Return the scenarios by name, with `load` times as many messages as their texts say."""
    table = (
        Scenario("single", "one message, to a fleet at zero", _at_once((30, load))),
        Scenario(
            "asleep",
            "one message, to a queue that nobody has touched for seven hours",
            _at_once((7 * HOUR, load)),
        ),
        Scenario("burst", "500 messages at once", _at_once((30, 500 * load))),
        Scenario(
            "ramp",
            "from nothing to 60 messages a minute in two hours",
            _ramp(0.5 * load, 2 * HOUR),
        ),
        Scenario("tide", "a day's tide around 12 messages a minute", _tide(0.2 * load, 0.9, DAY)),
        Scenario(
            "trickle",
            "a message every ten minutes, at random",
            _until(DAY, lambda rng: due_times(Pattern.POISSON, load / 600, 1, rng)),
        ),
        Scenario(
            "poison",
            "500 messages at once, a fifth of them poison",
            _at_once((30, 500 * load)),
            poison=0.2,
        ),
        Scenario(
            "exercise",
            "the exercise's test: 20 messages, then, when these are done, 300",
            _at_once((30, 20 * load), (HOUR / 2, 300 * load)),
        ),
    )
    times = "" if load == 1 else f"; {load} times as many messages"
    return {one.name: replace(one, about=f"{one.about}{times}") for one in table}


SCENARIOS = scenarios()
"""The scenarios by name."""
