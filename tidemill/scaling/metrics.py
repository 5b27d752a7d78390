"""Metric datapoints as CloudWatch keeps and aggregates them, in an immutable store."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tidemill.scaling.errors import ScalingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tidemill.scaling.spec import Metric, MetricStat

Series = tuple[float | None, ...]
"""One value per period, oldest first; None where a period has no datapoint."""

STATISTICS = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
_MINUTE = 60


class StatisticError(ScalingError):
    """A template asks for a statistic that is not modelled, such as a percentile."""


@dataclass(frozen=True, slots=True)
class StatisticSet:
    """What is left of a period's samples: enough for every statistic but percentiles."""

    sample_count: float
    total: float
    minimum: float
    maximum: float

    @staticmethod
    def of(value: float) -> StatisticSet:
        """Return the set of one sample."""
        return StatisticSet(1.0, value, value, value)

    def merge(self, other: StatisticSet) -> StatisticSet:
        """Return the set of both sets' samples."""
        return StatisticSet(
            self.sample_count + other.sample_count,
            self.total + other.total,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
        )

    def value(self, stat: str) -> float:
        """Return one statistic by CloudWatch's name for it ("CloudWatch statistics definitions").

        Raises:
            StatisticError: the statistic is not one of STATISTICS.
        """
        match stat:
            case "Average":
                return self.total / self.sample_count
            case "Sum":
                return self.total
            case "Minimum":
                return self.minimum
            case "Maximum":
                return self.maximum
            case "SampleCount":
                return self.sample_count
        raise StatisticError(
            f"statistic {stat!r} is not modelled; use one of {', '.join(STATISTICS)}"
        )


@dataclass(frozen=True, slots=True)
class Datapoint:
    """Samples of one metric; `timestamp` is the start of their period in epoch seconds."""

    metric: Metric
    timestamp: float
    values: StatisticSet


@dataclass(frozen=True, slots=True)
class MetricStore:
    """The datapoints still kept, for each metric sorted by timestamp; `newest` is of them all."""

    kept: Mapping[Metric, tuple[Datapoint, ...]] = field(default_factory=dict)
    newest: float = float("-inf")

    def record(self, datapoints: Iterable[Datapoint], keep_seconds: float) -> MetricStore:
        """Return a store that also holds these datapoints, which may arrive in any order.

        Datapoints stamped more than `keep_seconds` before the newest timestamp are dropped.
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

    def series(self, stat: MetricStat, end: float, periods: int) -> Series:
        """Return one value for each of the `periods` periods that end at `end`, oldest first.

        `end` in epoch seconds is first aligned down as `aligned` says. Datapoints that share a
        period are merged before the statistic is taken.

        Raises:
            StatisticError: the statistic is not modelled.
        """
        last = aligned(end, stat.period)
        first = last - periods * stat.period
        points = self.kept.get(stat.metric, ())
        merged: list[StatisticSet | None] = [None] * periods
        for position in range(bisect_left(points, first, key=_timestamp), len(points)):
            point = points[position]
            if point.timestamp >= last:
                break
            index = int((point.timestamp - first) // stat.period)
            so_far = merged[index]
            merged[index] = point.values if so_far is None else so_far.merge(point.values)
        return tuple(None if values is None else values.value(stat.stat) for values in merged)


def aligned(end: float, period: int) -> float:
    """Return the latest moment not after `end` at which a window of such periods may end.

    Alarms with periods of a minute or more slide by whole minutes, not by whole periods
    (CloudWatch, "Alarm evaluation"); shorter periods end at multiples of themselves.
    """
    step = min(period, _MINUTE)
    return end // step * step


def _inserted(points: tuple[Datapoint, ...], point: Datapoint) -> tuple[Datapoint, ...]:
    if not points or points[-1].timestamp <= point.timestamp:
        return (*points, point)
    position = bisect_right(points, point.timestamp, key=_timestamp)
    return (*points[:position], point, *points[position:])


def _timestamp(point: Datapoint) -> float:
    return point.timestamp
