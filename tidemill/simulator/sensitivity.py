"""Sensitivity: how the waits move if a time that is not well known is half or twice as long."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from tidemill.scaling.times.catalogue import UNCERTAIN
from tidemill.simulator.run import simulate
from tidemill.simulator.scenario import HOUR, MINUTE
from tidemill.simulator.waits import percentiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.spec import Fleet
    from tidemill.scaling.times.catalogue import Times
    from tidemill.simulator.candidate import Candidate
    from tidemill.simulator.run import RunOptions
    from tidemill.simulator.scenario import Scenario

SHORT = 2 * HOUR
"""A scenario whose messages are all sent within this time is short: ten more runs of it take about
as long as one run of a day."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of one time on one scenario.

    Attributes:
        scenario: the scenario's name.
        time: the time's name.
        grade: how well it is known.
        seconds: its mean.
        p95: the 95th percentile of the wait until processed in seconds; None if no message was
            processed.
        p95_halved: the same with half of the time.
        p95_doubled: the same with twice the time.
    """

    scenario: str
    time: str
    grade: str
    seconds: float
    p95: float | None
    p95_halved: float | None
    p95_doubled: float | None

    def figures(self) -> dict[str, object]:
        """Return the effect for JSON."""
        return asdict(self)


def uncertain(times: Times, fleet: Fleet) -> tuple[str, ...]:
    """Return the names of the guessed and polled times that a fleet's runs depend on."""
    return tuple(
        name
        for name, time in times.named()
        if time.grade in UNCERTAIN
        and time.mean
        and (name != "restart" or fleet.group.warm_pool is not None)
    )


def is_short(scenario: Scenario, seed: int) -> bool:
    """Return whether all messages are sent within the first two hours."""
    return _last_message(scenario, seed) <= SHORT


def effects(
    candidate: Candidate, scenario: Scenario, seed: int, options: RunOptions
) -> Iterator[Effect]:
    """Yield the effect of every uncertain time, with the same seed.

    Each time is drawn from random numbers of its own, so all other times are drawn as before. Runs
    end when the last message is processed and the group is at rest: a quiet end adds only costs.

    Args:
        candidate: the fleet and its workers.
        scenario: the load and the faults.
        seed: the seed of every random number.
        options: the options of the simulation.
    """
    end = math.floor(_last_message(scenario, seed) / MINUTE + 1) * MINUTE
    short = scenario
    if not scenario.faults:  # a fault may be planned for the quiet end
        short = replace(scenario, seconds=min(scenario.seconds, end))

    def p95(times: Times) -> float | None:
        result = simulate(candidate, short, seed, replace(options, times=times))
        return percentiles(result.messages.waits)["p95"]

    times = options.times
    usual = p95(times)
    for name in uncertain(times, candidate.fleet):
        time = dict(times.named())[name]
        yield Effect(
            scenario.name,
            name,
            str(time.grade),
            round(time.mean, 2),
            usual,
            p95(times.scaled(name, 0.5)),
            p95(times.scaled(name, 2.0)),
        )


def _last_message(scenario: Scenario, seed: int) -> float:
    """Return when the last message is sent, in seconds since the start."""
    rng = Random(f"{seed}-arrivals")  # noqa: S311 - chance, not secrets
    return max(scenario.arrivals(rng), default=0.0)
