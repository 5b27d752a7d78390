"""Simulator and rig tell the same story: one run of real processes, speeded up, and the same here.

The tolerance: as many instances at the peak; the same alarms, changes of capacity and states of
instances, in the same order of first happening; everything drained within 90 s of AWS's time of
each other. The rig looks at its queue every six of AWS's seconds only, and a Python process takes
ten of them to start.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.fleets import PRODUCT_TEMPLATE
from support.stories import the_template, told

from tidemill.report.results import read_facts
from tidemill.scaling.timeline import AlarmChanged, DesiredChanged, InstanceChanged, Noted
from tidemill.simulator.scenario import Scenario
from tidemill.simulator.times import Times

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tidemill.scaling.timeline import Fact

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(240)]

PARAMETERS = (("BacklogPerInstance", "20"), ("IdleMinutes", "2"), ("PollWaitSeconds", "30"))
COUNT = 115
SPEED = 30.0
AS_IN_THE_RIG = Times(
    launch=20.0, user_data=20.0, spread=0.0, settle=0.0, notice=0.0, flush=5.0, terminate=5.0
)
"""Launched as by --boot-seconds 30, and ten more for a process to start; ended by a signal."""

DRAIN_TOLERANCE = 90.0


def run_in_rig(folder: Path) -> dict[str, float]:
    """Run the demo in this folder; return its figures."""
    chosen = [word for name, value in PARAMETERS for word in ("--parameter", f"{name}={value}")]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tidemill", "demo", "--template", str(PRODUCT_TEMPLATE)),
            *("--speed", f"{SPEED:g}", "--boot-seconds", "30", "--count", str(COUNT)),
            *("--poison", "0", "--json", *chosen),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)
    return found


def sending_times(folder: Path, started: float) -> list[float]:
    """Return when the rig's messages were sent, in AWS's time: it runs ahead from the start on."""
    lines = (folder / "sent.jsonl").read_text().splitlines()
    sent = sorted(json.loads(line)["sent_at"] for line in lines)
    return [started + (at - started) * SPEED for at in sent]


def first_happenings(facts: Iterable[Fact]) -> list[str]:
    """Return what happened, each kind of thing once, in the order of its first time."""
    happened: dict[str, None] = {}
    for fact in facts:
        if isinstance(fact, AlarmChanged) and fact.after == "ALARM":
            happened[f"{fact.alarm} rings"] = None
        elif isinstance(fact, DesiredChanged):
            happened[f"capacity goes {'up' if fact.after > fact.before else 'down'}"] = None
        elif isinstance(fact, InstanceChanged):
            happened[f"an instance is {fact.state}"] = None
    return list(happened)


def test_simulator_and_rig_agree(tmp_path: Path) -> None:
    """Peak, time to drain and order of events are the same within the tolerance stated above."""
    figures = run_in_rig(tmp_path)
    folder = tmp_path / "build/demo"
    facts = read_facts(folder)
    started = next(fact.at for fact in facts if isinstance(fact, Noted))
    minute = started // 60 * 60
    times = [at - minute for at in sending_times(folder, started)]
    story = Scenario("the demo's", "as sent in the rig", lambda _: iter(times), seconds=3600)
    result, simulated = told(the_template(*PARAMETERS), story, times=AS_IN_THE_RIG, start=minute)
    assert (result.processed, result.lost) == (figures["processed"], figures["lost"])
    assert result.peak_instances == figures["peak_instances"]
    assert result.drained_after == pytest.approx(figures["seconds_to_drain"], abs=DRAIN_TOLERANCE)
    assert first_happenings(simulated) == first_happenings(facts)
