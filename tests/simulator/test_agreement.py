"""Simulator and rig agree: a run of real processes at high speed, and the same run simulated.

The tolerance: the same peak; the same kinds of events (alarms, changes of capacity, states of
instances), in the same order of their first time; drained within 90 s of AWS's time of each other.
The rig looks at its queue only every five of AWS's seconds, and on a busy machine a Python process
takes 30 of them to start.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from support.builders.simulations import the_template

from tidemill.report.agreement import first_events
from tidemill.simulator.demo_replay import read_demo, replay

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tidemill.simulator.result import Result

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(240)]

PARAMETERS = (("BacklogPerInstance", "20"), ("HoldSeconds", "120"), ("MessagesPerPoll", "30"))
COUNT = 115
"""Four first polls empty the queue: no sample of it depends on the seconds that a process takes."""
SPEED = 10.0
SLOW = 10.0
DRAIN_TOLERANCE = 90.0


def run_in_rig(folder: Path, parameters: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Run the demo in this folder; return its figures."""
    chosen = [word for name, value in parameters for word in ("--parameter", f"{name}={value}")]
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


def compare(
    folder: Path, parameters: tuple[tuple[str, str], ...], seconds: float
) -> tuple[Result, dict[str, float]]:
    """Run a demo with messages of so many seconds, and simulate it; check what must agree."""
    figures = run_in_rig(folder, parameters)
    demo = read_demo(folder / "build/demo")
    assert demo.scenario.handler.mean == pytest.approx(seconds, rel=0.2, abs=0.2)
    result, simulated = replay(demo, the_template(*parameters))
    assert (result.messages.processed, result.lost) == (figures["processed"], figures["lost"])
    assert result.instances.peak == figures["peak_instances"]
    assert result.drained_after == pytest.approx(figures["seconds_to_drain"], abs=DRAIN_TOLERANCE)
    assert first_events(simulated) == first_events(demo.facts)
    return result, figures


def test_simulator_and_rig_agree(tmp_path: Path) -> None:
    """Peak, time to drain and order of events agree within the tolerance stated above."""
    compare(tmp_path, PARAMETERS, 0.0)


def test_they_agree_about_worker_processes(tmp_path: Path) -> None:
    """A handler of one's own that takes ten of AWS's seconds, two at a time without a pause."""
    handler = f"import time\n\n\ndef handle(message):\n    time.sleep({SLOW / SPEED})\n"
    (tmp_path / "slow.py").write_text(handler, encoding="utf-8")
    given = (("Handler", "slow:handle"), ("Workers", "2"), ("PollWaitSeconds", "0"))
    compare(tmp_path, given, SLOW)
