"""Port through which an export reads from AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class AlarmStatus:
    """An alarm's state (OK, ALARM, INSUFFICIENT_DATA), the time of its change, and the reason."""

    name: str
    state: str
    since: datetime | None
    reason: str


class DashboardSource(Protocol):
    """The dashboards, pictures and alarms of one account and region.

    Every call raises ExportError if the export cannot continue: without credentials or access, when
    requests are throttled, or without an answer.
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
        """Return the states of at most 100 alarms by name, without those that do not exist."""
        ...
