"""Comparison: simulates several policies over the same scenarios, with the clairvoyant's bounds."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

from tidemill.report.comparison import CLAIRVOYANT, is_better
from tidemill.simulator.comparison.clairvoyant import bounds
from tidemill.simulator.cost.bill import instance_seconds_dollars
from tidemill.simulator.cost.fleet_prices import prices_of
from tidemill.simulator.errors import NeverRestsError
from tidemill.simulator.run import simulate
from tidemill.simulator.run_figures import run_figures
from tidemill.simulator.waits import mean, percentiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tidemill.scaling.times.catalogue import Times
    from tidemill.simulator.candidate import Candidate
    from tidemill.simulator.run import RunOptions
    from tidemill.simulator.scenario import Scenario

DAY = 86_400


def compare(
    candidates: Sequence[Candidate],
    scenarios: Iterable[Scenario],
    seed: int,
    options: RunOptions,
    on_progress: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Return the figures of every candidate in every scenario, with the bounds of each scenario.

    A policy whose fleet never rests has the reason as `failed`, and None for what is compared.

    Args:
        candidates: the policies, the template's first.
        scenarios: the loads.
        seed: the seed of every random number.
        options: the options of each simulation.
        on_progress: receives the name of each simulation at its start.
    """
    runs: list[dict[str, Any]] = []
    for scenario in scenarios:
        for candidate in candidates:
            on_progress(f"{scenario.name}: {candidate.name}")
            try:
                result = simulate(candidate, scenario, seed, options)
            except NeverRestsError as error:
                runs.append(_without_figures(candidate, scenario, seed, str(error)))
            else:
                runs.append(run_figures(candidate, scenario, seed, result))
        runs.append(clairvoyant_figures(candidates[0], scenario, seed, options.times))
    mark_frontier(runs)
    return runs


def _without_figures(
    candidate: Candidate, scenario: Scenario, seed: int, failed: str
) -> dict[str, Any]:
    return {
        "policy": candidate.name,
        "scenario": scenario.name,
        "about": scenario.about,
        "seed": seed,
        "failed": failed,
        "wait_until_processed": percentiles(Counter()),
        "mean_wait": None,
        "dollars_a_day": None,
    }


def clairvoyant_figures(
    candidate: Candidate, scenario: Scenario, seed: int, times: Times
) -> dict[str, Any]:
    """Return the clairvoyant's bounds for a candidate's workers and maximum.

    Its waits end with the first receive; those of the other policies end later, with processing.
    """
    arrivals = scenario.arrivals(Random(f"{seed}-arrivals"))  # noqa: S311 - chance, not secrets
    least = bounds(arrivals, candidate.worker.rhythm, candidate.fleet.group.max_size, times)
    prices = prices_of(candidate.fleet)
    dollars = instance_seconds_dollars(least.billed_seconds, prices) / (scenario.seconds / DAY)
    average = mean(least.waits)
    return {
        "policy": CLAIRVOYANT,
        "scenario": scenario.name,
        "about": scenario.about,
        "seed": seed,
        "wait_until_processed": percentiles(least.waits),
        "mean_wait": None if average is None else round(average, 1),
        "instance_hours": round(least.billed_seconds / 3600, 3),
        "dollars_a_day": round(dollars, 4),
    }


def mark_frontier(runs: Sequence[dict[str, Any]]) -> None:
    """Add to each run the policies that beat it, and whether there is none.

    A policy that processed none of the messages, or never rests, is not on the frontier.
    """
    real = [run for run in runs if run["policy"] != CLAIRVOYANT]
    for run in real:
        rivals = [other for other in real if other["scenario"] == run["scenario"]]
        run["beaten_by"] = [other["policy"] for other in rivals if is_better(other, run)]
        idle = run["mean_wait"] is None and run.get("sent") != 0
        run["on_frontier"] = not run["beaten_by"] and not idle
