"""Calendar functions of metric math: a value for every period, computed from its timestamp.

Rules: CloudWatch's page "Math expressions with metrics". The result is a series without gaps, in
UTC. A period's timestamp is its start ("Metrics concepts").
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tidemill.scaling.metric_math.values import Frame, Kind, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemill.scaling.metrics.store import Series

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_EPOCH_WEEKDAY = 3  # the epoch was a Thursday; Monday is 0


def _date(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


CALENDAR: Mapping[str, Callable[[float], float]] = {
    "MINUTE": lambda moment: moment // _MINUTE % 60,
    "HOUR": lambda moment: moment // _HOUR % 24,
    "DAY": lambda moment: (moment // _DAY + _EPOCH_WEEKDAY) % 7 + 1,
    "DATE": lambda moment: _date(moment).day,
    "MONTH": lambda moment: _date(moment).month,
    "YEAR": lambda moment: _date(moment).year,
    "EPOCH": lambda moment: moment,
}
"""Functions by name, each with its value at a moment; Monday and January are 1."""


def by_timestamp(of: Callable[[float], float]) -> Callable[[Node], Node]:
    """Return a function that reads only the timestamps of its series."""

    def run(frame: Frame) -> Series:
        return tuple(
            [float(of(frame.start + index * frame.period)) for index in range(frame.length)]
        )

    return lambda _: Node(Kind.SERIES, run)
