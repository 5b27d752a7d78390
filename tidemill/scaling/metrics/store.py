"""Metric store: datapoints as CloudWatch keeps and aggregates them, immutable."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

from tidemill.scaling.metrics.statistics import StatisticSet, statistic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tidemill.scaling.spec import Metric, MetricStat

Series = tuple[float | None, ...]
"""One value per period, oldest first; None where a period has no datapoint."""


_MINUTE = 60
_TEN_SECONDS = 10


_NOTHING = StatisticSet(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Datapoint:
    """Samples of one metric; `timestamp` is the start of their period in epoch seconds.

    `unit` is CloudWatch's name of their unit, None if they were published without one.
    """

    metric: Metric
    timestamp: float
    values: StatisticSet
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class MetricStore:
    """The kept datapoints of each metric, by timestamp; `newest` is the newest timestamp of all."""

    kept: Mapping[Metric, tuple[Datapoint, ...]] = field(default_factory=dict)
    newest: float = float("-inf")

    def record(self, datapoints: Iterable[Datapoint], keep_seconds: float) -> MetricStore:
        """Return a store with these datapoints added; they may be in any order.

        Datapoints that are more than `keep_seconds` older than the newest one are dropped.
        """
        kept = dict(self.kept)
        newest = self.newest
        for point in datapoints:
            kept[point.metric] = _inserted(kept.get(point.metric, ()), point)
            newest = max(newest, point.timestamp)
        oldest = newest - keep_seconds
        for metric, points in kept.items():
            if points and points[0].timestamp < oldest:
                kept[metric] = points[bisect_left(points, oldest, key=_timestamp) :]
        return MetricStore(kept, newest)

    def oldest(self, metric: Metric) -> float:
        """Return the timestamp of the oldest kept datapoint of a metric, infinity without one."""
        points = self.kept.get(metric)
        return points[0].timestamp if points else float("inf")

    def series(self, stat: MetricStat, end: float, periods: int, unit: str | None = None) -> Series:
        """Return one value for each of the `periods` periods that end at `end`, oldest first.

        `end`, in epoch seconds, is first aligned down by `aligned`. Datapoints of the same period
        are merged; if that overflows, the period has no value. With a `unit`, datapoints with
        another unit are left out (API, MetricStat).

        Raises:
            StatisticError: there is no such statistic.
        """
        last = aligned(end, stat.period)
        first = last - periods * stat.period
        of_one, of_many = statistic(stat.stat)
        period = stat.period
        values: list[float | None] = [None] * periods
        shared: dict[int, list[StatisticSet]] = {}
        place, held = -1, _NOTHING
        for point in reversed(self.kept.get(stat.metric, ())):  # only the newest few are needed
            at = point.timestamp
            if at < first:
                break
            if at >= last or (unit is not None and point.unit not in {None, unit}):
                continue
            index = int((at - first) // period)
            if index != place:
                place, held = index, point.values
                values[index] = of_one(held)
            else:
                shared.setdefault(index, [held]).append(point.values)
        for index, sets in shared.items():
            value = of_many(sets)
            values[index] = value if value is None or isfinite(value) else None
        return tuple(values)


def aligned(end: float, period: int) -> float:
    """Return the latest moment not after `end` at which a window of such periods may end.

    A sliding window moves each time the alarm is evaluated: every minute, or every ten seconds for
    periods of less than a minute (CloudWatch, "Alarm evaluation"). Example: at 12:03:47 a window of
    300 s periods ends at 12:03:00, one of 30 s periods at 12:03:40.
    """
    step = _MINUTE if period >= _MINUTE else _TEN_SECONDS
    return end // step * step


def _inserted(points: tuple[Datapoint, ...], point: Datapoint) -> tuple[Datapoint, ...]:
    if not points or points[-1].timestamp <= point.timestamp:
        return (*points, point)
    position = bisect_right(points, point.timestamp, key=_timestamp)
    return (*points[:position], point, *points[position:])


def _timestamp(point: Datapoint) -> float:
    return point.timestamp
