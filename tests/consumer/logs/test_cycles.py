"""Tests of counting a cycle, and of when its line is written."""

from __future__ import annotations

import pytest
from support.fakes.consuming import FakeClock, FakeQueue, FakeSink
from support.fakes.stopping import FakeStop

from consumer.clock import SystemThreads
from consumer.logs.counts import Counts, MetricLabels
from consumer.logs.cycles import Cycles
from consumer.ports import Ports


class Bench:
    """Cycles over fakes."""

    def __init__(self) -> None:
        """Start at zero."""
        self.clock, self.sink = FakeClock(), FakeSink()
        ports = Ports(FakeQueue(), self.sink, self.clock, FakeStop(), SystemThreads())
        self.dropped = 0
        labels = MetricLabels("Tidemill", "work", "i-0123")
        self.cycles = Cycles(ports, labels, lambda: self.dropped)


def test_counts_add_up_until_their_line_is_written() -> None:
    """The next cycle starts at zero, and one without any count has no line."""
    bench = Bench()
    bench.cycles.report()
    bench.cycles.add(Counts(received=10))
    bench.clock.elapsed = 2.5
    bench.cycles.add(Counts(processed=8, failed=1, invalid=1, deleted=8, rejected=2))
    bench.cycles.report()
    bench.cycles.report()
    [line] = bench.sink.lines
    assert [line[f"Messages{name}"] for name in ("Received", "Processed", "Failed", "Invalid")] == [
        10, 8, 1, 1,
    ]  # fmt: skip
    assert (line["deleted"], line["returned"], line["rejected"]) == (8, 0, 2)
    assert "retried" not in line
    assert line["duration_seconds"] == 2.5


@pytest.mark.parametrize(
    ("seconds", "idle", "lines"),
    [
        pytest.param(1, False, 0, id="at work"),
        pytest.param(1, True, 1, id="nothing in hand"),
        pytest.param(10, False, 1, id="at work for long"),
    ],
)
def test_a_worker_without_rests_has_its_line_now_and_then(
    seconds: float, *, idle: bool, lines: int
) -> None:
    """A line for each acknowledgement would cost more than it tells."""
    bench = Bench()
    bench.cycles.add(Counts(received=1))
    bench.clock.elapsed = seconds
    bench.cycles.report_if_due(idle=idle)
    assert len(bench.sink.lines) == lines


def test_a_worker_without_rests_and_messages_has_no_line() -> None:
    """Empty receives write nothing."""
    bench = Bench()
    bench.cycles.report_if_due(idle=True)
    assert bench.sink.lines == []


def test_a_cycle_says_how_many_log_lines_were_dropped_since_the_last_one() -> None:
    """Lines that are dropped are no reason for a line of their own, which would be dropped, too."""
    bench = Bench()
    for dropped in (3, 3, 5):
        bench.dropped = dropped
        bench.cycles.report()
        bench.cycles.add(Counts(received=1))
        bench.cycles.report()
    assert [line.get("log_lines_dropped") for line in bench.sink.lines] == [3, None, 2]
