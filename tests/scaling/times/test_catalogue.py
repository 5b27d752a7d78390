"""The times of AWS: every one with a span, a grade and a source."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemill.scaling.times.catalogue import NAMES, USUAL, Grade, mean_of
from tidemill.scaling.times.distributions import Constant

STAGES = (*USUAL.until_running(), *USUAL.until_work())


@pytest.mark.parametrize("name", NAMES)
def test_a_time_says_what_it_is_and_how_it_is_known(name: str) -> None:
    """A span from one moment to another, and a source with a year or a document's title."""
    time = dict(USUAL.named())[name]
    assert re.fullmatch(r"[a-z]\w+", name)
    assert " -> " in time.span or name in {"billed_at_least", "request"}
    assert time.source
    if time.grade in {Grade.FINE, Grade.POLLED}:
        assert re.search(r"20[12]\d", time.source)
    if time.grade is Grade.PUBLISHED:
        assert re.search(r'"|pricing', time.source)


@given(st.floats(0, 3600))
def test_an_exact_boot_takes_exactly_its_seconds(seconds: float) -> None:
    """All stages are constant, and their sum is what was asked for."""
    times = USUAL.with_boot(seconds)
    running, working = times.until_running(), times.until_work()
    assert mean_of((*running, *working)) == pytest.approx(seconds)
    assert all(isinstance(stage.distribution, Constant) for stage in (*running, *working))
    assert mean_of(running) == pytest.approx(min(seconds, mean_of(USUAL.until_running())))


def test_a_warm_pool_is_never_slower_than_an_exact_boot() -> None:
    """With a boot that is over when the instance runs, a restart takes no time."""
    assert USUAL.with_boot(5.0).restart.mean == 0
    assert USUAL.with_boot(60.0).restart.mean == pytest.approx(USUAL.restart.mean)


def test_one_time_is_scaled_alone() -> None:
    """Half of it, and the others as they are."""
    times = USUAL.scaled("installs", 0.5)
    assert times.installs.mean == pytest.approx(USUAL.installs.mean / 2)
    assert times.scaled("installs", 2.0) == USUAL
