"""Several policies over the same scenarios, and the bounds that none can beat."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from tidemill.report.comparison import CLAIRVOYANT
from tidemill.simulator.comparison.clairvoyant import bounds
from tidemill.simulator.cost.bill import instance_seconds_dollars
from tidemill.simulator.run import simulate
from tidemill.simulator.run_figures import figures, mean, percentiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tidemill.simulator.run import Subject
    from tidemill.simulator.scenario import Scenario
    from tidemill.simulator.times import Times

DAY = 86_400


def compare(  # noqa: PLR0913, PLR0917 - what a comparison depends on
    subjects: Sequence[Subject],
    scenarios: Iterable[Scenario],
    seed: int,
    times: Times,
    start: float,
    told: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Return the figures of every subject in every scenario, the bounds after each scenario's.

    Args:
        subjects: the policies, the template's first.
        scenarios: what happens.
        seed: of all randomness.
        times: AWS's.
        start: epoch seconds of the beginning.
        told: hears what is being simulated.
    """
    runs: list[dict[str, Any]] = []
    for scenario in scenarios:
        for subject in subjects:
            told(f"{scenario.name}: {subject.name}")
            result = simulate(subject, scenario, seed, times=times, start=start)
            runs.append(figures(subject, scenario, seed, result))
        runs.append(best(subjects[0], scenario, seed, times))
    mark_frontier(runs)
    return runs


def best(subject: Subject, scenario: Scenario, seed: int, times: Times) -> dict[str, Any]:
    """Return the clairvoyant's figures for a subject's workers and maximum.

    A message waits until it is processed at least as long as until it is received.
    """
    arrivals = scenario.arrivals(Random(f"{seed}-arrivals"))  # noqa: S311 - chance, not secrets
    least = bounds(arrivals, subject.worker.rhythm, subject.fleet.group.max_size, times)
    dollars = instance_seconds_dollars(least.billed_seconds) / (scenario.seconds / DAY)
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
    """Say of each run which other ones wait no longer and cost no more, and less of one."""
    real = [run for run in runs if run["policy"] != CLAIRVOYANT]
    for run in real:
        rivals = [other for other in real if other["scenario"] == run["scenario"]]
        run["beaten_by"] = [other["policy"] for other in rivals if _beats(other, run)]
        run["on_frontier"] = not run["beaten_by"]


def _beats(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one["left"] or one["mean_wait"] is None or other["mean_wait"] is None:
        return False
    mine = (one["mean_wait"], one["dollars_a_day"])
    theirs = (other["mean_wait"], other["dollars_a_day"])
    return mine != theirs and mine[0] <= theirs[0] and mine[1] <= theirs[1]
