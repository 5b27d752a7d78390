"""A demo's files become a scenario for the simulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from support.builders.runs import write_results
from support.builders.simulations import the_template
from typer.testing import CliRunner

from tidemill.cli.main import app
from tidemill.report.results import read_facts
from tidemill.simulator.demo_replay import PROCESS_SECONDS, read_demo, replay
from tidemill.simulator.errors import SimulationError
from tidemill.simulator.instances.handling import Failures, HandlerTime
from tidemill.simulator.waits import mean

if TYPE_CHECKING:
    from pathlib import Path

SPEED = 20.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Provide the files of a demo that sent 30 messages in two of this machine's seconds."""
    write_results(tmp_path / "demo", template=str(PRODUCT_TEMPLATE), boot_seconds=30.0)
    begun = read_facts(tmp_path / "demo")[0].at
    lines = [
        {"message_id": str(index), "poison": index == 3, "sent_at": begun + 1 + index / 15}
        for index in range(30)
    ]
    write_sent(tmp_path / "demo", lines)
    return tmp_path / "demo"


def write_sent(folder: Path, lines: list[dict[str, Any]]) -> None:
    """Write the producer's log, newest first: a log's order is not that of sending."""
    text = "".join(f"{json.dumps(line)}\n" for line in reversed(lines))
    (folder / "sent.jsonl").write_text(text)


def test_messages_are_sent_by_the_clock_of_the_rig(folder: Path) -> None:
    """At speed 20, one second of the producer's clock is 20 seconds of AWS's time."""
    demo = read_demo(folder)
    rng: Any = None  # times that are known need no chance
    times = [demo.start + at for at in demo.scenario.arrivals(rng)]
    begun = demo.facts[0].at
    assert times[0] == pytest.approx(begun + SPEED)
    assert times[-1] == pytest.approx(begun + SPEED * (1 + 29 / 15))
    assert demo.start % 60 == 0


def test_each_poison_message_is_poison_again(folder: Path) -> None:
    """As many messages become dead letters as in the rig, with any seed."""
    result, facts = replay(read_demo(folder), the_template(("HoldSeconds", "120")))
    assert (result.messages.processed, result.messages.dead, result.lost) == (29, 1, 0)
    assert facts


def test_handlers_take_as_long_and_fail_as_often_as_in_the_rig(folder: Path) -> None:
    """Messages of 1 s at speed 20 take 20 s; those that no handler got do not count."""
    outcomes = ["processed"] * 8 + ["failed", "crashed", "invalid", "duplicate"]
    lines = [{"event": "message", "outcome": one, "duration_seconds": 1.0} for one in outcomes]
    lines += [{"event": "message", "outcome": "processed"}, {"event": "cycle"}]
    (folder / "logs/i-1.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    scenario = read_demo(folder).scenario

    result, _ = replay(read_demo(folder), the_template(("Handler", "shop:handle")))

    assert (scenario.handler, scenario.failures) == (HandlerTime(20.0), Failures(0.1, 0.1))
    assert (mean(result.messages.waits) or 0) - (mean(result.messages.first_waits) or 0) > 20
    default, _ = replay(read_demo(folder), the_template())
    assert default.messages.waits <= default.messages.first_waits


def test_processes_take_longer_in_a_faster_rig(folder: Path) -> None:
    """A process starts in half a second of this machine's clock, which is 30 s more at speed 61."""
    begun = read_facts(folder)[0].at
    write_sent(folder, [{"message_id": "0", "poison": False, "sent_at": begun}])
    took = []
    for speed in (1.0, 61.0):
        summary = json.loads((folder / "summary.json").read_text()) | {"speed": speed}
        (folder / "summary.json").write_text(json.dumps(summary))
        result, _ = replay(read_demo(folder), the_template(("HoldSeconds", "120")))
        took.append(max(result.messages.first_waits) / 10)
    assert took[1] - took[0] == pytest.approx(60 * PROCESS_SECONDS, abs=0.2)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        pytest.param("sent.jsonl", None, "run `make demo` first", id="no log"),
        pytest.param("sent.jsonl", "{", "not a log of sent messages", id="torn log"),
        pytest.param("sent.jsonl", "", "holds no message", id="empty log"),
        pytest.param("summary.json", {"speed"}, "conditions of the demo are missing", id="speed"),
    ],
)
def test_files_without_the_messages_of_a_demo_are_refused(
    folder: Path, name: str, content: str | set[str] | None, says: str
) -> None:
    """The error names the file and says what to do."""
    if content is None:
        (folder / name).unlink()
    elif isinstance(content, str):
        (folder / name).write_text(content)
    else:
        summary = json.loads((folder / name).read_text())
        kept = {key: value for key, value in summary.items() if key not in content}
        (folder / name).write_text(json.dumps(kept))
    with pytest.raises(SimulationError, match=says):
        read_demo(folder)


def test_the_command_shows_both_and_draws_them(folder: Path, tmp_path: Path) -> None:
    """The command prints a table or JSON, and draws the picture."""
    picture = tmp_path / "agreement.svg"
    done = CliRunner().invoke(app, ["agree", str(folder), "--picture", str(picture)])
    assert done.exit_code == 0, done.output
    assert "in the dead-letter queue" in done.output
    assert picture.read_text().startswith("<?xml")
    done = CliRunner().invoke(app, ["agree", str(folder), "--json"])
    rows = {row["what"]: row for row in json.loads(done.stdout)["agreement"]}
    assert (rows["processed"]["rig"], rows["processed"]["simulator"]) == ("500", "29")
