"""A complete run of a handler of one's own, with messages that are no vehicles."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import pytest

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(240)]

PAGE: Final = (Path(__file__).parents[2] / "docs/handlers.md").read_text(encoding="utf-8")
TIDEMILL: Final = (sys.executable, "-m", "tidemill")

PARCELS: Final = """
import os
import time
from dataclasses import dataclass
from consumer.handlers.api import Message, Reject, Retry

@dataclass
class Parcel:
    id: str
    does: str = "work"

def handle(parcel: Parcel, message: Message) -> None:
    print("parcel", parcel.id)
    if parcel.does == "fail":
        raise ValueError("no such street")
    if parcel.does == "reject":
        raise Reject("nobody lives there")
    if parcel.does == "retry" and message.receive_count == 1:
        raise Retry(after=1)
    if parcel.does == "crash":
        os._exit(137)
    while parcel.does == "hang":
        time.sleep(1)
"""

QUICK: Final = (
    *("--speed", "30", "--boot-seconds", "30"),
    *("-P", "HoldSeconds=120", "-P", "PollWaitSeconds=30", "-P", "MaxReceiveCount=3"),
)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this folder."""
    return subprocess.run(
        [*TIDEMILL, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def figures(folder: Path) -> dict[str, Any]:
    """Return the figures of the folder's run."""
    found: dict[str, Any] = json.loads((folder / "build/demo/summary.json").read_text())
    return found


def test_the_first_example_of_the_page_runs_as_it_stands(tmp_path: Path) -> None:
    """The page's files and its command are all that a newcomer needs, in the page's own folder."""
    for name, text in re.findall(r"(?ms)^`([\w.]+)`:\n```\w*\n(.*?)^```$", PAGE):
        (tmp_path / name).write_text(text)
    (command,) = re.findall(r"(?m)^tidemill (demo .*)$", PAGE)

    done = run(tmp_path, *shlex.split(command))

    assert done.returncode == 0, done.stderr
    summary = figures(tmp_path)
    assert (summary["sent"], summary["poison"], summary["processed"]) == (4, 0, 2)
    assert (summary["failed"], summary["invalid"], summary["dead_lettered"]) == (1, 1, 2)
    assert (summary["lost"], summary["duplicates"], summary["final_instances"]) == (0, 0, 0)
    assert "dead letters: 1 failed: ValueError: nobody has so many in stock" in done.stdout
    assert "dead letters: 1 invalid: Expected `int`, got `str` - at `$.quantity`" in done.stdout
    logs = "".join(path.read_text() for path in (tmp_path / "build/demo/logs").glob("*.jsonl"))
    assert "packing 2 of A-1" in logs


def test_every_way_in_which_a_message_ends_is_in_the_figures(tmp_path: Path) -> None:
    """Each message costs only itself; CSV with options of the producer is input."""
    (tmp_path / "parcels.py").write_text(PARCELS)
    rows = [
        *(f"P{number},work" for number in range(10)),
        "R,reject",
        "T,retry",
        "C,crash",
        "H,hang",
    ]
    (tmp_path / "parcels.csv").write_text("\n".join(["id,does", *rows, "broken"]))

    done = run(
        tmp_path,
        *("demo", *QUICK, "-P", "Handler=parcels:handle", "--file", "parcels.csv"),
        *("--skip-invalid", "--json", "--", "--attribute", "type=parcel"),
    )

    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["sent"], summary["processed"], summary["retried"]) == (14, 11, 1)
    assert (summary["rejected"], summary["crashed"], summary["timed_out"]) == (1, 1, 1)
    assert (summary["dead_lettered"], summary["lost"], summary["duplicates"]) == (3, 0, 0)
    reasons = sorted(summary["dead_letter_reasons"])
    assert reasons[0].startswith("crashed: the handler's process ended with exit code 137")
    assert reasons[1] == "rejected: nobody lives there"
    assert reasons[2].startswith("timed_out: ")
    logs = "".join(path.read_text() for path in (tmp_path / "build/demo/logs").glob("*.jsonl"))
    assert '"attributes":{"type":"parcel"}' in logs


def test_a_fifo_queue_gets_its_groups(tmp_path: Path) -> None:
    """Of a file they are to be named; the messages of a group are handled in order."""
    (tmp_path / "parcels.py").write_text(PARCELS)
    rows = [json.dumps({"id": f"P{number}", "to": f"T{number % 3}"}) for number in range(30)]
    (tmp_path / "parcels.jsonl").write_text("\n".join(rows))
    arguments = ("demo", *QUICK, "-P", "Handler=parcels:handle", "-P", "QueueKind=fifo")

    done = run(tmp_path, *arguments, "--file", "parcels.jsonl", "--group-id", "{to}")

    assert done.returncode == 0, done.stderr
    summary = figures(tmp_path)
    assert (summary["processed"], summary["lost"], summary["duplicates"]) == (30, 0, 0)
    logs = (tmp_path / "build/demo/logs").glob("*.jsonl")
    lines = [json.loads(line) for path in logs for line in path.read_text().splitlines()]
    begun = [line for line in lines if line["event"] == "output"]
    handled = [line["text"].split()[1] for line in sorted(begun, key=itemgetter("time"))]
    for rest in range(3):
        own = [f"P{number}" for number in range(rest, 30, 3)]
        assert [name for name in handled if name in own] == own


def test_a_handler_that_always_fails_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    """The figures are there, too."""
    (tmp_path / "parcels.py").write_text(PARCELS)
    (tmp_path / "parcels.jsonl").write_text('{"id": "a", "does": "fail"}\n' * 3)

    done = run(
        tmp_path,
        *("demo", *QUICK, "-P", "Handler=parcels:handle", "--file", "parcels.jsonl"),
    )

    assert done.returncode == 1
    assert done.stderr.rstrip().splitlines()[-1] == (
        "tidemill: none of 3 messages was processed: failed: ValueError: no such street"
    )
    summary = figures(tmp_path)
    assert (summary["failed"], summary["dead_lettered"], summary["lost"]) == (3, 3, 0)


def test_a_handler_that_cannot_be_loaded_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """One line, exit code 2, and no local AWS."""
    (tmp_path / "parcels.py").write_text("import nowhere_to_be_found\n")

    done = run(tmp_path, "demo", "-P", "Handler=parcels:handle", "--count", "1")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tidemill: HANDLER='parcels:handle': ")
    assert "nowhere_to_be_found" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "build/demo").exists()
