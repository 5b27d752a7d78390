"""A complete run: real producer, real consumers, a real SQS endpoint."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Any

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from support.emulators.rigs import labelled

from tidemill.report.results import NEEDED, read_facts
from tidemill.scaling.facts import (
    ActivityStarted,
    AlarmChanged,
    DesiredChanged,
    Fact,
    InstanceChanged,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(240)]

PATIENCE = 120.0
TIDEMILL = (sys.executable, "-m", "tidemill")
VEHICLE = {"make": "Honda", "model": "Civic", "year": 2020, "color": "Blue"}
QUICK = ("--template", str(PRODUCT_TEMPLATE), "--speed", "30", "--boot-seconds", "30")


def run_demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the demo in this folder."""
    return run_tidemill(folder, "demo", *QUICK, *arguments)


def run_tidemill(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this folder."""
    return subprocess.run(
        [*TIDEMILL, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def content_lines(folder: Path) -> list[dict[str, Any]]:
    """Return what the consumers logged about messages."""
    return [
        entry
        for path in (folder / "build/demo/logs").glob("*.jsonl")
        for entry in map(json.loads, path.read_text().splitlines())
        if entry.get("event") == "message"
    ]


def test_the_fleet_scales_out_from_zero_drains_the_queue_and_scales_in(tmp_path: Path) -> None:
    """Nothing is lost, poison ends in the dead-letter queue, and causes precede effects."""
    small = ("BacklogPerInstance=20", "HoldSeconds=120", "PollWaitSeconds=30")
    chosen = [word for setting in small for word in ("--parameter", setting)]
    done = run_demo(tmp_path, "--count", "115", "--poison", "5", "--json", *chosen)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary == json.loads((tmp_path / "build/demo/summary.json").read_text())
    assert not [name for name in NEEDED if name not in summary]
    assert (summary["sent"], summary["poison"], summary["processed"]) == (120, 5, 115)
    assert (summary["lost"], summary["invalid"], summary["dead_lettered"]) == (0, 5, 5)
    assert (summary["peak_instances"], summary["final_instances"]) == (4, 0)
    assert summary["scale_out_activities"] == summary["scale_in_activities"] >= 4
    assert 0 < summary["seconds_to_first_message"] <= summary["seconds_to_drain"]
    lines = content_lines(tmp_path)
    assert sum(line["outcome"] == "processed" for line in lines) == 115 + summary["duplicates"]
    assert all(line["body"]["vehicleId"] for line in lines if line["outcome"] == "processed")
    _assert_causes_come_first(read_facts(tmp_path / "build/demo"))
    assert (tmp_path / "build/demo/timeline.png").read_bytes().startswith(b"\x89PNG")
    _assert_reported(tmp_path)


def test_fifo_queues_and_a_table_keep_order_and_count_each_message_once(tmp_path: Path) -> None:
    """Each vehicle is a group, whose trips are processed in the order of their mileage."""
    trips = [{**VEHICLE, "vehicleId": f"V{number % 8}", "mileage": number} for number in range(80)]
    (tmp_path / "trips.jsonl").write_text("\n".join(map(json.dumps, trips)))
    parameters = ("QueueKind=fifo", "MaxReceiveCount=8", "IdempotencyTable=true", "Workers=1")
    chosen = [word for one in parameters for word in ("-P", one)]
    grouped = ("--", "--group-id", "{vehicleId}")
    done = run_demo(tmp_path, *chosen, "--file", "trips.jsonl", "--json", *grouped)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["processed"], summary["duplicates"], summary["lost"]) == (80, 0, 0)
    assert (summary["dead_lettered"], summary["final_instances"]) == (0, 0)
    lines = sorted(content_lines(tmp_path), key=lambda line: str(line["time"]))
    for vehicle in {line["group_id"] for line in lines}:
        driven = [line["body"]["mileage"] for line in lines if line["group_id"] == vehicle]
        assert driven == sorted(driven)


def _assert_causes_come_first(facts: list[Fact]) -> None:
    change = next(f for f in facts if isinstance(f, DesiredChanged))
    raised = (f for f in facts if isinstance(f, AlarmChanged) and f.after == "ALARM")
    alarm = next(f for f in raised if f.alarm == change.alarm)  # EmptyQueueAlarm rests in ALARM
    activity = next(f for f in facts if isinstance(f, ActivityStarted))
    serving = next(f for f in facts if isinstance(f, InstanceChanged) and f.state == "InService")
    order = [facts.index(fact) for fact in (alarm, change, activity, serving)]
    assert order == sorted(order)
    assert change.before == 0 < change.after
    assert f"alarm tidemill-{alarm.alarm} in state ALARM triggered policy" in activity.cause


def _assert_reported(folder: Path) -> None:
    done = subprocess.run(
        [*TIDEMILL, "report"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    report = (folder / "REPORT.md").read_text()
    assert "![" in report
    assert "(docs/timeline.png)" in report
    assert (folder / "docs/timeline.png").exists()
    for part in (
        "not of AWS",
        "Scaling activities and their causes",
        "changed the desired capacity from 0",
        "_aws",
    ):
        assert part in report


def test_a_users_file_is_sent_as_it_stands(tmp_path: Path) -> None:
    """The vehicles' unknown fields are in the log, too."""
    vehicle = {"vehicleId": "VH2001", "make": "Honda", "model": "Civic", "year": 2020}
    vehicle |= {"color": "Blue", "mileage": 15000, "owner": {"name": "Ada"}}
    file = tmp_path / "vehicles.jsonl"
    file.write_text(f"{json.dumps(vehicle)}\n\n{json.dumps(vehicle)}\n")
    done = run_demo(
        tmp_path, "--file", str(file), "--poison", "1", "--parameter", "HoldSeconds=120"
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "build/demo/summary.json").read_text())
    assert (summary["sent"], summary["processed"], summary["dead_lettered"]) == (3, 2, 1)
    assert (summary["lost"], summary["peak_instances"]) == (0, 1)
    bodies = [e["body"] for e in content_lines(tmp_path) if e["outcome"] == "processed"]
    assert bodies == [vehicle, vehicle]
    assert "Backlog: visible 3: instances needed 1 -> desired 0 to 1" in done.stderr
    assert "lost" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        pytest.param(("--count", "-1"), 2, "--count", id="negative-count"),
        pytest.param(("--file", "none.jsonl"), 2, "no file none.jsonl", id="missing-file"),
        pytest.param(("--file", "."), 2, "--file: . is a folder", id="folder"),
        pytest.param(("--count", "1", "--file", "-"), 2, "cannot be combined", id="both"),
        pytest.param(("--parameter", "Nope=1"), 2, "unknown parameter Nope", id="unknown"),
        pytest.param(("--parameter", "MaxInstances=1001"), 2, "give 1 to 1000", id="bounds"),
        pytest.param(("--parameter", "Nope"), 2, "give NAME=VALUE", id="no-value"),
        pytest.param(("--parameter", "@dev"), 2, "cannot read samconfig.toml", id="no-samconfig"),
        pytest.param(("--template", "none.yaml"), 2, "cannot read none.yaml", id="no-template"),
        pytest.param(("--times", "none.json"), 2, "cannot read none.json", id="no-times"),
        pytest.param(("--times", "bad.yaml"), 1, "bad.yaml: not JSON", id="no-measured-times"),
        pytest.param(("--template", "bad.yaml"), 1, "bad.yaml, line 3", id="syntax"),
        pytest.param(("--file", "bad.jsonl"), 1, "invalid line 2: not JSON", id="invalid-line"),
        pytest.param(
            ("--file", "empty.jsonl", "--poison", "0"), 1, "nothing was sent", id="empty-file"
        ),
        pytest.param(
            ("--parameter", "Handler=nowhere:f", "--count", "1"), 2, "no module", id="handler"
        ),
        pytest.param(
            ("--parameter", "Handler=json:nope", "--count", "1"), 2, "nope", id="no-function"
        ),
    ],
)
def test_bad_input_ends_in_one_clear_line(
    tmp_path: Path, arguments: tuple[str, ...], code: int, expected: str
) -> None:
    """The exit code shows the kind of error, and there is no traceback."""
    (tmp_path / "bad.yaml").write_text("Resources: [\n  a: b\n")
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "bad.jsonl").write_text(
        '{"vehicleId":"V","make":"m","model":"m","year":2020,"color":"c","mileage":1}\n{nope\n'
    )
    done = run_demo(tmp_path, *arguments)
    assert done.returncode == code, done.stderr
    last = done.stderr.rstrip().splitlines()[-1]
    assert last.startswith("tidemill: ")
    assert expected in last


def test_a_rig_in_the_background_refuses_bad_input_alike(tmp_path: Path) -> None:
    """It ends with its own exit code, before anything is started."""
    done = run_tidemill(tmp_path, "up", *QUICK[:2], "--parameter", "Nope=1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tidemill: unknown parameter Nope")
    assert "Traceback" not in done.stderr
    done = run_tidemill(tmp_path, "up", *QUICK[:2], "--parameter", "Handler=nowhere:f")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tidemill: HANDLER='nowhere:f': ")
    done = run_tidemill(tmp_path, "up", *QUICK[:2], "--times", "none.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tidemill: --times: cannot read none.json")


@pytest.mark.parametrize(
    ("number", "code", "expected"),
    [
        pytest.param(signal.SIGINT, 130, "ended by Ctrl-C, with everything", id="ctrl-c"),
        pytest.param(signal.SIGTERM, 143, "", id="sigterm"),
        pytest.param(signal.SIGHUP, 129, "", id="closed-terminal"),
    ],
)
def test_a_signal_ends_all_that_the_demo_started(
    tmp_path: Path, number: signal.Signals, code: int, expected: str
) -> None:
    """This holds for each signal that a user can send."""
    with subprocess.Popen(
        [*TIDEMILL, "demo", *QUICK, "--count", "200"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stderr is not None
        await_line(demo.stderr, "is launching")
        demo.send_signal(number)
        rest = demo.stderr.read()
        assert demo.wait(60) == code
    assert expected in rest
    assert "Traceback" not in rest
    assert labelled(tmp_path / "build/demo") == []


def test_a_message_after_the_scale_in_scales_out_again(tmp_path: Path) -> None:
    """People who type messages may pause for any time: the demo ends when its input ends."""
    vehicle = {"vehicleId": "VH1", "make": "m", "model": "m", "year": 2020}
    line = json.dumps(vehicle | {"color": "c", "mileage": 1})
    fast = ("--speed", "60", "--parameter", "HoldSeconds=120", "--poison", "0")
    with subprocess.Popen(
        [*TIDEMILL, "demo", *QUICK, *fast, "--file", "-", "--json"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdin is not None
        assert demo.stderr is not None
        print(line, file=demo.stdin, flush=True)
        await_line(demo.stderr, "is terminated")
        out, err = demo.communicate(line + "\n", timeout=PATIENCE)
    assert demo.returncode == 0, err
    summary = json.loads(out)
    assert (summary["sent"], summary["processed"], summary["lost"]) == (2, 2, 0)
    assert (summary["scale_out_activities"], summary["peak_instances"]) == (2, 1)


def await_line(stream: IO[str], part: str) -> None:
    """Read until a line contains this text."""
    read = []
    for line in stream:
        read.append(line)
        if part in line:
            return
    raise AssertionError(f"no {part!r} in: {''.join(read)}")
