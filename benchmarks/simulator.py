"""Benchmark of the simulator: a day, a year, growth, memory, and the same model in SimPy.

Run `python -m benchmarks.simulator` in the project's environment, with SimPy added to it
(`pip install simpy`); `--json` prints JSON. Each run has a process of its own, so that its memory
can be measured.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import multiprocessing
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.fleet import read_fleet
from tidemill.simulator.candidate import Candidate
from tidemill.simulator.run import RunOptions, simulate
from tidemill.simulator.scenario import DAY, Scenario, constant
from tidemill.simulator.traces.trace import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
REPEATS = 7
YEAR = 365
DAY_GOAL, YEAR_GOAL = 0.1, 30.0
MEAN, SWING, MOST = 6, 0.8, 200
NIGHT_MINUTES = 300


def main() -> None:
    """Measure and print the results, with the goals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--days", type=int, default=YEAR, help="days of the long trace")
    options = parser.parse_args()
    long = options.days
    found: dict[str, Any] = {
        "day_seconds": _apart(_the_day, REPEATS),
        "days": [_apart(_days, days) for days in sorted({max(long // 12, 1), long // 4, long})],
        "simpy": _apart(_in_simpy, REPEATS),
    }
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    day, simpy = found["day_seconds"], found["simpy"]
    head = (
        f"a day of the default template, a message a second: {day['median']:.3f} s "
        f"(best {day['best']:.3f}, goal {DAY_GOAL})"
    )
    lines = [
        head,
        *(
            f"{one['days']:4} days, minute by minute: {one['seconds']:6.2f} s, "
            f"{one['messages']} messages, {one['microseconds']:.2f} us each, "
            f"{one['megabytes']} MB at most"
            for one in found["days"]
        ),
        f"(goal for a year: {YEAR_GOAL:.0f} s)",
    ]
    if "missing" in simpy:
        lines.append(simpy["missing"])
    else:
        lines.append(
            f"the same day in SimPy, with a rule in place of alarms: {simpy['median']:.3f} s, "
            f"{simpy['median'] / day['median']:.1f} times as long; processed there "
            f"{simpy['processed']}, here {day['processed']}"
        )
    sys.stdout.write("\n".join(lines) + "\n")


def _apart(measure: Callable[[int], dict[str, Any]], size: int) -> dict[str, Any]:
    """Measure in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (size,))


def _candidate() -> Candidate:
    return Candidate.of_template(
        read_fleet(parse_template(TEMPLATE.read_text(), "template.yaml"), {})
    )


def _timed(run: Callable[[], Any], repeats: int) -> tuple[list[float], Any]:
    seconds, result = [], None
    for _ in range(repeats):
        begun = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - begun)
    return seconds, result


def _the_day(repeats: int) -> dict[str, Any]:
    """A day with a message every second, which is more than the default fleet can process."""
    candidate, day = _candidate(), Scenario("day", "", constant(1, DAY), seconds=DAY)
    stop_at_its_end = RunOptions(drain=False)
    seconds, result = _timed(lambda: simulate(candidate, day, 1, stop_at_its_end), repeats)
    return {
        "median": statistics.median(seconds),
        "best": min(seconds),
        "processed": result.messages.processed,
    }


def _days(days: int) -> dict[str, Any]:
    """Days of a tide by minutes, quiet at night, with messages as a trace has them."""

    def lots(rng: Random) -> Iterator[tuple[float, int]]:
        for minute in range(days * 1440):
            rate = MEAN * (1 - SWING * math.cos(2 * math.pi * minute / 1440))
            if minute % 1440 >= NIGHT_MINUTES:
                yield minute * 60.0, min(int(rng.expovariate(1 / rate)), MOST)

    trace = Scenario("trace", "", lambda rng: spread(lots(rng)), seconds=days * DAY)
    candidate = _candidate()
    (seconds,), result = _timed(lambda: simulate(candidate, trace, 1), 1)
    return {
        "days": days,
        "seconds": seconds,
        "messages": result.messages.sent,
        "launches": result.instances.launches,
        "turns": result.turns,
        "microseconds": seconds / result.messages.sent * 1e6,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _in_simpy(repeats: int) -> dict[str, Any]:
    try:
        importlib.import_module("simpy")  # for comparison; it is not a dependency
    except ImportError:
        return {"missing": "SimPy is not installed: `pip install simpy` to measure it as well"}
    from benchmarks.simpy_model import one_day  # noqa: PLC0415 - simpy is installed only for this comparison

    seconds, processed = _timed(one_day, repeats)
    return {"median": statistics.median(seconds), "best": min(seconds), "processed": processed}


if __name__ == "__main__":
    main()
