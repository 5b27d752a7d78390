"""Lines that wait for CloudWatch Logs: in order, and never more of them than a number of bytes.

When the limit is reached, lines that come are dropped and counted until half of the room is free
again. So a stream has a few long gaps, not many short ones.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_BATCH: Final = 1_048_576
"""Bytes of the events of one request, as `size` counts them (API reference, PutLogEvents)."""
LARGEST_EVENT: Final = 1_048_576
"""Bytes of one event, counted the same way; so it always fits in a request."""
OVERHEAD: Final = 26
"""Bytes that each event counts besides its text."""
MOST_EVENTS: Final = 10_000
"""Events of one request."""
LONGEST_SPAN: Final = 86_400.0
"""Seconds between the first and the last event of one request."""

KEEPING: Final = 160
"""Bytes of memory that a line takes here besides its text."""


class Event(NamedTuple):
    """A line, and when it was written: epoch seconds."""

    at: float
    line: bytes

    @property
    def size(self) -> int:
        """Return its bytes as CloudWatch Logs counts them."""
        return len(self.line) + OVERHEAD


class Backlog:
    """The lines that wait; safe in any thread.

    `add` never waits. One other thread calls the methods that take lines out.
    """

    def __init__(self, limit: int) -> None:
        """Keep lines of up to `limit` bytes of memory."""
        self._limit = limit
        self._changed = threading.Condition()
        self._events: deque[Event] = deque()
        self._memory = 0
        self._sending = 0
        self._full = False
        self._closed = False
        self._wakes = 0
        self._missing = 0
        self._dropped = 0

    def __len__(self) -> int:
        """Return how many lines wait."""
        return len(self._events)

    @property
    def full(self) -> bool:
        """Return whether lines are dropped for want of room."""
        return self._full

    @property
    def closed(self) -> bool:
        """Return whether no more lines are taken."""
        return self._closed

    @property
    def dropped(self) -> int:
        """Return how many lines were dropped so far, refused ones included."""
        return self._dropped

    @property
    def batch_waits(self) -> bool:
        """Return whether there are enough lines for a whole request."""
        return self._sending >= LARGEST_BATCH or len(self._events) >= MOST_EVENTS

    def add(self, at: float, lines: list[bytes]) -> None:
        """Keep the lines, or count those for which there is no room; nothing after `close`."""
        with self._changed:
            if self._closed:
                return
            before = (bool(self._events), self.batch_waits, self._full)
            for line in lines:
                self._full = self._full or self._memory + len(line) + KEEPING > self._limit
                if self._full:
                    self._missing += 1
                    self._dropped += 1
                else:
                    self._append(Event(at, line))
            if before != (bool(self._events), self.batch_waits, self._full):
                self._wake()

    def batch(self, most: int, now: float) -> list[Event]:
        """Return the first lines, as many as one request takes and `most`; they stay here.

        A time that is still to come is replaced by now: the clock was set back since.
        """
        batch: list[Event] = []
        size, first, last = 0, now, 0.0
        with self._changed:
            for event in self._events:
                at = min(event.at, now)
                size, first, last = size + event.size, min(first, at), max(last, at)
                too_much = size > LARGEST_BATCH or last - first > LONGEST_SPAN
                if batch and (too_much or len(batch) >= most):
                    break
                batch.append(Event(at, event.line))
        return batch

    def remove(self, count: int, refused: int = 0) -> None:
        """Forget the first lines, of which CloudWatch Logs has refused some."""
        with self._changed:
            for _ in range(count):
                event = self._events.popleft()
                self._memory -= len(event.line) + KEEPING
                self._sending -= event.size
            self._missing += refused
            self._dropped += refused

    def end_gap(self, line_of: Callable[[int], bytes], at: float) -> bytes | None:
        """Take lines again if there is room: the next one says how many are missing before it.

        Returns:
            That line, or nothing if none is missing, or if there is no room yet.
        """
        with self._changed:
            if not self._missing or (self._memory > self._limit // 2 and not self._closed):
                return None
            line = line_of(self._missing)
            self._missing, self._full = 0, False
            self._append(Event(at, line))
            return line

    def close(self) -> None:
        """Take no more lines."""
        with self._changed:
            self._closed = True
            self._wake()

    def wait(self, seconds: float, seen: int) -> int:
        """Wait for something to do: a first line, a whole batch, no more room, or the end.

        `seen` is what the last call returned, 0 at first; what happened since then ends the wait.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._wakes != seen, seconds)
            return self._wakes

    def _append(self, event: Event) -> None:
        self._events.append(event)
        self._memory += len(event.line) + KEEPING
        self._sending += event.size

    def _wake(self) -> None:
        self._wakes += 1
        self._changed.notify_all()
