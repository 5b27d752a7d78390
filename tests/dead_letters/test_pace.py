"""Pace: a rate of letters."""

from __future__ import annotations

import pytest
from support.fakes.letters import Time

from tidemill.dead_letters.pace import Pace


@pytest.mark.parametrize(
    ("rate", "batch"), [(None, 10), (500.0, 10), (1.0, 10), (0.5, 5), (0.01, 1)], ids=str
)
def test_no_more_is_received_than_can_be_sent_while_it_is_hidden(
    rate: float | None, batch: int
) -> None:
    """Ten seconds' worth, and at least one."""
    time = Time()
    assert Pace(rate, time, time).batch == batch


def test_a_pause_is_not_made_up_for() -> None:
    """After a minute without letters, no minute's worth passes at once."""
    time = Time()
    pace = Pace(2, time, time)
    pace.wait(10)
    time.wait(60)
    begin = time.now
    pace.wait(10)
    pace.wait(10)
    assert time.now - begin == 5
