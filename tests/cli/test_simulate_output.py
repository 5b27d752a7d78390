"""Tables of simulated runs: no figure is shortened, and what went wrong is said below them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from tidemill.cli.simulate_output import print_tables, remarks, run_tables

FIGURES = {
    "scenario": "exercise",
    "wait_until_processed": {"p50": 657, "p95": 857.0, "p99": 999.0, "max": 6100.0},
    "mean_wait": 754.0,
    "dollars_a_day": 102.541,
    "on_frontier": True,
    "processed": 150_000,
    "dead_lettered": 1234,
    "seconds_to_drain": 5999.0,
    "peak_instances": 1000,
    "launches": 1234,
    "wasted_launches": 234,
    "cut_off_messages": 567,
    "returned_messages": 89,
    "instance_hours": 24_000.25,
}
RUNS = [FIGURES | {"policy": name} for name in ("template", "worker utilization")]
FAILED = {
    "policy": "oldest message",
    "scenario": "exercise",
    "wait_until_processed": dict.fromkeys(("p50", "p95", "p99", "max")),
    "mean_wait": None,
    "dollars_a_day": None,
    "on_frontier": False,
    "failed": "exercise, oldest message: the fleet never rests",
}


def printed(runs: list[dict[str, Any]], width: int, *, terminal: bool) -> str:
    """Return the tables of runs as a console of this width shows them."""
    file = io.StringIO()
    print_tables(
        [*run_tables(runs)],
        Console(file=file, width=width, force_terminal=terminal, color_system=None),
    )
    return file.getvalue()


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "file"])
@pytest.mark.parametrize("width", [40, 80])
def test_no_figure_and_no_heading_is_shortened(width: int, *, terminal: bool) -> None:
    """The names of policies are wrapped instead."""
    text = printed(RUNS, width, terminal=terminal)
    assert "…" not in text
    heads = {"mean", "$/day", "best", "drained", "peak", "boots", "idle", "cut", "hours"}
    assert heads | {"102.541", "12:34", "150000", "24000.25"} <= set(text.split())
    assert "1.7 h" in text


def test_a_file_has_each_run_in_one_line() -> None:
    """Its width is that of the widest table."""
    lines = printed(RUNS, 80, terminal=False).splitlines()
    assert sum(line.startswith(" worker utilization") for line in lines) == 2


def test_a_policy_that_never_rests_has_dashes_and_a_reason() -> None:
    """The other policies keep their figures."""
    lines = printed([*RUNS, FAILED], 80, terminal=False).splitlines()
    rows = [line.split() for line in lines if line.startswith(" oldest message")]
    assert [row[3:] for row in rows] == [["-"] * 6, ["-"] * 9]
    assert list(remarks([*RUNS, FAILED])) == [FAILED["failed"]]


def test_messages_that_nobody_processed_are_counted_in_words() -> None:
    """The policy is named if there are several."""
    runs = [run | {"expired": 500, "left": 1} for run in RUNS]
    assert list(remarks(runs[:1])) == [
        "exercise: 500 messages expired unprocessed",
        "exercise: 1 message left at the end",
    ]
    assert next(iter(remarks(runs))) == "exercise, template: 500 messages expired unprocessed"
    assert list(remarks([run | {"expired": 0, "left": 0} for run in RUNS])) == []


def test_good_messages_among_the_dead_letters_are_named() -> None:
    """They were received as often as allowed, and attempted less often."""
    run = RUNS[0] | {"dead_lettered_good": 4}
    (said,) = remarks([run])
    assert said.startswith("exercise: 4 good messages dead-lettered: received as often as")
    (_, table) = printed([run], 120, terminal=False).split("dead  good")
    assert table.split()[-3:] == ["exercise", "1234", "4"]
