"""The live view of a run: on a terminal, and without one."""

from __future__ import annotations

import io

from rich.console import Console

from tidemill.cli.live_view import LineView, LiveView, open_view
from tidemill.rig.status import Status
from tidemill.scaling.facts import Noted, QueueSampled

STATUS = Status(
    at=36_000.0,
    wall_seconds=12.0,
    speed=20.0,
    visible=42,
    in_flight=7,
    dead_lettered=3,
    processed=99,
    desired=4,
    in_service=2,
    pending=1,
    terminating=1,
    alarms={"BacklogAlarm": "ALARM", "BacklogRisingAlarm": "OK"},
)


def test_elsewhere_each_event_is_a_line_and_nothing_else_is_written() -> None:
    """Without a terminal, the output of a run is its timeline."""
    console = Console(file=io.StringIO(), width=40)
    with open_view(console) as view:
        assert isinstance(view, LineView)
        view.show(STATUS)
        view.show_fact(QueueSampled(0, 1, 1))
        view.show_fact(Noted(36_000, "[bold]not markup[/bold], however long the line may become"))
    assert console.file.getvalue() == (  # type: ignore[attr-defined]  # rich types it as any file
        "10:00:00 [bold]not markup[/bold], however long the line may become\n"
    )


def test_a_terminal_shows_queue_fleet_alarms_clocks_and_events() -> None:
    """The terminal shows all of them at the same time."""
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=40)
    with open_view(console) as view:
        assert isinstance(view, LiveView)
        view.show_fact(Noted(36_000, "first"))
        view.show(STATUS)
        view.show_fact(Noted(36_060, "second"))
    shown = console.file.getvalue()  # type: ignore[attr-defined]  # rich types it as any file
    for part in (
        "10:00:00 in AWS's time, after 12 s",
        "42 waiting, 7 in flight, 3 dead letters, 99 processed",
        "desired 4: 2 in service, 1 pending, 1 terminating",
        "Backlog",
        "10:01:00 second",
    ):
        assert part in shown
