"""Tests of the page."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import timedelta
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from support.fakes.dashboards import ALARM, NOW, PNG, FakeSource, a_body, a_widget, an_alarm_state

from tidemill.dashboard.page import render
from tidemill.dashboard.snapshot import MarkdownText, Panel, Sheet, Snapshot, take_snapshot
from tidemill.dashboard.widgets import TimeRange, Widget


def page_of(source: FakeSource) -> str:
    """Return the page of the stack's dashboards over three hours."""
    return render(take_snapshot(source, "tidemill", 3, NOW, lambda _line: None))


class Reader(HTMLParser):
    """Collects a page's tags, with the addresses in them, and its text."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag and what it refers to."""
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


def read(page: str) -> Reader:
    """Return what a browser would make of the page."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def test_the_page_has_its_stack_region_and_time() -> None:
    """The page has stack, region, hours and the moment of the export."""
    page = page_of(FakeSource({"tidemill-queue": a_body(a_widget())}))
    about = "Region eu-west-1 · from 2026-11-24 09:00 UTC to 2026-11-24 12:00 UTC · generated"
    assert "<h1>Dashboards of tidemill</h1>" in page
    assert about in page
    assert "<h2>tidemill-queue</h2>" in page
    assert "could not be exported" not in page


def test_pictures_are_in_the_page_and_nothing_is_fetched() -> None:
    """The page has no script and no address but the data of its pictures."""
    reader = read(page_of(FakeSource({"tidemill-queue": a_body(a_widget(), a_widget("text"))})))
    assert reader.addresses == [f"data:image/png;base64,{b64encode(PNG).decode()}"]
    assert not {"script", "link", "iframe", "a"} & set(reader.tags)


def test_alarms_are_a_table_with_state_and_reason() -> None:
    """Alarms that do not exist have a row as well, and no account number is in the page."""
    arns = [f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}" for name in (ALARM, "gone")]
    alarm = an_alarm_state(state="ALARM", reason="Threshold Crossed: 3 > 1")
    page = page_of(FakeSource({"tidemill-queue": a_body(a_widget("alarm", alarms=arns))}, [alarm]))
    assert f'<td>{ALARM}</td><td class="ALARM">ALARM</td><td>2026-11-24 12:00 UTC</td>' in page
    assert "Threshold Crossed: 3 &gt; 1" in page
    assert '<td>gone</td><td colspan="3" class="absent">does not exist</td>' in page
    assert "123456789012" not in page


def test_a_missing_widget_says_why_in_its_place() -> None:
    """The reason is in the widget's place, and the number of missing widgets at the top."""
    source = FakeSource({"tidemill-queue": a_body(a_widget(), a_widget("text"))}, refusal="no <b>")
    page = page_of(source)
    assert "1 of 2 widgets could not be exported." in page
    assert '<h3>Backlog</h3><p class="absent">Not exported: no &lt;b&gt;.</p>' in page


def test_widgets_keep_their_place_in_the_grid() -> None:
    """Widgets have the same places as in the grid and never exceed its 24 columns."""
    placed = {**a_widget(), "x": 12, "y": 6}
    outside = {**a_widget("text"), "x": 20, "y": 12}
    page = page_of(FakeSource({"tidemill-queue": a_body(placed, outside)}))
    assert re.findall(r"grid-column: [^;]+; grid-row: [^\"]+", page) == [
        "grid-column: 13 / span 12; grid-row: 7 / span 6",
        "grid-column: 21 / span 4; grid-row: 13 / span 6",
    ]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\x00")))
def test_all_texts_of_a_dashboard_stay_text(words: str) -> None:
    """Texts of a stack or dashboard are escaped, so that they stay text."""
    widget = Widget("text", 0, 0, 24, 2, {"title": words})
    shown = TimeRange(NOW - timedelta(hours=3), NOW)
    sheet = Sheet(words, (Panel(widget, MarkdownText(words)),))
    plain = Sheet("plain", (Panel(Widget("text", 0, 0, 24, 2, {"title": "x"}), MarkdownText("x")),))
    page = read(render(Snapshot(words, words, shown, (sheet,))))
    assert words in page.text
    expected = read(render(Snapshot("plain", "plain", shown, (plain,)))).tags
    assert [tag for tag in page.tags if tag != "h3"] == [tag for tag in expected if tag != "h3"]
