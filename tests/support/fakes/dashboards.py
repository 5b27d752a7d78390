"""A fake source of dashboards in memory, and builders of its content."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tidemill.dashboard.errors import WidgetError
from tidemill.dashboard.ports import AlarmStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOW: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PNG: Final = b"\x89PNG\r\n\x1a\n..."
ALARM: Final = "tidemill-BacklogAlarm-1ABC"


class FakeSource:
    """Source with given dashboards and alarms; it draws every picture, or refuses all of them."""

    def __init__(
        self,
        dashboards: Mapping[str, str],
        alarms: Sequence[AlarmStatus] = (),
        refusal: str | None = None,
    ) -> None:
        """Keep the answers; `requests` collects the requests for pictures.

        Args:
            dashboards: bodies by name.
            alarms: the alarms that exist.
            refusal: why no picture can be drawn; None to draw them.
        """
        self.region = "eu-west-1"
        self.requests: list[dict[str, Any]] = []
        self._dashboards = dashboards
        self._alarms = alarms
        self._refusal = refusal

    def dashboard_names(self, stack: str) -> list[str]:
        """Return the dashboards whose names begin with the stack's."""
        return [name for name in self._dashboards if name.startswith(stack)]

    def dashboard_body(self, name: str) -> str:
        """Return the dashboard's body."""
        return self._dashboards[name]

    def picture(self, request: str) -> bytes:
        """Return a picture, or raise an error."""
        self.requests.append(json.loads(request))
        if self._refusal:
            raise WidgetError(self._refusal)
        return PNG

    def alarms(self, names: Sequence[str]) -> list[AlarmStatus]:
        """Return the requested alarms that exist."""
        return [alarm for alarm in self._alarms if alarm.name in names]


def a_widget(kind: str = "metric", **changes: object) -> dict[str, Any]:
    """Return a widget of a dashboard's body, with changes to its properties."""
    own: dict[str, dict[str, object]] = {
        "metric": {
            "title": "Backlog",
            "region": "eu-west-1",
            "metrics": [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "tidemill-work"]],
        },
        "alarm": {
            "title": "Alarms",
            "alarms": [f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{ALARM}"],
        },
        "text": {"markdown": "Look at the [console](https://console.aws.amazon.com/)."},
    }
    properties = {**own.get(kind, {}), **changes}
    return {"type": kind, "x": 0, "y": 0, "width": 12, "height": 6, "properties": properties}


def a_body(*widgets: Mapping[str, Any]) -> str:
    """Return a dashboard's body with these widgets."""
    return json.dumps({"start": "-PT3H", "widgets": widgets})


def an_alarm_state(**changes: Any) -> AlarmStatus:  # noqa: ANN401 - whatever a field takes
    """Return an alarm in state OK, with changes."""
    given = {"name": ALARM, "state": "OK", "since": NOW, "reason": "no datapoints", **changes}
    return AlarmStatus(**given)
