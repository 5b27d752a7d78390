"""The port through which an export reads from AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class AlarmStatus:
    """An alarm's state (OK, ALARM, INSUFFICIENT_DATA), since when, and CloudWatch's reason."""

    name: str
    state: str
    since: datetime | None
    reason: str


class DashboardSource(Protocol):
    """The dashboards, pictures and alarms of one account and region.

    Every call raises ExportError where the export cannot go on: no credentials, access denied,
    throttled, no answer.
    """

    @property
    def region(self) -> str:
        """Return the region's name."""
        ...

    def dashboard_names(self, stack: str) -> list[str]:
        """Return the names of the stack's dashboards."""
        ...

    def dashboard_body(self, name: str) -> str:
        """Return the dashboard's body, which is JSON."""
        ...

    def picture(self, request: str) -> bytes:
        """Return a metric widget drawn as PNG.

        Raises:
            WidgetError: this widget cannot be drawn.
        """
        ...

    def alarms(self, names: Sequence[str]) -> list[AlarmStatus]:
        """Return those of the alarms (at most 100) that exist."""
        ...
