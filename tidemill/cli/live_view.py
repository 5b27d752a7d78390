"""A run as it happens: a live view on a terminal, a line for each event elsewhere."""

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
"""Events that the live view shows."""

STATE_STYLES = {"ALARM": "bold red", "OK": "green", "INSUFFICIENT_DATA": "dim"}


class View(Protocol):
    """What a run tells of itself."""

    def show(self, status: Status) -> None:
        """Show how things stand."""
        ...

    def tell(self, fact: Fact) -> None:
        """Show what happened."""
        ...


class LineView:
    """One line for each event, and nothing between them."""

    def __init__(self, console: Console) -> None:
        """Write to this console."""
        self._console = console

    def show(self, status: Status) -> None:
        """Do nothing: how things stand is for a live view."""

    def tell(self, fact: Fact) -> None:
        """Write the event's line."""
        text = line(fact)
        if text is not None:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """Counts, alarms and the last events, drawn over each other."""

    def __init__(self, live: Live) -> None:
        """Draw on this live display."""
        self._live = live
        self._events: deque[str] = deque(maxlen=LINES)
        self._status: Status | None = None
        self._highest = 1

    def show(self, status: Status) -> None:
        """Draw how things stand."""
        self._status = status
        self._highest = max(self._highest, status.visible + status.in_flight)
        self._draw()

    def tell(self, fact: Fact) -> None:
        """Add the event to the last ones."""
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
            f"{clock_time(status.at)} on AWS's clock, {status.wall_seconds:.0f} s on ours "
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
    """Lend a live view where the console is a terminal, else one that writes lines."""
    if not console.is_terminal:
        yield LineView(console)
        return
    with Live(console=console, refresh_per_second=8) as live:
        yield LiveView(live)
