"""Policies under faults of metrics and alarms: the table in docs/simulator.md.

`python -m tidemill.simulator.comparison.metric_faults` prints it, in several minutes: with a fault
the simulator takes every turn.
"""

from __future__ import annotations

import multiprocessing
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tidemill.report.tables import markdown_table
from tidemill.scaling.fault_kinds import (
    ALARMS_LATE,
    METRICS_IRREGULAR,
    METRICS_LATE,
    METRICS_MISSING,
    PHANTOM_IN_FLIGHT,
    FaultKind,
)
from tidemill.scaling.faults import Fault
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.fleet import read_fleet
from tidemill.simulator.candidate import Candidate
from tidemill.simulator.comparison.rival_policies import rivals
from tidemill.simulator.cost.bill import dollars_a_day
from tidemill.simulator.instances.handling import HandlerTime
from tidemill.simulator.run import simulate
from tidemill.simulator.scenario import DAY, HOUR, MINUTE, SCENARIOS
from tidemill.simulator.waits import mean, percentiles

TEMPLATE: Final = Path("template.yaml")
BACKLOG_PER_INSTANCE: Final = 50
SEED: Final = 1
LOADS: Final = ("burst", "tide", "trickle")
"""The scenarios: a wake-up with a peak, a day of work, and many wake-ups."""

HANDLER: Final = HandlerTime(2.0, 0.5)
"""The handling time."""

HEAD: Final = ("fault", "policy", "idle", *LOADS, "$ a day")


@dataclass(frozen=True, slots=True)
class Case:
    """A fault of a day, in words and as values for the simulator."""

    words: str
    faults: tuple[Fault, ...] = ()


def _all_day(words: str, kind: FaultKind, target: str | None = None, **values: float) -> Case:
    return Case(words, (Fault(kind.name, target, 0.0, {**values, "for_minutes": DAY / MINUTE}),))


def _four_hours(words: str, kind: FaultKind, **values: float) -> Case:
    """Return a fault that lasts an hour, from 0, 6, 12 and 18 o'clock on."""
    hour = {**values, "for_minutes": HOUR / MINUTE}
    return Case(words, tuple(Fault(kind.name, None, at * DAY / 4, hour) for at in range(4)))


CASES: Final = (
    Case("none"),
    _all_day("metrics 1 minute late", METRICS_LATE, late_minutes=1.0),
    _all_day("in flight 1 minute late", METRICS_LATE, "in-flight", late_minutes=1.0),
    _four_hours("metrics 5 minutes late in four hours", METRICS_LATE, late_minutes=5.0),
    _four_hours("metrics 15 minutes late in four hours", METRICS_LATE, late_minutes=15.0),
    _four_hours("metrics missing in four hours", METRICS_MISSING),
    _all_day("metrics irregular, 20 % of the datapoints", METRICS_IRREGULAR),
    _all_day("phantom in flight", PHANTOM_IN_FLIGHT),
    _all_day("alarms 2 minutes late", ALARMS_LATE),
)
"""Each fault of the table."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of a policy under a fault: sums over the loads, and the waits in each of them.

    `waits` has the mean and the 95th percentile until processed in seconds, None if no message was
    processed; `dollars` is the mean of the loads' costs.
    """

    idle: int
    waits: tuple[tuple[float | None, float | None], ...]
    dollars: float

    def cells(self) -> tuple[str, ...]:
        """Return the outcome as cells of the table."""
        waits = (f"{_clock(mean)} / {_clock(p95)}" for mean, p95 in self.waits)
        return (str(self.idle), *waits, f"{self.dollars:.2f}")


def outcome(candidate: Candidate, case: Case) -> Outcome:
    """Simulate a policy under a fault, with each of the loads."""
    idle, dollars, waits = 0, 0.0, []
    for name in LOADS:
        scenario = replace(SCENARIOS[name], handler=HANDLER, faults=case.faults)
        result = simulate(candidate, scenario, SEED)
        idle += result.instances.idle_launches
        dollars += sum(dollars_a_day(candidate.fleet, result).values()) / len(LOADS)
        waits.append((mean(result.messages.waits), percentiles(result.messages.waits)["p95"]))
    return Outcome(idle, tuple(waits), dollars)


def policies() -> list[Candidate]:
    """Return the template's policy and its rivals, without those that look at no metric."""
    document = parse_template(TEMPLATE.read_text(encoding="utf-8"), str(TEMPLATE))
    ours = Candidate.of_template(read_fleet(document, {}))
    return [one for one in rivals(ours, BACKLOG_PER_INSTANCE) if one.fleet.alarms]


def row(candidate: Candidate, case: Case) -> tuple[str, ...]:
    """Return one row of the table."""
    return (case.words, candidate.name, *outcome(candidate, case).cells())


def _clock(seconds: float | None) -> str:
    """Return 90 s as 1:30; a dash without a message."""
    return "-" if seconds is None else f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def main() -> None:
    """Print the table, with as many processes as there are processors."""
    pairs = [(candidate, case) for case in CASES for candidate in policies()]
    with multiprocessing.Pool() as pool:
        rows = pool.starmap(row, pairs, chunksize=1)
    sys.stdout.write(markdown_table(HEAD, rows) + "\n")


if __name__ == "__main__":
    main()
