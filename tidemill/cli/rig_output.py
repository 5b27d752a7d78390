"""Tables of a rig for a terminal: its state, and the figures of a finished run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from tidemill.report.tables import is_bad, summary_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.rig.background import RigState


def summary_table(
    summary: Mapping[str, Any], title: str = "Messages and instances of the run"
) -> Table:
    """Return the figures of a run; what breaks a promise, such as a lost message, is red."""
    table = Table(title=title, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right", style="bold")
    for label, figure in summary_rows(summary):
        table.add_row(label, figure, style="red" if is_bad(label, figure) else None)
    return table


def state_table(rig: RigState) -> Table:
    """Return the state of a running rig."""
    table = Table(title="The running rig", show_header=False)
    table.add_column(style="dim")
    table.add_column(style="bold", overflow="fold")
    table.add_row("endpoint", rig.endpoint)
    table.add_row("Auto Scaling", rig.autoscaling_url)
    table.add_row("queue", rig.queue_url)
    for name, value in rig.status.items():
        if name == "at":
            continue
        text = (
            ", ".join(f"{alarm} {state}" for alarm, state in value.items())
            if isinstance(value, dict)
            else f"{value:.1f}"
            if isinstance(value, float)
            else str(value)
        )
        table.add_row(name.replace("_", " "), text)
    return table
