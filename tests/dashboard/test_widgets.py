"""Tests of reading dashboards and of asking for pictures."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from support.fakes.dashboards import NOW, a_body, a_widget
from support.stack.metric_uses import resolver

from tidemill.dashboard.errors import ExportError
from tidemill.dashboard.widgets import (
    LARGEST_PIXELS,
    TimeRange,
    Widget,
    alarm_names,
    picture_request,
    read_dashboard,
)

SHOWN = TimeRange(NOW - timedelta(hours=3), NOW)


def a_read(widget: dict[str, Any]) -> Widget:
    """Return the widget as it is read from a body."""
    return read_dashboard("one", a_body(widget)).widgets[0]


def test_a_request_has_the_widgets_own_graph_and_the_pages_time() -> None:
    """A request has the widget's metrics and title, its size from the grid, and absolute times."""
    request = json.loads(picture_request(a_read(a_widget(start="-P7D")), SHOWN))
    assert request == {
        **a_widget()["properties"],
        "width": 600,
        "height": 300,
        "start": "2026-11-24T09:00:00.000Z",
        "end": "2026-11-24T12:00:00.000Z",
    }


def test_a_picture_is_never_larger_than_cloudwatch_draws() -> None:
    """The size of a picture is limited to 2,000 pixels per side."""
    huge = {**a_widget(), "width": 24, "height": 1000}
    request = json.loads(picture_request(a_read(huge), SHOWN))
    assert (request["width"], request["height"]) == (1200, LARGEST_PIXELS)


def test_alarms_are_named_by_the_end_of_their_arn() -> None:
    """The name is all that follows the ARN's sixth colon, also with colons in it."""
    arns = [
        "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:plain",
        "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:with:colons",
    ]
    assert alarm_names(a_read(a_widget("alarm", alarms=arns))) == ["plain", "with:colons"]


def test_widgets_are_in_reading_order() -> None:
    """Widgets are sorted from top to bottom, then from left to right."""
    placed = [
        {**a_widget(title=title), "x": x, "y": y}
        for title, x, y in [("d", 12, 6), ("b", 12, 0), ("c", 0, 6), ("a", 0, 0)]
    ]
    dashboard = read_dashboard("one", a_body(*placed))
    assert [widget.title for widget in dashboard.widgets] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "body",
    ["", "[]", '{"widgets": [{}]}', '{"widgets": [{"type": "text", "x": "left"}]}'],
    ids=["empty", "no-object", "no-type", "no-number"],
)
def test_a_body_that_is_none_is_reported_by_the_dashboards_name(body: str) -> None:
    """The error is one line."""
    with pytest.raises(
        ExportError, match=r"dashboard one has a body that cannot be read"
    ) as caught:
        read_dashboard("one", body)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["QueueDashboard", "InstancesDashboard"])
def test_the_templates_own_dashboards_have_only_widgets_that_can_be_exported(name: str) -> None:
    """All widgets of the template's dashboards can be exported with documented requests."""
    dashboard = read_dashboard(name, resolver().properties(name)["DashboardBody"])
    assert {widget.kind for widget in dashboard.widgets} <= {"metric", "alarm", "text"}
    known = {"annotations", "end", "height", "metrics", "period", "region", "start", "stat"}
    known |= {"title", "view", "width", "yAxis"}
    for widget in dashboard.widgets:
        if widget.kind == "metric":
            assert json.loads(picture_request(widget, SHOWN)).keys() <= known
