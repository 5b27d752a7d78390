"""Traces: what files say, and when their messages are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.simulations import the_template

from tidemill.simulator.errors import SimulationError
from tidemill.simulator.run import RunOptions, simulate
from tidemill.simulator.traces.trace import read_trace, spread, trace_scenario

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("time,count\n120,3\n180,0\n240,1\n", id="CSV with a head"),
        pytest.param("120,3\n\n180,0\n240,1\n", id="CSV without, with an empty line"),
        pytest.param(
            "1970-01-01T00:02:00Z,3\n1970-01-01T00:03:00,0\n1970-01-01T00:04:00+00:00,1\n",
            id="ISO 8601",
        ),
        pytest.param(
            '{"time": 120, "count": 3}\n{"time": "180", "count": 0}\n{"time": 240, "count": 1}\n',
            id="JSON lines",
        ),
        pytest.param("\ufefftime,count\n120,3\n180,0\n240,1\n", id="with a byte order mark"),
    ],
)
def test_a_trace_is_read_in_every_form(text: str, tmp_path: Path) -> None:
    """Each line of the file becomes a moment and a count."""
    path = tmp_path / "trace"
    path.write_text(text, encoding="utf-8")
    assert read_trace(path) == [(120, 3), (180, 0), (240, 1)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("120,three\n", "line 1", id="no number"),
        pytest.param("120,1\n180\n", "line 2", id="no count"),
        pytest.param("120,-1\n", "line 1", id="fewer than none"),
        pytest.param("120,1.5\n", "line 1", id="half a message"),
        pytest.param("soon,1\n", "line 1", id="no time"),
        pytest.param("nan,1\n", "line 1", id="no time, though a number"),
        pytest.param('{"time": 120}\n', "line 1", id="JSON without a count"),
        pytest.param("[1]\n", "line 1", id="other JSON"),
        pytest.param("180,1\n120,1\n", "go back", id="times that go back"),
        pytest.param("time,count\n", "no message", id="a head and nothing else"),
        pytest.param("", "no message", id="nothing"),
    ],
)
def test_a_wrong_trace_is_reported_in_one_line(text: str, says: str, tmp_path: Path) -> None:
    """The error has the line's number and an example of a valid line."""
    path = tmp_path / "trace.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SimulationError, match=says) as caught:
        read_trace(path)
    assert "\n" not in str(caught.value)


def test_a_trace_that_is_not_there_is_reported(tmp_path: Path) -> None:
    """The error has the path and the reason."""
    with pytest.raises(SimulationError, match="No such file"):
        read_trace(tmp_path / "none")


def test_messages_of_a_line_are_spread_until_the_next_but_a_minute_at_most() -> None:
    """Messages are spread evenly from the line's own moment on."""
    assert list(spread([(0, 2), (10, 3), (300, 2)])) == [0, 5, 10, 30, 50, 300, 330]


def test_a_trace_is_simulated_from_the_whole_minute_on() -> None:
    """A trace starts at its first whole minute, and every message is processed."""
    scenario = trace_scenario([(130, 30), (900, 5)], "mine")
    assert next(iter(scenario.arrivals(None))) == 10  # type: ignore[arg-type]  # a trace draws nothing
    assert simulate(the_template(), scenario, 1, RunOptions(start=120)).messages.processed == 35
