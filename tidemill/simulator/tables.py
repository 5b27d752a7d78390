"""Figures of runs as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = (
    ("policy", "policy"),
    ("scenario", "scenario"),
    ("processed", "processed"),
    ("dead_lettered", "dead"),
    ("mean_wait", "mean wait"),
    ("wait p50", "p50"),
    ("wait p95", "p95"),
    ("wait p99", "p99"),
    ("wait max", "max"),
    ("seconds_to_drain", "drained"),
    ("oldest_age", "oldest"),
    ("peak_instances", "peak"),
    ("launches", "launches"),
    ("wasted_launches", "wasted"),
    ("instance_hours", "hours"),
    ("dollars_a_day", "$ a day"),
    ("on_frontier", "frontier"),
)


def runs_table(runs: Sequence[Mapping[str, Any]], title: str) -> Table:
    """Return one line for each run; waits and times as minutes and seconds."""
    table = Table(title=title, caption="wait until processed; min:s; messages of the whole run")
    columns = [(name, head) for name, head in COLUMNS if any(_shown(run, name) for run in runs)]
    for name, head in columns:
        table.add_column(head, justify="left" if name in {"policy", "scenario"} else "right")
    for run in runs:
        table.add_row(*(_shown(run, name) for name, _ in columns))
    return table


def clock(seconds: float | None) -> str:
    """Return seconds as minutes and seconds, or a dash."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _shown(run: Mapping[str, Any], name: str) -> str:
    if name.startswith("wait "):
        waits = run.get("wait_until_processed") or {}
        return clock(waits.get(name.removeprefix("wait ")))
    value = run.get(name)
    if name in {"seconds_to_drain", "oldest_age", "mean_wait"}:
        return clock(value)
    if name == "dollars_a_day" and value is not None:
        return f"{value:.2f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
