"""Tests of the delivery of lines: batches, outages, refusals, the end."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.fakes.consuming import FakeClock, FakeSink
from support.fakes.log_streams import FakeStream

from consumer.logs import events
from consumer.logs.backlog import KEEPING, Backlog
from consumer.logs.counts import MetricLabels
from consumer.logs.delivery import (
    LONGEST_PAUSE,
    SEND_SECONDS,
    Delivery,
    DeliveryError,
    LinesRefusedError,
)

if TYPE_CHECKING:
    from consumer.logs.backlog import Event

LABELS: Final = MetricLabels("Tidemill", "work", "i-0123")
MIB: Final = 1024 * 1024


class Bench:
    """A delivery over fakes, whose time the test moves."""

    def __init__(self, limit: int = 2 * MIB) -> None:
        """Start with an empty backlog of this limit."""
        self.clock, self.stdout, self.stream = FakeClock(), FakeSink(), FakeStream()
        self.backlog = Backlog(limit)
        pauses = random.Random(1)  # noqa: S311 - repeatable, and no secret
        self.delivery = Delivery(self.backlog, self.stream, self.stdout, self.clock, LABELS, pauses)
        self.outage: DeliveryError | Exception | None = None
        self.stream.trouble = self._trouble

    def write(self, *lines: bytes) -> None:
        """Write lines now."""
        self.backlog.add(self.clock.time(), list(lines))

    def pass_time(self, seconds: float) -> None:
        """Let the delivery work for this time."""
        end = self.clock.elapsed + seconds
        while True:
            wait = self.delivery.turn()
            if self.clock.elapsed + wait > end:
                self.clock.elapsed = end
                return
            self.clock.elapsed += wait

    def _trouble(self, _: list[Event]) -> int:
        if self.outage is not None:
            raise self.outage
        return 0


def started() -> Bench:
    """Return a bench that has delivered its first line."""
    bench = Bench()
    bench.write(b"started")
    bench.pass_time(0)
    assert bench.stream.batches.pop() == [b"started"]
    bench.stream.tries = 0
    return bench


def records(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    """Return the fields of the records of an event, and its level."""
    return [
        {**vars(record)["fields"], "level": record.levelname}
        for record in caplog.records
        if record.getMessage() == event
    ]


def test_the_first_line_is_sent_at_once() -> None:
    """A group that is missing is reported at the start, not later."""
    bench = Bench()
    bench.write(b"started")
    bench.pass_time(0)
    assert bench.stream.batches == [[b"started"]]


def test_later_lines_wait_a_while_for_others() -> None:
    """Lines of some seconds are one request."""
    bench = started()
    bench.write(b"a")
    bench.pass_time(SEND_SECONDS - 1)
    bench.write(b"b")
    assert bench.stream.tries == 0
    bench.pass_time(1)
    assert bench.stream.batches == [[b"a", b"b"]]


def test_a_whole_batch_does_not_wait() -> None:
    """What would not fit in the same request gives no reason to wait."""
    bench = started()
    bench.write(*[b"x" * 1000] * 1500)
    bench.pass_time(0)
    assert [len(batch) for batch in bench.stream.batches] == [1022, 478]


@pytest.mark.parametrize(
    ("outage", "level"),
    [
        pytest.param(DeliveryError("throttled"), "WARNING", id="outage"),
        pytest.param(DeliveryError("denied", for_people=True), "ERROR", id="denied"),
        pytest.param(ZeroDivisionError("odd"), "WARNING", id="anything else"),
    ],
)
def test_lines_of_ten_minutes_outage_arrive_once_and_in_order(
    caplog: pytest.LogCaptureFixture, outage: Exception, level: str
) -> None:
    """The service is tried at least every thirty seconds, and people are told every minute."""
    events.root.setLevel("INFO")  # the fixture of all tests of the consumer sets it back
    bench = started()
    bench.outage = outage
    lines = [b"%d" % number for number in range(6000)]
    for number, line in enumerate(lines):
        bench.write(line)
        bench.pass_time(0.1)
        if number == 0:
            assert records(caplog, "CloudWatch Logs unavailable") == []
    told = records(caplog, "CloudWatch Logs unavailable")
    assert 9 <= len(told) <= 11
    assert {record["level"] for record in told} == {level}
    assert str(outage) in told[0]["reason"]
    assert 600 / LONGEST_PAUSE <= bench.stream.tries <= 60
    assert bench.stream.lines == []
    bench.outage = None
    bench.pass_time(LONGEST_PAUSE)
    assert bench.stream.lines == lines
    assert bench.backlog.dropped == 0
    (back,) = records(caplog, "CloudWatch Logs available again")
    assert 590 <= back["after_seconds"] <= 630


def test_an_outage_beyond_the_buffer_leaves_one_gap_which_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The gap's line is in its place in CloudWatch Logs, and on standard output."""
    limit = (4 + KEEPING) * 1000
    bench = Bench(limit)
    bench.outage = DeliveryError("down")
    lines = [b"%04d" % number for number in range(6000)]
    for line in lines:
        bench.write(line)
        bench.pass_time(0.1)
    assert bench.backlog.dropped == 5000
    (told,) = records(caplog, "log lines dropped from now on")
    assert (told["reason"], told["lines_waiting"]) == ("the buffer is full", 1000)
    assert bench.stdout.lines == []
    bench.outage = None
    bench.pass_time(LONGEST_PAUSE)
    bench.write(b"after")
    bench.pass_time(SEND_SECONDS)
    *kept, gap, after = bench.stream.lines
    assert (kept, after) == (lines[:1000], b"after")
    line = json.loads(gap)
    assert bench.stdout.lines == [line]
    assert (line["event"], line["LogLinesDropped"]) == ("log lines dropped", 5000)
    assert line["level"] == "WARNING"


def test_a_second_gap_is_reported_as_the_first_one() -> None:
    """Each gap has its line."""
    bench = Bench((1 + KEEPING) * 10)
    for _ in range(2):
        bench.outage = DeliveryError("down")
        bench.write(*[b"x"] * 12)
        bench.pass_time(60)
        bench.outage = None
        bench.pass_time(60)
    assert [line["LogLinesDropped"] for line in bench.stdout.lines] == [2, 2]


def test_lines_that_the_service_refuses_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """The service takes the rest of their batch."""
    bench = started()
    bench.write(b"old", b"new")
    bench.stream.trouble = lambda events: sum(line == b"old" for _, line in events)
    bench.pass_time(SEND_SECONDS)
    bench.pass_time(SEND_SECONDS)
    (told,) = records(caplog, "log lines refused")
    assert told["lines"] == 1
    assert json.loads(bench.stream.lines[-1])["LogLinesDropped"] == 1


def test_one_line_that_is_never_taken_does_not_hold_the_others_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Smaller and smaller batches find it, and then batches grow again."""
    bench = started()
    lines = [b"%d" % number for number in range(1000)]

    def trouble(events: list[Event]) -> int:
        if any(line == b"617" for _, line in events):
            raise LinesRefusedError("InvalidParameterException no")
        return 0

    bench.stream.trouble = trouble
    bench.write(*lines)
    bench.pass_time(SEND_SECONDS)
    assert [line for line in bench.stream.lines if line.isdigit()] == [*lines[:617], *lines[618:]]
    assert bench.stream.tries < 40
    (told,) = records(caplog, "log lines refused")
    assert (told["lines"], told["reason"]) == (1, "InvalidParameterException no")
    assert bench.stdout.lines[0]["LogLinesDropped"] == 1


def test_the_wall_clock_does_not_matter() -> None:
    """A clock that is set back by an hour delays no line."""
    bench = started()
    bench.write(b"a")
    bench.clock.time = lambda: 1_790_000_000.0 - 3600  # type: ignore[method-assign]
    bench.pass_time(SEND_SECONDS)
    assert bench.stream.lines == [b"a"]


def test_at_the_end_everything_is_sent_at_once() -> None:
    """Nobody waits for more lines."""
    bench = started()
    bench.write(b"a")
    bench.backlog.close()
    bench.pass_time(0)
    assert bench.stream.lines == [b"a"]


def test_at_the_end_an_outage_is_tried_again_and_again() -> None:
    """The pause of a long outage would be longer than the time that is left."""
    bench = started()
    bench.outage = DeliveryError("down")
    bench.write(b"a")
    bench.pass_time(300)
    bench.backlog.close()
    bench.pass_time(2)
    bench.outage = None
    bench.pass_time(1)
    assert bench.stream.lines == [b"a"]


def test_a_run_ends_when_everything_is_sent() -> None:
    """The thread of the delivery ends with it."""
    bench = Bench()
    bench.write(b"a", b"b")
    bench.backlog.close()
    bench.delivery.run()
    assert bench.stream.lines == [b"a", b"b"]


def test_a_closed_standard_output_does_not_end_the_delivery() -> None:
    """The worker notices it by itself."""
    bench = Bench((1 + KEEPING) * 2)
    bench.stdout.error = BrokenPipeError()
    bench.write(*[b"x"] * 3)
    bench.pass_time(SEND_SECONDS * 2)
    assert bench.stream.lines[:2] == [b"x", b"x"]
    assert json.loads(bench.stream.lines[2])["LogLinesDropped"] == 1
