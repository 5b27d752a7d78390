"""Delivery of lines to CloudWatch Logs: when, in which batches, and again after a failure.

One thread does it, so that no writer waits. While the service does not take lines they stay in the
backlog, and the same batch is sent again until it is taken: lines arrive in order. A line arrives
twice only if the service took it and its answer was lost.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from consumer.logs.backlog import MOST_EVENTS
from consumer.logs.counts import missing_line
from consumer.logs.events import get_logger
from shared.errors import WorkloadError
from shared.logs import encode_line

if TYPE_CHECKING:
    from random import Random

    from consumer.logs.backlog import Backlog, Event
    from consumer.logs.counts import MetricLabels
    from consumer.ports import Clock, Sink

log = get_logger(__name__)

SEND_SECONDS: Final = 5.0
"""Longest time that a line waits, so that more lines can be sent in the same request."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Pauses after failures double up to this, so a service that is back gets lines 30 s later."""
LAST_PAUSE: Final = 0.5
"""Longest pause between two attempts at the end, when there is little time left."""
REMINDER_SECONDS: Final = 60.0
"""Time after which a failure that lasts is reported again."""
FOR_EVER: Final = 3600.0


class DeliveryError(WorkloadError):
    """No line of a batch was taken, so far as is known; the same batch may be taken later.

    `for_people` is True if it will not be, until somebody changes something: a group that does not
    exist, a permission that is missing.
    """

    def __init__(self, text: str, *, for_people: bool = False) -> None:
        """Keep the text for people."""
        super().__init__(text)
        self.for_people = for_people


class LinesRefusedError(WorkloadError):
    """Something in the batch will never be taken; smaller batches may show what."""


class Stream(Protocol):
    """A log stream."""

    def put(self, events: list[Event]) -> int:
        """Send the events; return how many of them the service has refused.

        Raises:
            DeliveryError, LinesRefusedError.
        """
        ...


class Delivery:
    """Takes lines from the backlog to the stream, a turn at a time."""

    def __init__(
        self,
        backlog: Backlog,
        stream: Stream,
        stdout: Sink,
        clock: Clock,
        labels: MetricLabels,
        pauses: Random,
    ) -> None:
        """Start with nothing sent; the first line is sent at once, to learn whether that works."""
        self._backlog, self._stream, self._stdout = backlog, stream, stdout
        self._clock, self._labels, self._pauses = clock, labels, pauses
        self._most = MOST_EVENTS
        self._due: float | None = None
        self._working = False
        self._failures = 0
        self._failing_since = 0.0
        self._reported_at = 0.0
        self._full_reported = False
        self._hurrying = False
        self.given_up = False

    def run(self) -> None:
        """Deliver until the backlog is closed and empty, or given up."""
        seen = 0
        while not self.given_up and not (self._backlog.closed and not len(self._backlog)):
            seen = self._backlog.wait(self.turn(), seen)

    def turn(self) -> float:
        """Send a batch if it is time; return the seconds until the next turn."""
        self._report_gaps()
        now = self._clock.monotonic()
        if not len(self._backlog):
            self._due = None
            return FOR_EVER
        if self._backlog.closed and not self._hurrying:
            self._hurrying, self._due = True, now
        elif self._due is None:
            self._due = now + SEND_SECONDS if self._working else now
        if self._backlog.batch_waits and not self._failures:
            self._due = now
        if now < self._due:
            return self._due - now
        self._send()
        return 0.0

    def _send(self) -> None:
        waiting = len(self._backlog)
        batch = self._backlog.batch(self._most, self._clock.time())
        try:
            refused = self._stream.put(batch)
        except LinesRefusedError as error:
            self._make_smaller(batch, str(error))
        except DeliveryError as error:
            self._fail(str(error), for_people=error.for_people)
        except Exception as error:  # noqa: BLE001 - whatever it is, later lines must still be sent
            self._fail(f"{type(error).__name__}: {error}", for_people=False)
        else:
            self._backlog.remove(len(batch), refused)
            self._succeed(more=len(batch) < waiting)
            if refused:
                self._report_refusal(refused, "they are too old or their time is to come")

    def _succeed(self, *, more: bool) -> None:
        """Go on at once if there were `more` lines than in the batch, or after the usual wait."""
        self._working = True
        self._most = min(self._most * 2, MOST_EVENTS)
        now = self._clock.monotonic()
        if self._failures:
            self._say_available(now)
            self._failures = 0
        self._due = now if more or self._hurrying else None

    def _fail(self, reason: str, *, for_people: bool) -> None:
        """Try again after a pause: a random one, or all of a fleet would call at once."""
        now = self._clock.monotonic()
        self._failing_since = self._failing_since if self._failures else now
        if not self._failures or now - self._reported_at >= REMINDER_SECONDS:
            self._reported_at = now
            say = log.error if for_people else log.warning
            say("CloudWatch Logs unavailable", extra={"fields": self._state(reason)})
        limit = min(FIRST_PAUSE * 2 ** min(self._failures, 10), LONGEST_PAUSE)
        if self._hurrying:
            limit = LAST_PAUSE
        self._failures += 1
        self._due = now + limit * self._pauses.uniform(0.5, 1)

    def _make_smaller(self, batch: list[Event], reason: str) -> None:
        """Send half as much at the next turn; a single line that is refused is dropped."""
        if len(batch) > 1:
            self._most = len(batch) // 2
            return
        self._backlog.remove(1, refused=1)
        self._report_refusal(1, reason)

    def _report_gaps(self) -> None:
        """Say when lines begin to be dropped; put the line in the gap's place when it ends."""
        if self._backlog.full and not self._full_reported:
            self._full_reported = True
            log.warning(
                "log lines dropped from now on", extra={"fields": self._state("the buffer is full")}
            )
        at = self._clock.time()
        line = self._backlog.end_gap(
            lambda count: encode_line(missing_line(self._labels, count, at)), at
        )
        if line is not None:
            self._full_reported = False
            with suppress(OSError):  # a closed standard output ends the worker at its next line
                self._stdout.write([line])

    def _report_refusal(self, lines: int, reason: str) -> None:
        log.warning("log lines refused", extra={"fields": {"lines": lines, "reason": reason}})

    def _say_available(self, now: float) -> None:
        seconds = round(now - self._failing_since, 3)
        fields = {"after_seconds": seconds, "lines_waiting": len(self._backlog)}
        log.info("CloudWatch Logs available again", extra={"fields": fields})

    def _state(self, reason: str) -> dict[str, Any]:
        return {
            "reason": reason,
            "lines_waiting": len(self._backlog),
            "lines_dropped": self._backlog.dropped,
        }
