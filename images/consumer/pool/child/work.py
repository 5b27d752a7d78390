"""The work of a worker process: calls the handler, and notes and reports how that ended."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final

from consumer.attempt import AttemptResult
from consumer.handlers.arrival import Arrival
from consumer.handlers.verdict import Verdict, describe
from consumer.pool.child.setup import PARENT_GONE
from consumer.pool.frames import Answer, Output, Progress, encode, write_all
from consumer.pool.page import ANSWERED, PROCESSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.handlers.handler import Handler
    from consumer.output.capture import Capture
    from consumer.output.lines import OutputLine
    from consumer.pool.frames import Report, Row
    from consumer.pool.page import Page


MOST_LINES: Final = 100


class Reports:
    """The pipe to the consumer; any thread may write to it, and a signal's handler, too."""

    def __init__(self, file: int) -> None:
        """Write to this pipe."""
        self._file = file
        self._lock = threading.RLock()
        self._pending: deque[bytes] = deque()
        self._writing = False

    def send(self, frame: Report) -> None:
        """Write the frame; a handler of a signal that interrupts a write leaves its frame to it."""
        self._pending.append(encode(frame))
        with self._lock:
            if self._writing:
                return
            self._writing = True
            try:
                while self._pending:
                    write_all(self._file, self._pending.popleft())
            except OSError:  # the consumer is gone, or a handler has closed the pipe
                os._exit(PARENT_GONE)
            finally:
                self._writing = False

    def check(self) -> None:
        """End the process, between two messages, if a handler has closed the pipe."""
        try:
            os.get_blocking(self._file)  # the cheapest of the calls that fail then
        except OSError:
            os._exit(PARENT_GONE)

    def send_lines(self, lines: list[OutputLine]) -> None:
        """Write lines of handlers, not too many in a frame, which the consumer has to hold."""
        for start in range(0, len(lines), MOST_LINES):
            self.send(Output(lines[start : start + MOST_LINES]))


class Work:
    """Calls the handler for messages, each with its slot; safe in several threads."""

    def __init__(
        self, handler: Handler, page: Page, reports: Reports, capture: Capture, seconds: float
    ) -> None:
        """Give each message this many seconds."""
        self.handler = handler
        self._page = page
        self._reports = reports
        self._capture = capture
        self._seconds = seconds
        self._pid = os.getpid()

    def call(self, slots: Sequence[int], rows: Sequence[Row]) -> None:
        """Call the handler once, with all of these messages that are still ours."""
        mine = self._start(slots, rows)
        if not mine:
            return
        kept = [arrival for _, arrival in mine]
        try:
            verdicts = self.handler.call(kept, partial(self._extend, mine))
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a handler, for instance
            verdicts = [_failed(error)] * len(kept)
        self._finish(mine, verdicts)

    def call_one(self, slot: int, row: Row) -> None:
        """Call the handler with one message; the same as `call`, in fewer steps."""
        now = time.monotonic()
        if not self._page.start(slot, now, now + self._seconds):
            return
        message_id, body, count, sent, received, attributes, system = row
        end = time.time() + self._seconds
        arrival = Arrival(message_id, body, count, sent, received, end, attributes, system)
        try:
            [verdict] = self.handler.call((arrival,), partial(self._extend_one, slot))
        except BaseException as error:  # noqa: BLE001 - as above
            verdict = _failed(error)
        self._check_fork()
        self._finish_one(slot, message_id, verdict)
        self._reports.check()

    def _start(self, slots: Sequence[int], rows: Sequence[Row]) -> list[tuple[int, Arrival]]:
        now = time.monotonic()
        end = time.time() + self._seconds
        mine = []
        for slot, (message_id, body, count, sent, received, attributes, system) in zip(
            slots, rows, strict=True
        ):
            if self._page.start(slot, now, now + self._seconds):
                arrival = Arrival(message_id, body, count, sent, received, end, attributes, system)
                mine.append((slot, arrival))
        return mine

    def _extend(self, mine: list[tuple[int, Arrival]], index: int, seconds: float) -> None:
        self._extend_one(mine[index][0], 0, seconds)

    def _extend_one(self, slot: int, _index: int, seconds: float) -> None:
        deadline = max(self._page.deadline(slot), time.monotonic() + seconds)
        self._page.set_deadline(slot, deadline)

    def _finish(self, mine: list[tuple[int, Arrival]], verdicts: Sequence[Verdict]) -> None:
        self._check_fork()
        for (slot, arrival), verdict in zip(mine, verdicts, strict=True):
            self._finish_one(slot, arrival.message_id, verdict)
        self._reports.check()

    def _check_fork(self) -> None:
        """End a process in which a fork of the handler has returned: it is not the worker."""
        if os.getpid() != self._pid:
            self._capture.flush()
            os._exit(0)

    def _finish_one(self, slot: int, message_id: str, verdict: Verdict) -> None:
        now = time.monotonic()
        if self._capture.begun:
            self._capture.end_message(message_id)
        if verdict.result is AttemptResult.PROCESSED:
            self._page.finish(slot, now, PROCESSED)
        else:
            self._reports.send(Answer(slot, verdict))
            self._page.finish(slot, now, ANSWERED)


class Progressing:
    """Reports once that all messages of a frame are finished, by whatever thread."""

    def __init__(self, reports: Reports, calls: int) -> None:
        """Wait for this many calls of the handler."""
        self._reports = reports
        self._left = calls
        self._lock = threading.Lock()

    def finished(self) -> None:
        """Count one less."""
        with self._lock:
            self._left -= 1
            last = not self._left
        if last:
            self._reports.send(Progress())


def _failed(error: BaseException) -> Verdict:
    return Verdict(AttemptResult.FAILED, describe(error))
