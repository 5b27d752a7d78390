"""A page of shared memory in which a worker process notes when it starts and finishes messages.

A note in shared memory costs no system call, needs no other thread to be seen, and is still there
when the process has died. Each message in a worker's hands has a slot of eight numbers. All times
are those of the monotonic clock, which is the same in all processes of a machine.

The parent may take a message back that has not been started. It marks the slot as revoked and looks
some milliseconds later whether the worker has started it; a worker notes the start first and looks
for the mark then. So at most one of the two believes that it has the message, without a lock, which
a worker that was killed would hold for ever.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

SLOTS: Final = 256
"""Messages that one worker can have in hand: more than its threads and its queue need."""
REVOKE_SECONDS: Final = 0.005
"""Pause between a mark and the look for a start; a processor writes its caches back far sooner."""

QUEUED: Final = 0.0
STARTED: Final = 1.0
PROCESSED: Final = 2.0
ANSWERED: Final = 3.0  # finished in another way: a frame with the verdict was written before
SKIPPED: Final = 4.0  # it was revoked when the worker came to it

_STRIDE: Final = 8  # numbers a slot: a line of the processor's cache, so that slots do not collide
_STATE, _STARTED_AT, _FINISHED_AT, _DEADLINE, _REVOKED = range(5)
_CLEAR: Final = bytes(_STRIDE * 8)  # all zero: QUEUED, no times, not revoked
_PONG: Final = SLOTS * _STRIDE
_BYTES: Final = (SLOTS + 1) * _STRIDE * 8


class Page:
    """The notes of one worker process; both sides map the same file."""

    def __init__(self, file: int) -> None:
        """Map the open file, which has the right size; it may be closed afterwards."""
        self._map = mmap.mmap(file, _BYTES)
        self._bytes = memoryview(self._map)
        self._cells = self._bytes.cast("d")

    def close(self) -> None:
        """Release the memory."""
        self._cells.release()
        self._bytes.release()
        self._map.close()

    # what the worker does

    def start(self, slot: int, now: float, deadline: float) -> bool:
        """Note that the handler starts; False if the parent has taken the message back."""
        cells, base = self._cells, slot * _STRIDE
        cells[base + _STARTED_AT] = now
        cells[base + _DEADLINE] = deadline
        cells[base + _STATE] = STARTED
        if cells[base + _REVOKED]:
            cells[base + _STATE] = SKIPPED
            return False
        return True

    def finish(self, slot: int, now: float, state: float) -> None:
        """Note that the handler has ended."""
        cells, base = self._cells, slot * _STRIDE
        cells[base + _FINISHED_AT] = now
        cells[base + _STATE] = state

    def set_deadline(self, slot: int, deadline: float) -> None:
        """Move the end of the message's time limit."""
        self._cells[slot * _STRIDE + _DEADLINE] = deadline

    def pong(self, number: int) -> None:
        """Answer a ping."""
        self._cells[_PONG] = number

    # what the parent does

    def clear(self, slot: int) -> None:
        """Prepare the slot for another message."""
        at = slot * len(_CLEAR)
        self._bytes[at : at + len(_CLEAR)] = _CLEAR

    def revoke(self, slot: int) -> None:
        """Mark the message as taken back, if it has not been started; see the module's text."""
        self._cells[slot * _STRIDE + _REVOKED] = 1.0

    def done(self, slots: Iterable[int]) -> list[tuple[int, float, float, float]]:
        """Return slot, state, start and end of those messages that the worker has passed."""
        cells = self._cells
        return [
            (slot, state, cells[base + _STARTED_AT], cells[base + _FINISHED_AT])
            for slot in slots
            if (state := cells[(base := slot * _STRIDE) + _STATE]) > STARTED
        ]

    def state(self, slot: int) -> float:
        """Return how far the message is."""
        return self._cells[slot * _STRIDE + _STATE]

    def started_at(self, slot: int) -> float:
        """Return when the handler was started."""
        return self._cells[slot * _STRIDE + _STARTED_AT]

    def finished_at(self, slot: int) -> float:
        """Return when the handler ended."""
        return self._cells[slot * _STRIDE + _FINISHED_AT]

    def deadline(self, slot: int) -> float:
        """Return the end of the message's time limit."""
        return self._cells[slot * _STRIDE + _DEADLINE]

    def last_pong(self) -> int:
        """Return the number of the last ping that was answered."""
        return int(self._cells[_PONG])


def create_file() -> int:
    """Return an open file of the page's size, whose memory processes can share.

    It is in memory where the system has such files: a container's file system may be read-only.
    """
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("tidemill-worker")
    else:
        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    os.ftruncate(file, _BYTES)
    return file
