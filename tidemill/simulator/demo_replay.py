"""A demo's story told again in virtual time: the same messages, parameters and boot times."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tidemill.report.results import Summary, read_facts, read_summary, require_one_run
from tidemill.scaling.boot_times import LAUNCH_SECONDS, USER_DATA_SECONDS
from tidemill.simulator.errors import SimulationError
from tidemill.simulator.run import RunOptions, simulate
from tidemill.simulator.scenario import MINUTE, Scenario
from tidemill.simulator.times import Times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemill.scaling.facts import Fact
    from tidemill.simulator.candidate import Candidate
    from tidemill.simulator.result import Result

PROCESS_SECONDS = 0.5
"""Seconds of this machine that a consumer process takes until its first poll, and to end once it
is told to. Measured: 0.3 to 1.1 s."""

NOTICED_SECONDS = 5.0
"""AWS's seconds until the rig sees that an instance is gone. Measured: it looks at its processes
every few of AWS's seconds."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo left: its facts and figures, and its messages as a story from `start` on.

    `start` is the whole minute in which the rig began, in epoch seconds of AWS's time.
    """

    facts: Sequence[Fact]
    summary: Summary
    story: Scenario
    start: float

    @property
    def template(self) -> Path:
        """Return the path of the template that was run, as the demo was given it."""
        return Path(self.summary["template"])

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters that the template was given."""
        return dict(self.summary["parameters"])


def read_demo(folder: Path) -> Demo:
    """Return the demo that left its files in this folder.

    Raises:
        ReportError: timeline or summary are missing, broken, or of different runs.
        SimulationError: so is the log of sent messages, or the summary lacks the conditions.
    """
    facts, summary = read_facts(folder), read_summary(folder)
    require_one_run(facts, summary)
    if not facts or not {"template", "parameters", "speed", "seed"} <= summary.keys():
        raise SimulationError(f"{folder}: the conditions of the demo are missing: run it again")
    begun = facts[0].at
    start = begun // MINUTE * MINUTE
    # Both clocks agree when the rig begins; from then on AWS's is ahead.
    sent = [
        (begun + (at - begun) * summary["speed"] - start, poison)
        for at, poison in _sent(folder / "sent.jsonl")
    ]
    story = Scenario(
        "demo",
        "the messages of a demo",
        lambda _: (at for at, _ in sent),
        seconds=sent[-1][0] + MINUTE,
        poisoned=tuple(poison for _, poison in sent),
    )
    return Demo(facts, summary, story, start)


def replay(demo: Demo, candidate: Candidate) -> tuple[Result, list[Fact]]:
    """Simulate a demo's story with the template that it ran.

    What the rig does by the machine's own time, such as starting a process, lasts as many of AWS's
    seconds as its speed makes of it.

    Args:
        demo: the demo.
        candidate: the fleet of its template, with its parameters.
    """
    boot = demo.summary.get("boot_seconds", LAUNCH_SECONDS + USER_DATA_SECONDS)
    launch = min(LAUNCH_SECONDS, boot)
    process = PROCESS_SECONDS * demo.summary["speed"]
    times = Times(
        launch=launch,
        user_data=boot - launch + process,
        spread=0.0,
        settle=0.0,
        notice=0.0,
        flush=process,
        terminate=NOTICED_SECONDS,
    )
    facts: list[Fact] = []
    options = RunOptions(times, demo.start)
    result = simulate(candidate, demo.story, demo.summary["seed"], options, facts.extend)
    return result, facts


def _sent(path: Path) -> list[tuple[float, bool]]:
    """Return when each message was sent, by the producer's clock, and whether it is poison."""
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        sent = sorted((float(one["sent_at"]), bool(one["poison"])) for one in records)
    except OSError as error:
        raise SimulationError(f"cannot read {path}: run `make demo` first") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SimulationError(f"{path}: not a log of sent messages: run the demo again") from error
    if not sent:
        raise SimulationError(f"{path} holds no message: run the demo again")
    return sent
