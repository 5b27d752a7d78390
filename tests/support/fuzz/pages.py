"""Target: texts of dashboards, alarms and stacks in the page, which must stay text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from support.fakes.dashboards import NOW, PNG
from support.fuzz.target import Target, told
from support.fuzz.texts import ENCODABLE, changed

from tidemill.dashboard.errors import ExportError
from tidemill.dashboard.page import render
from tidemill.dashboard.ports import AlarmStatus
from tidemill.dashboard.snapshot import (
    Absent,
    Alarms,
    MarkdownText,
    Panel,
    Picture,
    Sheet,
    Snapshot,
)
from tidemill.dashboard.widgets import TimeRange, Widget, read_dashboard

if TYPE_CHECKING:
    from random import Random

HOSTILE: Final = st.one_of(
    ENCODABLE,
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "'onmouseover='x",
            "</style><svg onload=x>",
            "&lt;b&gt;",
            "javascript:alert(1)",
            "-->",
        ]
    ),
)
PARTS: Final = ("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "div")
ALLOWED: Final = frozenset({*PARTS, "section", "img", "table", "tr", "th", "td"})


@dataclass(frozen=True)
class _Texts:
    title: str
    text: str
    stack: str


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name not in {"href", "srcdoc", "action"}, name
            assert name != "src" or (value or "").startswith("data:image/png;base64,"), value
        self.tags.append(tag)


def check_page(texts: _Texts) -> None:
    """The page has the same elements whatever the texts are."""
    assert _tags(texts) == _tags(_Texts("t", "t", "s"))


def _tags(texts: _Texts) -> list[str]:
    widget = Widget("text", 0, 0, 6, 6, {"title": texts.title})
    alarm = AlarmStatus(texts.text, "ALARM", NOW, texts.text)
    contents: tuple[Any, ...] = (
        Picture(PNG),
        MarkdownText(texts.text),
        Absent(texts.text),
        Alarms((alarm, replace(alarm, state=texts.title)), (texts.text,)),
    )
    sheet = Sheet(texts.title, tuple(Panel(widget, content) for content in contents))
    shown = TimeRange(NOW - timedelta(hours=3), NOW)
    reader = _Reader()
    reader.feed(render(Snapshot(texts.stack, texts.text, shown, (sheet,))))
    reader.close()
    # An empty title has no heading.
    return [tag for tag in reader.tags if tag != "h3"]


def _changed(texts: _Texts, rng: Random) -> _Texts:
    def encodable(text: str) -> str:
        return changed(text, rng).encode(errors="replace").decode()

    return _Texts(encodable(texts.title), encodable(texts.text), encodable(texts.stack))


BODY: Final = '{"widgets":[{"type":"text","x":0,"y":1,"width":3,"properties":{"markdown":"a"}}]}'


def check_body(body: str) -> None:
    """A dashboard's body is read, or refused."""
    try:
        dashboard = read_dashboard("d", body)
    except ExportError as error:
        told(error)
        return
    for widget in dashboard.widgets:
        assert isinstance(widget.x, int)


TARGETS: Final = (
    Target("page", st.builds(_Texts, HOSTILE, HOSTILE, HOSTILE), check_page, _changed, share=0.5),
    Target("dashboard-bodies", st.just(BODY) | ENCODABLE, check_body, changed),
)
