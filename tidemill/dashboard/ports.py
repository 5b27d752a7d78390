"""What an export needs from AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class AlarmState:
    """An alarm's state (OK, ALARM, INSUFFICIENT_DATA) since when, and CloudWatch's reason."""

    name: str
    state: str
    since: datetime | None
    reason: str


class Source(Protocol):
    """Where dashboards, pictures and alarms come from.

    Every call raises ExportError when there is no use in going on: no credentials, not allowed,
    throttled, nobody answers.
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

    def alarms(self, names: Sequence[str]) -> list[AlarmState]:
        """Return those of the alarms (at most 100) that exist."""
        ...
