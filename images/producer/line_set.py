"""Line set: a set of line numbers, kept as ranges, since millions of them are mostly neighbours."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHOWN: Final = 8
"""Ranges that a text for people names at most."""

Range = tuple[int, int]
"""The first and the last number of a range; both belong to it."""


class LineSet:
    """A growing set of line numbers; numbers that come nearly in order need little memory."""

    def __init__(self) -> None:
        """Start empty."""
        self._last_of: dict[int, int] = {}
        self._first_of: dict[int, int] = {}
        self._sorted: list[Range] | None = None

    def add(self, first: int, last: int) -> None:
        """Add a range of which no number is in the set yet."""
        self._sorted = None
        before = self._first_of.pop(first - 1, None)
        after = self._last_of.pop(last + 1, None)
        if after is not None:
            del self._first_of[after]
        first, last = before or first, after or last
        self._last_of[first], self._first_of[last] = last, first

    def ranges(self) -> list[Range]:
        """Return the ranges in order; no two of them touch."""
        if self._sorted is None:
            self._sorted = sorted(self._last_of.items())
        return self._sorted

    def __contains__(self, number: int) -> bool:
        """Return whether the number is in the set."""
        ranges = self.ranges()
        place = bisect_right(ranges, number, key=lambda found: found[0])
        return place > 0 and number <= ranges[place - 1][1]

    def __len__(self) -> int:
        """Return how many numbers are in the set."""
        return sum(last - first + 1 for first, last in self._last_of.items())


def ranges_of(numbers: Iterable[int]) -> Iterator[Range]:
    """Yield the numbers as ranges in order: 1, 2, 3, 7 as (1, 3) and (7, 7)."""
    ordered = sorted(set(numbers))
    if not ordered:
        return
    first = ordered[0]
    for number, following in pairwise(ordered):
        if following != number + 1:
            yield first, number
            first = following
    yield first, ordered[-1]


def ranges_text(numbers: Iterable[int]) -> str:
    """Return the numbers for people: '1-3, 7', or the first ranges and how many follow."""
    ranges = [*ranges_of(numbers)]
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:SHOWN]]
    more = len(ranges) - SHOWN
    return ", ".join([*texts, f"and {more} more ranges"] if more > 0 else texts)
