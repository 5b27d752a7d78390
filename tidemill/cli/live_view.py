"""Progress of a run: a live view on a terminal, otherwise a line for each event."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tidemill.report.sentences import clock_time, line, short_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from tidemill.rig.status import Status
    from tidemill.scaling.facts import Fact

LINES = 14
"""How many events the live view shows."""

STATE_STYLES = {"ALARM": "bold yellow", "OK": "green", "INSUFFICIENT_DATA": "dim"}
"""Not red: an alarm that scales is in ALARM while it acts, and one for 0 instances at rest."""


class View(Protocol):
    """The progress display of a run."""

    def show(self, status: Status) -> None:
        """Show the present state of the rig."""
        ...

    def show_fact(self, fact: Fact) -> None:
        """Show an event."""
        ...


class LineView:
    """A display that writes one line for each event."""

    def __init__(self, console: Console) -> None:
        """Write to this console."""
        self._console = console

    def show(self, status: Status) -> None:
        """Do nothing: only the live view shows the state between events."""

    def show_fact(self, fact: Fact) -> None:
        """Write the event's line."""
        text = line(fact)
        if text is not None:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """A display that redraws counts, alarms and the last events in place."""

    def __init__(self, live: Live) -> None:
        """Draw on this live display."""
        self._live = live
        self._events: deque[str] = deque(maxlen=LINES)
        self._status: Status | None = None
        self._highest = 1

    def show(self, status: Status) -> None:
        """Draw the present state of the rig."""
        self._status = status
        self._highest = max(self._highest, status.visible + status.in_flight)
        self._draw()

    def show_fact(self, fact: Fact) -> None:
        """Add the event to those shown."""
        text = line(fact)
        if text is not None:
            self._events.append(text)
            self._draw()

    def _draw(self) -> None:
        events = Text("\n".join(self._events), overflow="ellipsis", no_wrap=True)
        if self._status is None:
            self._live.update(events)
            return
        self._live.update(Group(self._table(self._status), events))

    def _table(self, status: Status) -> Table:
        table = Table.grid(padding=(0, 2))
        waiting = status.visible + status.in_flight
        table.add_row(
            Text("time", style="dim"),
            f"{clock_time(status.at)} in AWS's time, after {status.wall_seconds:.0f} s "
            f"(speed {status.speed:g})",
        )
        table.add_row(
            Text("queue", style="dim"),
            f"{status.visible} waiting, {status.in_flight} in flight, "
            f"{status.dead_lettered} dead letters, {status.processed} processed",
        )
        table.add_row("", ProgressBar(total=self._highest, completed=waiting, width=50))
        table.add_row(
            Text("fleet", style="dim"),
            f"desired {status.desired}: {status.in_service} in service, {status.pending} pending, "
            f"{status.terminating} terminating",
        )
        alarms = Text()
        for name, state in status.alarms.items():
            alarms.append(f"{short_name(name)} ").append(f"{state}  ", STATE_STYLES.get(state, ""))
        table.add_row(Text("alarms", style="dim"), alarms)
        return table


@contextmanager
def open_view(console: Console) -> Iterator[View]:
    """Provide a live view if the console is a terminal, otherwise a display that writes lines."""
    if not console.is_terminal:
        yield LineView(console)
        return
    with Live(console=console, refresh_per_second=8) as live:
        yield LiveView(live)
