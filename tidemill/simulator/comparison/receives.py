"""Receives that are no attempts: how many there are, and how many good messages they cost.

`python -m tidemill.simulator.comparison.receives` prints the table of docs/simulator.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tidemill.report.tables import markdown_table
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.fleet import read_fleet
from tidemill.simulator.candidate import Candidate
from tidemill.simulator.instances.handling import HandlerTime
from tidemill.simulator.run import RunOptions, simulate
from tidemill.simulator.scenario import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterable

TEMPLATE: Final = Path("template.yaml")
SEEDS: Final = range(1, 6)
COUNTS: Final = (1, 2, 3)
HEAD: Final = (
    "MessageSeconds",
    "handler",
    "pause",
    "Spot an hour",
    "receives",
    "given back",
    "cut off",
    "q",
    "q^3",
    "good dead letters with 1 / 2 / 3",
)


@dataclass(frozen=True, slots=True)
class Case:
    """A fleet with a handler.

    Attributes:
        message_seconds: the template's MessageSeconds.
        handler: the handling times.
        pause: the template's PollWaitSeconds.
        spot_per_hour: Spot interruptions of an instance in an hour.
        instances: the template's MaxInstances.
    """

    message_seconds: int
    handler: HandlerTime
    pause: int = 60
    spot_per_hour: float = 0.0
    instances: int = 4

    def candidate(self, template: str, max_receive_count: int) -> Candidate:
        """Return the template's fleet; it may have fewer receives than the template allows."""
        parameters = {
            "MessageSeconds": f"{self.message_seconds}",
            "PollWaitSeconds": f"{self.pause}",
            "MaxInstances": f"{self.instances}",
        }
        fleet = read_fleet(parse_template(template, TEMPLATE.name), parameters)
        queue = replace(fleet.queue, max_receive_count=max_receive_count)
        return Candidate.of_template(replace(fleet, queue=queue))


CASES: Final = (
    Case(30, HandlerTime(20.0)),
    Case(60, HandlerTime(45.0), spot_per_hour=4.0),
    Case(30, HandlerTime(20.0, 0.25), spot_per_hour=4.0),
    Case(60, HandlerTime(45.0, 0.15), pause=0, spot_per_hour=4.0),
    Case(30, HandlerTime(4.0, 1.0), pause=0, spot_per_hour=4.0),
    Case(300, HandlerTime(200.0, 0.2), pause=0, spot_per_hour=4.0, instances=40),
)


@dataclass(slots=True)
class Receives:
    """Counts over all seeds.

    Attributes:
        all: receives of messages.
        returned: those that ended with a return of an untouched message.
        cut_off: those whose handler was cut off.
        good_dead: good messages that became dead letters.
    """

    all: int = 0
    returned: int = 0
    cut_off: int = 0
    good_dead: int = 0

    @property
    def wasted(self) -> float:
        """Return the share of receives that were no attempts."""
        return (self.returned + self.cut_off) / self.all


def count(case: Case, template: str, max_receive_count: int, seeds: Iterable[int]) -> Receives:
    """Return the receives of a case in the scenario `tide`."""
    candidate, found = case.candidate(template, max_receive_count), Receives()
    scenario = replace(SCENARIOS["tide"], handler=case.handler)
    for seed in seeds:
        result = simulate(candidate, scenario, seed, RunOptions(spot_per_hour=case.spot_per_hour))
        messages, ended = result.messages, result.instances.cut_off_messages
        found.all += messages.attempts + ended
        found.returned += messages.returned
        found.cut_off += ended - messages.returned
        found.good_dead += messages.good_dead
    return found


def row(case: Case, template: str) -> tuple[str, ...]:
    """Return a case's row: of the largest maxReceiveCount, and the good dead letters of each."""
    found = [count(case, template, most, SEEDS) for most in COUNTS]
    last = found[-1]
    spread = f" ± {case.handler.variation:.0%}" if case.handler.variation else ""
    return (
        f"{case.message_seconds}",
        f"{case.handler.mean:g} s{spread}",
        f"{case.pause} s",
        f"{case.spot_per_hour:g}",
        f"{last.all:,}",
        f"{last.returned:,}",
        f"{last.cut_off:,}",
        f"{last.wasted:.4f}",
        f"{last.wasted**3:.1g}",
        " / ".join(f"{one.good_dead:,}" for one in found),
    )


def main() -> None:
    """Print the table in Markdown."""
    template = TEMPLATE.read_text(encoding="utf-8")
    rows = [row(case, template) for case in CASES]
    sys.stdout.write(markdown_table(HEAD, rows) + "\n")


if __name__ == "__main__":
    main()
