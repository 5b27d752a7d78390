"""Traces: files with numbers of messages over time, as scenarios."""

from __future__ import annotations

import csv
import json
import math
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from tidemill.simulator.errors import SimulationError, UnreadableTraceError
from tidemill.simulator.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from random import Random


Lot = tuple[float, int]
"""A time in epoch seconds, and the number of messages from then until the next time."""

LONGEST_SPREAD = 60.0
"""Messages of a line are spread evenly over the time until the next line, but at most over 60 s,
which is the shortest period of SQS's metrics."""


def read_trace(path: Path) -> list[Lot]:
    """Return the lots of a trace: CSV with the columns time and count, or JSON lines with both.

    A time is in epoch seconds or in ISO 8601, which is UTC without an offset.

    Raises:
        UnreadableTraceError: the file cannot be read.
        SimulationError: a line is wrong, times decrease, or there is no message.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableTraceError(f"--trace: cannot read {path}: {reason}") from None
    lots = list(_lots(text.splitlines(), str(path)))
    if not any(count for _, count in lots):
        raise SimulationError(f"--trace: {path} holds no message: give lines of time,count")
    for (before, _), (after, _) in pairwise(lots):
        if after < before:
            raise SimulationError(f"--trace: {path}: times go back at {after:.0f}: sort its lines")
    return lots


def trace_scenario(lots: Sequence[Lot], name: str) -> Scenario:
    """Return a scenario of a trace; it begins at the whole minute of the first line."""
    start = lots[0][0] // 60 * 60

    def arrivals(_: Random) -> Iterator[float]:
        return (at - start for at in spread(lots))

    return Scenario(name, "a trace", arrivals, seconds=lots[-1][0] - start + LONGEST_SPREAD)


def spread(lots: Iterable[Lot]) -> Iterator[float]:
    """Yield the times at which the messages of the lots are sent.

    Example: (0, 2), (10, 3) and (300, 2) give 0, 5, 10, 30, 50, 300 and 330. The two messages of
    the first lot share the 10 s until the second, the others share 60 s.
    """
    last: Lot | None = None
    for lot in lots:
        if last is not None:
            yield from _evenly(last, min(lot[0] - last[0], LONGEST_SPREAD))
        last = lot
    if last is not None:
        yield from _evenly(last, LONGEST_SPREAD)


def _evenly(lot: Lot, seconds: float) -> Iterator[float]:
    start, count = lot
    return (start + seconds * index / count for index in range(count))


def _lots(lines: Sequence[str], path: str) -> Iterator[Lot]:
    as_json = next((line for line in lines if line.strip()), "").lstrip().startswith("{")
    for number, line in enumerate(lines, 1):
        if not line.strip() or (not as_json and number == 1 and _is_head(line)):
            continue
        try:
            if as_json:
                record = json.loads(line)
                time, count = record["time"], record["count"]
            else:
                time, count = next(csv.reader([line]))
            lot = (_moment(time), _count(count))
        except (ValueError, KeyError, TypeError):
            raise SimulationError(
                f"--trace: {path}, line {number}: give a time and a count, such as "
                "2026-01-01T00:00:00Z,12"
            ) from None
        yield lot


def _is_head(line: str) -> bool:
    return line.replace(" ", "").lower().startswith("time,")


def _moment(value: object) -> float:
    try:
        seconds = float(value)  # type: ignore[arg-type]  # float refuses what is no number
    except ValueError:
        moment = datetime.fromisoformat(str(value).strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(seconds):
        raise ValueError(value)
    return seconds


def _count(value: object) -> int:
    number = float(value)  # type: ignore[arg-type]  # float refuses what is no number
    if not math.isfinite(number) or number < 0 or number != int(number):
        raise ValueError(value)
    return int(number)
