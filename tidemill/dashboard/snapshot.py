"""Snapshot of dashboards: each widget with its content, or the reason why it is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from tidemill.dashboard.errors import ExportError, WidgetError
from tidemill.dashboard.widgets import TimeRange, alarm_names, picture_request, read_dashboard

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tidemill.dashboard.ports import AlarmStatus, DashboardSource
    from tidemill.dashboard.widgets import Widget


@dataclass(frozen=True, slots=True)
class Picture:
    """A metric widget as PNG."""

    png: bytes


@dataclass(frozen=True, slots=True)
class Alarms:
    """An alarm widget's alarms; `unknown` has the names of alarms that do not exist."""

    states: tuple[AlarmStatus, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarkdownText:
    """A text widget's Markdown."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The reason why a widget could not be exported."""

    reason: str


Content: TypeAlias = Picture | Alarms | MarkdownText | Absent


@dataclass(frozen=True, slots=True)
class Panel:
    """A widget and its content."""

    widget: Widget
    content: Content


@dataclass(frozen=True, slots=True)
class Sheet:
    """One dashboard."""

    name: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All dashboards of a stack, as they were at `shown.end`."""

    stack: str
    region: str
    shown: TimeRange
    sheets: tuple[Sheet, ...]

    @property
    def panels(self) -> list[Panel]:
        """Return the panels of all dashboards."""
        return [panel for sheet in self.sheets for panel in sheet.panels]

    @property
    def absences(self) -> list[Absent]:
        """Return the widgets that could not be exported."""
        return [panel.content for panel in self.panels if isinstance(panel.content, Absent)]


def take_snapshot(
    source: DashboardSource,
    stack: str,
    hours: int,
    now: datetime,
    on_progress: Callable[[str], None],
) -> Snapshot:
    """Return the stack's dashboards as they are now.

    Args:
        source: the AWS that has the dashboards.
        stack: the stack's name.
        hours: the number of hours before `now` for which metrics are shown.
        now: the end of the shown time, in UTC.
        on_progress: receives a line for each widget.

    Raises:
        ExportError: the stack has no dashboard, or AWS refuses a request.
    """
    names = source.dashboard_names(stack)
    if not names:
        raise ExportError(f"stack {stack} in {source.region} has no dashboard: deploy it again")
    shown = TimeRange(now - timedelta(hours=hours), now)
    sheets = []
    for name in names:
        dashboard = read_dashboard(name, source.dashboard_body(name))
        panels = []
        for number, widget in enumerate(dashboard.widgets, 1):
            on_progress(
                f"{name}: {number} of {len(dashboard.widgets)}, {widget.title or widget.kind}"
            )
            panels.append(Panel(widget, _content(source, widget, shown)))
        sheets.append(Sheet(name, tuple(panels)))
    return Snapshot(stack, source.region, shown, tuple(sheets))


def _content(source: DashboardSource, widget: Widget, shown: TimeRange) -> Content:
    match widget.kind:
        case "metric":
            try:
                return Picture(source.picture(picture_request(widget, shown)))
            except WidgetError as error:
                return Absent(str(error))
        case "alarm":
            names = alarm_names(widget)
            found = {alarm.name: alarm for alarm in source.alarms(names)}
            return Alarms(
                tuple(found[name] for name in names if name in found),
                tuple(name for name in names if name not in found),
            )
        case "text":
            return MarkdownText(str(widget.properties.get("markdown", "")))
        case kind:
            return Absent(f"widgets of type {kind} cannot be exported")
