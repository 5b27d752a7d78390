"""Statistics of CloudWatch by name, computed from the samples of one period.

The definitions are those of the page "CloudWatch statistics definitions". Percentiles and trimmed
statistics need the single samples. A statistic set has them only if all are equal, so that its
minimum is its maximum. If a period has a set with different samples, or a negative sample,
CloudWatch has no percentile or trimmed statistic for it (same page, "Requirements to use
percentiles"). AWS does not publish how it interpolates: here a percentile is the sample at the
nearest rank, and a sample at the edge of a trimmed range counts by the share within the range.
Therefore trimmed counts can be fractions: the count of TC(:25%) of 6 samples is 1.5.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import NamedTuple

from tidemill.scaling.errors import ScalingError

_Take = Callable[[Sequence["StatisticSet"]], float | None]


class Statistic(NamedTuple):
    """A statistic as two functions, for one set and for several; they return None for no value."""

    of_one: Callable[[StatisticSet], float | None]
    of_many: _Take


def _of_any(take: _Take) -> Statistic:
    return Statistic(lambda one: take((one,)), take)


def _total(sets: Sequence[StatisticSet]) -> float:
    return sum([one.total for one in sets])


def _count(sets: Sequence[StatisticSet]) -> float:
    return sum([one.sample_count for one in sets])


# Most periods have one set, and alarms are evaluated often: this case has to be fast.
_PLAIN: Mapping[str, Statistic] = {
    "SampleCount": Statistic(attrgetter("sample_count"), _count),
    "Sum": Statistic(attrgetter("total"), _total),
    "Average": _of_any(lambda sets: _total(sets) / _count(sets)),
    "Minimum": Statistic(attrgetter("minimum"), lambda sets: min([one.minimum for one in sets])),
    "Maximum": Statistic(attrgetter("maximum"), lambda sets: max([one.maximum for one in sets])),
}
STATISTICS = tuple(_PLAIN)

_HUNDRED = 100.0
_NUMBER = r"\d+(?:\.\d{1,10})?"
_VALUE = r"[+-]?\d+(?:\.\d+)?"
_PERCENTILE = re.compile(rf"p({_NUMBER})")
_SHORT = re.compile(rf"(tm|wm|tc|ts)({_NUMBER})")
_PERCENT_RANGE = re.compile(rf"(TM|WM|TC|TS)\((?:({_NUMBER})%)?:(?:({_NUMBER})%)?\)")
_VALUE_RANGE = re.compile(rf"(TM|WM|TC|TS|PR)\(({_VALUE})?:({_VALUE})?\)")


class StatisticError(ScalingError):
    """A template asks for a statistic that CloudWatch does not have."""


@dataclass(frozen=True, slots=True)
class _Samples:
    """The samples of a period in ascending order: pairs of a value and its number of samples."""

    pairs: Sequence[tuple[float, float]]
    count: float

    def slice(self, low: float, high: float) -> list[tuple[float, float]]:
        """Return the values between two percentiles, each with its number of samples there."""
        start, end = low / _HUNDRED * self.count, high / _HUNDRED * self.count
        found = []
        passed = 0.0
        for value, weight in self.pairs:
            share = min(passed + weight, end) - max(passed, start)
            if share > 0:
                found.append((value, share))
            passed += weight
        return found

    def percentile(self, percent: float) -> float:
        """Return the smallest value that at least `percent` of the samples do not exceed."""
        rank = max(percent / _HUNDRED * self.count, 1.0)
        passed = 0.0
        for value, weight in self.pairs:
            passed += weight
            if passed >= rank - 1e-9 * self.count:  # 0.07 * 100 is a little more than 7
                return value
        return self.pairs[-1][0]


@cache
def statistic(name: str) -> Statistic:
    """Return the functions of a statistic, by CloudWatch's name for it.

    Raises:
        StatisticError: there is no statistic of this name.
    """
    return _PLAIN[name] if name in _PLAIN else _of_any(_of_samples(name))


def _of_samples(name: str) -> _Take:
    if name == "IQM":
        return _of_percents("TM", 25.0, 75.0)
    if found := _PERCENTILE.fullmatch(name):
        return _percentile(_percent(found[1], name))
    if found := _SHORT.fullmatch(name):
        return _of_percents(found[1].upper(), 0.0, _percent(found[2], name))
    if (found := _PERCENT_RANGE.fullmatch(name)) and (found[2] or found[3]):
        low, high = _percent(found[2] or "0", name), _percent(found[3] or "100", name)
        if low < high:
            return _of_percents(found[1], low, high)
    if (found := _VALUE_RANGE.fullmatch(name)) and (found[2] or found[3]):
        low, high = float(found[2] or "-inf"), float(found[3] or "inf")
        if low < high:
            return _of_values(found[1], low, high)
    raise StatisticError(
        f"there is no statistic {name!r}; use one of {', '.join(STATISTICS)}, a percentile such as"
        " p99, IQM, or a trimmed statistic such as tm90, TM(10%:90%) or PR(:300)"
    )


def percentile_of(name: str) -> float | None:
    """Return the percentile of a statistic such as p99, None for the others."""
    found = _PERCENTILE.fullmatch(name)
    return None if found is None else float(found[1])


def samples_needed(percentile: float) -> float:
    """Return how many samples make a percentile significant.

    10 / (1 - p) from the median on and 10 / p below it ("Percentile-based alarms and low data
    samples"): 1,000 for p99, 20 for p50. For p0 and p100 no number is enough.
    """
    half = 50.0
    rest = _HUNDRED - percentile if percentile >= half else percentile
    return math.inf if rest <= 0 else 10 * _HUNDRED / rest


def _percent(text: str, name: str) -> float:
    percent = float(text)
    if percent > _HUNDRED:
        raise StatisticError(f"statistic {name!r}: a percentile is between 0 and 100")
    return percent


def _percentile(percent: float) -> _Take:
    def take(sets: Sequence[StatisticSet]) -> float | None:
        samples = _samples(sets)
        return None if samples is None else samples.percentile(percent)

    return take


def _of_percents(kind: str, low: float, high: float) -> _Take:
    def take(sets: Sequence[StatisticSet]) -> float | None:
        samples = _samples(sets)
        if samples is None:
            return None
        kept = samples.slice(low, high)
        if kind == "WM" and kept:
            below, above = low / _HUNDRED * samples.count, (1 - high / _HUNDRED) * samples.count
            kept = [(kept[0][0], below), *kept, (kept[-1][0], above)]
        return _summary(kind, kept, samples.count)

    return take


def _of_values(kind: str, low: float, high: float) -> _Take:
    """Return a statistic of the samples above one value and up to another one."""

    def take(sets: Sequence[StatisticSet]) -> float | None:
        samples = _samples(sets)
        if samples is None:
            return None
        if kind == "WM":
            kept = [(min(max(value, low), high), weight) for value, weight in samples.pairs]
        else:
            kept = [(value, weight) for value, weight in samples.pairs if low < value <= high]
        return _summary(kind, kept, samples.count)

    return take


def _summary(kind: str, kept: Sequence[tuple[float, float]], all_samples: float) -> float | None:
    count = sum(weight for _, weight in kept)
    total = sum(value * weight for value, weight in kept)
    summaries: Mapping[str, float | None] = {
        "TC": count,
        "TS": total,
        "PR": count / all_samples * _HUNDRED,
        "TM": total / count if count else None,
        "WM": total / count if count else None,
    }
    return summaries[kind]


def _samples(sets: Sequence[StatisticSet]) -> _Samples | None:
    """Return the samples, None if they are not known or one of them is negative."""
    if any(one.minimum != one.maximum or one.minimum < 0 for one in sets):
        return None
    pairs = sorted((one.minimum, one.sample_count) for one in sets)
    return _Samples(pairs, sum(weight for _, weight in pairs))


@dataclass(frozen=True, slots=True)
class StatisticSet:
    """A statistic set: the number, total, least and greatest of samples published together.

    It is enough for every statistic except percentiles and trimmed ones (see the module's text).
    """

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

    def value(self, stat: str) -> float | None:
        """Return one statistic by CloudWatch's name for it ("CloudWatch statistics definitions").

        The result is None if the set is not enough, such as for a percentile of different samples.

        Raises:
            StatisticError: there is no such statistic.
        """
        return statistic(stat).of_one(self)
