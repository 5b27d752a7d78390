"""Scenarios: when messages are sent, how many are poison, what fails, how long work takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from producer.arrivals import Pattern, due_times
from tidemill.simulator.instances.handling import HandlerTime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from tidemill.scaling.faults import Fault

    Arrivals = Callable[[Random], Iterator[float]]

DAY = 86_400.0
HOUR = 3600.0
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens to a fleet.

    Attributes:
        name: its name.
        about: what happens, in a few words.
        arrivals: makes the seconds since the start at which messages are sent, never decreasing,
            from the random numbers that it is given.
        seconds: how long the scenario lasts. A run goes on after it until the queue is drained.
        poison: the share of the messages that no consumer can process.
        poisoned: for each message, in their order, whether it is poison; empty to draw by `poison`.
        faults: what goes wrong; times are in seconds since the start.
        handler: how long a message takes to handle.
    """

    name: str
    about: str
    arrivals: Arrivals
    seconds: float = DAY
    poison: float = 0.0
    poisoned: Sequence[bool] = ()
    faults: Sequence[Fault] = ()
    handler: HandlerTime = field(default_factory=HandlerTime)


def with_handler(scenario: Scenario, handler: HandlerTime) -> Scenario:
    """Return the same scenario with messages that take this long to handle."""
    return replace(scenario, handler=handler)


def constant(rate: float, seconds: float) -> Arrivals:
    """Return arrivals at a constant rate a second, for so many seconds."""
    return lambda rng: islice(due_times(Pattern.CONSTANT, rate, 1, rng), round(rate * seconds))


def _until(seconds: float, times: Arrivals) -> Arrivals:
    return lambda rng: takewhile(lambda at: at < seconds, times(rng))


def _at_once(*bursts: tuple[float, int]) -> Arrivals:
    return lambda _: (at for at, count in bursts for _ in range(count))


def _ramp(rate: float, seconds: float) -> Arrivals:
    """Return arrivals whose rate climbs once, from 0 to twice the mean rate."""
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


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("single", "one message, to a fleet at zero", _at_once((30, 1))),
        Scenario(
            "asleep",
            "one message, to a queue that nobody has touched for seven hours",
            _at_once((7 * HOUR, 1)),
        ),
        Scenario("burst", "500 messages at once", _at_once((30, 500))),
        Scenario("ramp", "from nothing to 60 messages a minute in two hours", _ramp(0.5, 2 * HOUR)),
        Scenario("tide", "a day's tide around 12 messages a minute", _tide(0.2, 0.9, DAY)),
        Scenario(
            "trickle",
            "a message every ten minutes, at random",
            _until(DAY, lambda rng: due_times(Pattern.POISSON, 1 / 600, 1, rng)),
        ),
        Scenario(
            "poison",
            "500 messages at once, a fifth of them poison",
            _at_once((30, 500)),
            poison=0.2,
        ),
        Scenario(
            "exercise",
            "the exercise's test: 20 messages, then, when these are done, 300",
            _at_once((30, 20), (HOUR / 2, 300)),
        ),
    )
}
"""The scenarios by name."""
