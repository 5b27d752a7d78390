"""Time zones of evaluation windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.template.time_zone import time_zone

SUMMER = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("UTC", 0),
        ("Z", 0),
        ("+05:30", 5.5),
        ("-08:00", -8),
        ("UTC+01:05", 1 + 1 / 12),
        ("GMT-08:00", -8),
        ("America/New_York", -4),
    ],
)
def test_a_zone_is_named_or_an_offset(name: str, hours: float) -> None:
    """These are the forms that "Alarm evaluation window" lists."""
    assert SUMMER.astimezone(time_zone(name, "x")).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize("name", ["+01:03", "+24:00", "Mars/Olympus", "", "+5:30", "/etc/passwd"])
def test_any_other_zone_is_refused(name: str) -> None:
    """The error is one line with the place in the template."""
    with pytest.raises(TemplateError, match="where: "):
        time_zone(name, "where")
