"""The rig's clock, which runs faster than wall-clock time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tidemill.rig.clock import RigClock

if TYPE_CHECKING:
    from pathlib import Path


def test_both_clocks_agree_at_the_start() -> None:
    """AWS's time begins at the wall-clock time."""
    before = time.time()
    clock = RigClock.start(speed=20)
    assert before <= clock.started <= time.time()
    assert clock.now() >= clock.started


@pytest.mark.parametrize("speed", [1.0, 20.0, 60.0])
def test_a_wall_clock_second_is_speed_seconds_of_aws(speed: float) -> None:
    """It is counted from the start, without drift."""
    clock = RigClock(speed, 1000.0, time.monotonic() - 3)
    before = clock.wall_seconds()
    now = clock.now()
    after = clock.wall_seconds()
    assert 3 <= before <= after
    assert 1000 + before * speed <= now <= 1000 + after * speed


def test_awss_seconds_are_shorter_in_wall_clock_time() -> None:
    """A minute takes three seconds at speed 20."""
    assert RigClock.start(20).real(60) == 3


def test_a_clock_goes_on_where_a_killed_rig_left_it(tmp_path: Path) -> None:
    """At speed 1000 AWS's time does not go back to wall-clock time."""
    file = tmp_path / "clock.json"
    first = RigClock.resume(file, 1000)
    before = first.now()
    second = RigClock.resume(file, 1000)
    assert second.started == first.started
    assert before <= second.now() <= before + 60 * 1000


@pytest.mark.parametrize("text", ["", "[]", '{"started": 1}', '{"started": 1, "speed": 20}'])
def test_a_clock_that_does_not_fit_is_replaced(tmp_path: Path, text: str) -> None:
    """A damaged one, or one of another speed; the new one is kept."""
    file = tmp_path / "clock.json"
    file.write_text(text)
    clock = RigClock.resume(file, 10)
    assert clock.started > 1
    assert RigClock.resume(file, 10).started == clock.started
