"""The chapter with the soak tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tidemill.report.errors import ReportError
from tidemill.report.soak_chapter import read_soaks, soak_chapter

if TYPE_CHECKING:
    from pathlib import Path

RUN: dict[str, Any] = {
    "world": "processes",
    "seed": 1,
    "instances": 4,
    "every_seconds": 10.0,
    "speed": 10.0,
    "wall_seconds": 261.4,
    "sent": 10_100,
    "faults_happened": 20,
    "kinds_happened": ["freeze", "kill"],
    "recovered": 3,
    "processed": 10_003,
    "poison": 100,
    "poison_dead_lettered": 100,
    "dead_lettered": 101,
    "duplicates": 7,
    "unexplained_duplicates": 0,
    "duplicate_causes": {"its worker was killed": 7},
    "lost": 0,
    "left_in_queue": 0,
    "unexpected": 0,
    "broken_promises": [],
}


def write(folder: Path, name: str, **changes: object) -> None:
    """Write the summary of a soak test."""
    (folder / name).mkdir()
    (folder / name / "summary.json").write_text(json.dumps(RUN | changes))


def test_each_soak_test_has_a_row(tmp_path: Path) -> None:
    """Processes come first, then containers, each by their seeds."""
    write(tmp_path, "containers-1", world="containers")
    write(tmp_path, "processes-10", seed=10)
    write(tmp_path, "processes-2", seed=2)
    text = "\n".join(soak_chapter(read_soaks(tmp_path)))
    rows = [line for line in text.splitlines() if line.startswith(("| processes", "| containers"))]
    assert [row.split(" | ")[1] for row in rows] == ["2", "10", "1"]
    assert "10100 | 20 | 2 | 3 | 10003 | 100 | 100 | 101 | 7 | 0 | 0 | 0 | 0 |" in rows[0]
    assert "a fault happened every 10 seconds of this machine's clock: `freeze`, `kill`." in text
    assert "a run took 261 to 261 seconds of it." in text
    assert "- 21: its worker was killed" in text
    assert "Not kept" not in text


def test_a_promise_that_was_not_kept_is_in_the_report(tmp_path: Path) -> None:
    """It names the run."""
    write(tmp_path, "processes-3", seed=3, broken_promises=["2 messages are lost"])
    text = "\n".join(soak_chapter(read_soaks(tmp_path)))
    assert "- **Not kept** with seed 3 in processes: 2 messages are lost." in text


def test_without_soak_tests_there_is_no_chapter(tmp_path: Path) -> None:
    """The report of a demo alone stays as it is."""
    assert list(soak_chapter(read_soaks(tmp_path / "none"))) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no summary"),
        ("{}", "kinds_happened"),
        ('{"kinds_happened": []}', "it has no instances"),
    ],
)
def test_a_damaged_summary_is_an_error(tmp_path: Path, text: str, problem: str) -> None:
    """The line names the file."""
    write(tmp_path, "processes-1")
    (tmp_path / "processes-1/summary.json").write_text(text)
    with pytest.raises(
        ReportError, match=f"processes-1/summary.json is no summary.*{problem}|{problem}"
    ):
        read_soaks(tmp_path)
