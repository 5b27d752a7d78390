"""Time zones of an alarm's evaluation window, by name or offset."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tidemill.scaling.errors import TemplateError

if TYPE_CHECKING:
    from datetime import tzinfo

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d\d):([0-5]\d)")
_STEP = 5
_WIDEST = 24 * 60


def time_zone(name: str, where: str) -> tzinfo:
    """Return the time zone of an IANA name, an offset such as +05:30 or UTC-08:00, or Z.

    Raises:
        TemplateError: there is no such zone, or its offset is not a multiple of 5 minutes ("Alarm
            evaluation window").
    """
    if name in {"UTC", "Z"}:
        return UTC
    if found := _OFFSET.fullmatch(name):
        minutes = int(found[2]) * 60 + int(found[3])
        if minutes % _STEP or minutes >= _WIDEST:
            raise TemplateError(f"{where}: the offset {name} is not a multiple of 5 minutes")
        return timezone(timedelta(minutes=minutes if found[1] == "+" else -minutes))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TemplateError(
            f"{where}: there is no time zone {name!r}: give a name such as Europe/Berlin, or an "
            "offset such as +05:30"
        ) from None
