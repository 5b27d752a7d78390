"""Tests of taking dashboards at one moment."""

from __future__ import annotations

import pytest
from support.fakes.dashboards import ALARM, NOW, PNG, FakeSource, a_body, a_widget, an_alarm_state

from tidemill.dashboard.errors import ExportError
from tidemill.dashboard.snapshot import (
    Absent,
    Alarms,
    MarkdownText,
    Picture,
    Snapshot,
    take_snapshot,
)


def taken(source: FakeSource) -> tuple[Snapshot, list[str]]:
    """Return the snapshot of three hours, and its lines of progress."""
    progress: list[str] = []
    return take_snapshot(source, "tidemill", 3, NOW, progress.append), progress


def test_each_kind_of_widget_shows_what_it_has() -> None:
    """Metric, alarm and text widgets have a picture, a table and a text."""
    body = a_body(a_widget(), a_widget("alarm"), a_widget("text"))
    alarm = an_alarm_state()
    snapshot, _ = taken(FakeSource({"tidemill-queue": body}, [alarm]))
    assert [panel.content for panel in snapshot.panels] == [
        Picture(PNG),
        Alarms((alarm,), ()),
        MarkdownText("Look at the [console](https://console.aws.amazon.com/)."),
    ]
    assert snapshot.absences == []


def test_all_dashboards_of_the_stack_show_the_same_hours() -> None:
    """All pictures show the same time range, which ends now."""
    source = FakeSource(
        {
            "tidemill-queue": a_body(a_widget(), a_widget()),
            "tidemill-instances": a_body(a_widget()),
            "another": a_body(a_widget()),
        }
    )
    snapshot, progress = taken(source)
    assert [sheet.name for sheet in snapshot.sheets] == ["tidemill-queue", "tidemill-instances"]
    times = {(request["start"], request["end"]) for request in source.requests}
    assert times == {("2026-11-24T09:00:00.000Z", "2026-11-24T12:00:00.000Z")}
    assert progress == [
        "tidemill-queue: 1 of 2, Backlog",
        "tidemill-queue: 2 of 2, Backlog",
        "tidemill-instances: 1 of 1, Backlog",
    ]


def test_a_widget_that_cannot_be_drawn_does_not_keep_the_others() -> None:
    """A widget without a picture, or of an unknown type, has the reason instead."""
    body = a_body(a_widget(), a_widget("log"), a_widget("text"))
    snapshot, _ = taken(FakeSource({"tidemill-queue": body}, refusal="no pictures here"))
    assert snapshot.absences == [
        Absent("no pictures here"),
        Absent("widgets of type log cannot be exported"),
    ]
    assert isinstance(snapshot.panels[2].content, MarkdownText)


def test_an_alarm_that_does_not_exist_is_named() -> None:
    """Alarms that do not exist are listed by name."""
    snapshot, _ = taken(FakeSource({"tidemill-queue": a_body(a_widget("alarm"))}))
    assert snapshot.panels[0].content == Alarms((), (ALARM,))


def test_a_stack_without_dashboards_has_nothing_to_export() -> None:
    """A stack without dashboards is an error, not an empty page."""
    with pytest.raises(ExportError, match="stack tidemill in eu-west-1 has no dashboard"):
        taken(FakeSource({}))
