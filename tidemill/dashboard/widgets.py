"""Widgets of a dashboard: read from its body, and written as requests for their pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tidemill.dashboard.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CELL_PIXELS: Final = 50
"""Side of a cell of a dashboard's grid: a widget of 12 by 6 cells is 600 by 300 pixels large."""

LARGEST_PIXELS: Final = 2000
"""Longest side of a picture (CloudWatch API reference, "Metric Widget Structure and Syntax")."""

GRID_WIDTH: Final = 24
"""Columns of a dashboard's grid (same, "Dashboard Body Structure and Syntax")."""

SIZE: Final = 6
"""Default width and height of a widget in cells (same page)."""


@dataclass(frozen=True, slots=True)
class Widget:
    """A widget in the grid; `kind` is CloudWatch's type: metric, text, alarm and others."""

    kind: str
    x: int
    y: int
    width: int
    height: int
    properties: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Return the title, empty if the widget has none."""
        return str(self.properties.get("title", ""))


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard's name and its widgets, from left to right and from top to bottom."""

    name: str
    widgets: tuple[Widget, ...]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The time that the pictures show, from `start` to `end`, both in UTC."""

    start: datetime
    end: datetime


def read_dashboard(name: str, body: str) -> Dashboard:
    """Return the dashboard of a body, which is in the form of GetDashboard.

    Raises:
        ExportError: the body is not that of a dashboard.
    """
    try:
        found = [_read_widget(given) for given in json.loads(body).get("widgets", [])]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ExportError(f"dashboard {name} has a body that cannot be read: {error!r}") from error
    return Dashboard(name, tuple(sorted(found, key=lambda widget: (widget.y, widget.x))))


def picture_request(widget: Widget, shown: TimeRange) -> str:
    """Return the widget as a request of GetMetricWidgetImage, with absolute times."""
    wanted = {
        **widget.properties,
        "width": min(widget.width * CELL_PIXELS, LARGEST_PIXELS),
        "height": min(widget.height * CELL_PIXELS, LARGEST_PIXELS),
        "start": _timestamp(shown.start),
        "end": _timestamp(shown.end),
    }
    return json.dumps(wanted)


def alarm_names(widget: Widget) -> list[str]:
    """Return the names of an alarm widget's alarms, in the order of their ARNs in the widget."""
    return [str(arn).split(":", 6)[-1] for arn in widget.properties.get("alarms", [])]


def _read_widget(given: Mapping[str, Any]) -> Widget:
    return Widget(
        kind=str(given["type"]),
        x=int(given.get("x", 0)),
        y=int(given.get("y", 0)),
        width=int(given.get("width", SIZE)),
        height=int(given.get("height", SIZE)),
        properties=dict(given.get("properties", {})),
    )


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
