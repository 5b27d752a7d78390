"""Replay of a demo in the simulator: the same messages, parameters, boot and handling times."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tidemill.report.results import (
    Summary,
    read_facts,
    read_logs,
    read_summary,
    require_one_run,
)
from tidemill.scaling.times.catalogue import USUAL
from tidemill.simulator.demo_work import work_of
from tidemill.simulator.errors import SimulationError
from tidemill.simulator.instances.handling import NO_FAILURES, HandlerTime
from tidemill.simulator.run import RunOptions, simulate
from tidemill.simulator.scenario import MINUTE, Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemill.scaling.facts import Fact
    from tidemill.simulator.candidate import Candidate
    from tidemill.simulator.result import Result

PROCESS_SECONDS = 0.5
"""Seconds of this machine's clock from the start of a consumer process to its first poll, and from
SIGTERM to its end. Measured: 0.3 to 1.1 s."""

NOTICED_SECONDS = 5.0
"""Seconds of AWS's time until the rig notices that an instance has ended. Measured: it checks its
processes every few seconds of AWS's time."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A finished demo.

    Attributes:
        facts: its facts, in order.
        summary: its figures and conditions.
        scenario: its messages, with times in seconds since `start`, and the work on them.
        start: the whole minute in which the rig began, in epoch seconds of AWS's time.
    """

    facts: Sequence[Fact]
    summary: Summary
    scenario: Scenario
    start: float

    @property
    def template(self) -> Path:
        """Return the path of the demo's template."""
        return Path(self.summary["template"])

    @property
    def parameters(self) -> dict[str, str]:
        """Return the values of the template's parameters."""
        return dict(self.summary["parameters"])


def read_demo(folder: Path) -> Demo:
    """Return the demo that has its files in this folder.

    Raises:
        ReportError: timeline or summary is missing or broken, or they are of different runs.
        SimulationError: the log of sent messages is missing or broken, or the summary lacks the
            conditions of the run.
    """
    facts, summary = read_facts(folder), read_summary(folder)
    require_one_run(facts, summary)
    if not facts or not {"template", "parameters", "speed", "seed"} <= summary.keys():
        raise SimulationError(f"{folder}: the conditions of the demo are missing: run it again")
    begun = facts[0].at
    start = begun // MINUTE * MINUTE
    # Both clocks agree when the rig begins; after that, AWS's time is ahead.
    sent = [
        (begun + (at - begun) * summary["speed"] - start, poison)
        for at, poison in _sent(folder / "sent.jsonl")
    ]
    handler, failures = work_of(chain.from_iterable(read_logs(folder).values()), summary["speed"])
    scenario = Scenario(
        "demo",
        "the messages of a demo",
        lambda _: (at for at, _ in sent),
        seconds=sent[-1][0] + MINUTE,
        poisoned=tuple(poison for _, poison in sent),
        handler=handler,
        failures=failures,
    )
    return Demo(facts, summary, scenario, start)


def replay(demo: Demo, candidate: Candidate) -> tuple[Result, list[Fact]]:
    """Simulate a demo with the template that it ran.

    Some actions of the rig run at the machine's speed, such as the start of a process. They take
    more of AWS's time the faster the rig runs: half a second at speed 20 is 0.5 * 20 = 10 s.

    Args:
        demo: the demo.
        candidate: the fleet of its template, with its parameters.
    """
    scenario = demo.scenario
    if not candidate.worker.own_handler:  # the default one takes no time, whatever the logs say
        scenario = replace(scenario, handler=HandlerTime(), failures=NO_FAILURES)
    process = PROCESS_SECONDS * demo.summary["speed"]
    times = USUAL.with_boot(
        demo.summary.get("boot_seconds", USUAL.boot()), demo.summary.get("running_seconds")
    ).exactly(
        {
            "reaction": 0.0,  # the rig has none
            "consumer_start": process,
            "startup_watch": 0.0,
            "notice": 0.0,
            "flush": process,
            "terminate": NOTICED_SECONDS,
        }
    )
    facts: list[Fact] = []
    options = RunOptions(times, demo.start)
    result = simulate(candidate, scenario, demo.summary["seed"], options, facts.extend)
    return result, facts


def _sent(path: Path) -> list[tuple[float, bool]]:
    """Return when each message was sent, by the producer's clock, and whether it is poison."""
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        sent = sorted(
            (float(one["sent_at"]), bool(one["poison"]))
            for one in records
            if not one.keys() & {"sending", "not_sent"}  # not of an accepted message
        )
    except OSError as error:
        raise SimulationError(f"cannot read {path}: run `make demo` first") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SimulationError(f"{path}: not a log of sent messages: run the demo again") from error
    if not sent:
        raise SimulationError(f"{path} holds no message: run the demo again")
    return sent
