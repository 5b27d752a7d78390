"""Tables of simulated runs, which never shorten a figure, and the lines below them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from tidemill.report.comparison import CLAIRVOYANT, FRONTIER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NAMES = ("policy", "scenario")
WAITS = (
    ("mean_wait", "mean"),
    ("p50", "p50"),
    ("p95", "p95"),
    ("p99", "p99"),
    ("max", "max"),
    ("dollars_a_day", "$/day"),
    ("on_frontier", "best"),
)
FLEET = (
    ("processed", "done"),
    ("dead_lettered", "dead"),
    ("seconds_to_drain", "drained"),
    ("peak_instances", "peak"),
    ("launches", "boots"),
    ("wasted_launches", "idle"),
    ("cut_off_messages", "cut"),
    ("returned_messages", "back"),
    ("instance_hours", "hours"),
)
ATTEMPTS = (
    ("attempts", "tried"),
    ("retries", "again"),
    ("failed", "failed"),
    ("timed_out", "late"),
    ("crashed", "crashed"),
    ("invalid", "invalid"),
    ("dead_lettered", "dead"),
    ("dead_lettered_good", "good"),
    ("held_instance_hours", "held"),
)
TIMES = {"mean_wait", "seconds_to_drain", "p50", "p95", "p99", "max"}
WAIT_MINUTES = 2
"""The wait for which a number of messages per instance is suggested, that of the template."""
UNLIMITED = 1000
MINUTES = 100
"""Times of more minutes than this are shown in hours."""


def print_tables(tables: Sequence[Table], console: Console) -> Console:
    """Print tables, and return the console for the lines below them.

    In a narrow terminal names are wrapped, never figures; a file has the width of its widest table.
    """
    for table in tables:
        for figures in (column for column in table.columns if column.justify == "right"):
            cells = [figures.header, *figures.cells]
            figures.min_width = max(
                cell_len(line) for cell in cells for line in f"{cell}".splitlines()
            )
    if not console.is_terminal:
        unlimited = console.options.update(max_width=UNLIMITED)
        widths = [Measurement.get(console, unlimited, table).maximum for table in tables]
        console = Console(file=console.file, width=max(console.width, *widths))
    for table in tables:
        console.print(table, crop=False)
    return console


def remarks(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each run that never rests, and for messages that expired or are left."""
    several = len({run["policy"] for run in runs}) > 1
    for run in runs:
        name = f"{run['scenario']}, {run['policy']}" if several else run["scenario"]
        if "failed" in run:
            yield run["failed"]
        for figure, words in (("expired", "expired unprocessed"), ("left", "left at the end")):
            if count := run.get(figure):
                yield f"{name}: {count} message{'s' if count > 1 else ''} {words}"
        if good := run.get("dead_lettered_good"):
            yield (
                f"{name}: {good} good message{'s' if good > 1 else ''} dead-lettered: received as "
                "often as MaxReceiveCount allows, but not attempted as often"
            )


def rates(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what an instance handles, which BacklogPerInstance should follow."""
    names = ("instance_messages_a_minute", "handled_at_once", "groups_messages_a_minute", "groups")
    found = dict.fromkeys(tuple(run.get(name) for name in names) for run in runs)
    for rate, slots, of_groups, groups in found:
        if rate is not None:
            yield (
                f"an instance handles {slots} at a time, at most {rate:g} messages a minute: "
                f"BacklogPerInstance={max(1, round(WAIT_MINUTES * rate))} is a wait of "
                f"{WAIT_MINUTES} minutes"
            )
        if rate is not None and of_groups is not None:
            yield (
                f"FIFO with {groups} groups, one message of each at a time: at most {of_groups:g} "
                f"messages a minute, as many as {math.ceil(of_groups / rate)} instances handle"
            )


def run_tables(runs: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    """Yield tables: waits and costs, messages and instances, and attempts if any failed."""
    yield _table(
        runs,
        WAITS,
        "Waits until processed, and cost",
        f"best: {FRONTIER}; the clairvoyant is a bound",
    )
    real = [run for run in runs if run["policy"] != CLAIRVOYANT]
    yield _table(
        real,
        FLEET,
        "Messages and instances",
        "idle: instances that never worked; cut: messages of workers that ended too early; "
        "back: those of them that no handler had",
    )
    tried = [run | run.get("failed_attempts", {}) for run in real]
    if any(run.get("retries") or run.get("dead_lettered_good") for run in tried):
        yield _table(
            tried,
            ATTEMPTS,
            "Attempts, and dead letters",
            "again: retries; late: timed out; good: dead letters that had fewer attempts than "
            "receives; held: hours of instances while all messages left waited for a retry",
        )


def sensitivity_table(effects: Sequence[Mapping[str, Any]]) -> Table:
    """Return by how many seconds p95 moves in each scenario for each uncertain time.

    A cell has the change if the time is halved, then if it is doubled. A column's head has p95 with
    the usual times.
    """
    scenarios = list(dict.fromkeys(one["scenario"] for one in effects))
    usual = {one["scenario"]: one["p95"] for one in effects}
    table = Table(
        title="How p95 moves if a time that is guessed or polled is halved, doubled",
        caption="p95 of the wait until processed; changes in seconds",
        box=box.SIMPLE,
        padding=(0, 1, 0, 0),
    )
    table.add_column("time", overflow="fold")
    table.add_column("mean", justify="right", no_wrap=True)
    for scenario in scenarios:
        head = f"{scenario}\n{clock(usual[scenario])}"
        table.add_column(head, justify="right", no_wrap=True)
    for time in dict.fromkeys(one["time"] for one in effects):
        cells = {one["scenario"]: one for one in effects if one["time"] == time}
        seconds = next(iter(cells.values()))["seconds"]
        table.add_row(time, f"{seconds:g} s", *(_span(cells.get(name)) for name in scenarios))
    return table


def _span(effect: Mapping[str, Any] | None) -> str:
    if effect is None:
        return ""
    usual, moved = effect["p95"], (effect["p95_halved"], effect["p95_doubled"])
    if usual is None or None in moved:
        return "-"
    changes = [round(one - usual) for one in moved]
    return " ".join(f"{change:+}" if change else "0" for change in changes)


def clock(seconds: float | None) -> str:
    """Return seconds as minutes:seconds, or as hours above 100 minutes; a dash for None."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < MINUTES else f"{seconds / 3600:.1f} h"


def _table(
    runs: Sequence[Mapping[str, Any]],
    columns: Sequence[tuple[str, str]],
    title: str,
    caption: str,
) -> Table:
    names = [name for name in NAMES if name == "scenario" or len({run[name] for run in runs}) > 1]
    shown = [column for column in columns if any(_text(run, column[0]) for run in runs)]
    complete = len(shown) == len(columns)
    table = Table(
        title=title, caption=caption if complete else None, box=box.SIMPLE, padding=(0, 1, 0, 0)
    )
    for name in names:
        table.add_column(name, overflow="fold")
    for _, head in shown:
        table.add_column(head, justify="right", no_wrap=True)
    for run in runs:
        table.add_row(*(str(run[name]) for name in names), *(_text(run, name) for name, _ in shown))
    return table


def _text(run: Mapping[str, Any], name: str) -> str:
    value = run["wait_until_processed"][name] if name in {"p50", "p95", "p99", "max"} else None
    value = run.get(name, value)
    if value is None and "failed" in run:
        return "-"
    if name in TIMES:
        return clock(value)
    if isinstance(value, bool):
        return "*" if value else ""
    if isinstance(value, float):
        return f"{value:.3f}" if name == "dollars_a_day" else f"{value:.2f}"
    return "" if value is None else str(value)
