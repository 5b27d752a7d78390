"""docs/settings.md matches the consumer's table of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE

from consumer.setting_table import CHAPTERS
from shared.settings import Choice, Seconds, Text, Whole
from tidemill.report.settings_page import page

if TYPE_CHECKING:
    from shared.settings import Setting

PAGE = PRODUCT_TEMPLATE.with_name("docs") / "settings.md"


def test_the_page_is_what_the_table_says() -> None:
    """`make docs` writes the page again."""
    assert PAGE.read_text(encoding="utf-8") == page(CHAPTERS)


@pytest.mark.parametrize(
    ("setting", "row"),
    [
        pytest.param(Text(name="A", meaning="B."), "| `A` | none | text | B. |", id="no-default"),
        pytest.param(
            Text(name="A", otherwise="the host's name", meaning="B."),
            "| `A` | the host's name | text | B. |",
            id="default-in-words",
        ),
        pytest.param(
            Whole(name="A", default=2, low=1, high=5, unit="messages", meaning="B."),
            "| `A` | `2` | 1 to 5 messages | B. |",
            id="whole-number",
        ),
        pytest.param(
            Seconds(name="A", default=0.5, low=0, high=60, meaning="B."),
            "| `A` | `0.5` | 0 to 60 seconds | B. |",
            id="seconds",
        ),
        pytest.param(
            Seconds(name="A", default=20, low=0, high=60, whole=True, meaning="B."),
            "| `A` | `20` | 0 to 60 seconds, rounded up | B. |",
            id="whole-seconds",
        ),
        pytest.param(
            Choice(name="A", default="x", allowed=("x", "y", "z"), meaning="B."),
            "| `A` | `x` | x, y or z | B. |",
            id="choice",
        ),
    ],
)
def test_a_setting_is_a_row(setting: Setting, row: str) -> None:
    """Settings of every kind have a row."""
    assert page({"Work": (setting,)}).splitlines()[-1] == row
