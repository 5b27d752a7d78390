"""The rig's clock, which runs ahead of ours."""

from __future__ import annotations

import time

import pytest

from tidemill.rig.clock import RigClock


def test_both_clocks_agree_at_the_start() -> None:
    """AWS's time begins with ours."""
    before = time.time()
    clock = RigClock.start(speed=20)
    assert before <= clock.started <= time.time()
    assert clock.now() >= clock.started


@pytest.mark.parametrize("speed", [1.0, 20.0, 60.0])
def test_a_second_of_ours_is_as_many_of_awss_as_the_speed_says(speed: float) -> None:
    """Counted from the start, without drift."""
    clock = RigClock(speed, 1000.0, time.monotonic() - 3)
    before = clock.wall_seconds()
    now = clock.now()
    after = clock.wall_seconds()
    assert 3 <= before <= after
    assert 1000 + before * speed <= now <= 1000 + after * speed


def test_awss_seconds_are_shorter_in_ours() -> None:
    """A minute takes three seconds at speed 20."""
    assert RigClock.start(20).real(60) == 3
