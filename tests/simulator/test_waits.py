"""Statistics of waits."""

from __future__ import annotations

from collections import Counter

import pytest

from tidemill.simulator.waits import mean, percentiles


@pytest.mark.parametrize(
    ("waits", "found"),
    [
        pytest.param({10: 1}, (1.0, 1.0, 1.0, 1.0), id="one message"),
        pytest.param({10: 50, 20: 45, 30: 4, 40: 1}, (1.0, 2.0, 3.0, 4.0), id="nearest rank"),
        pytest.param({}, (None, None, None, None), id="none"),
    ],
)
def test_percentiles_are_those_of_the_nearest_rank(
    waits: dict[int, int], found: tuple[float | None, ...]
) -> None:
    """Each percentile is the wait that such a share of the messages had at most."""
    assert tuple(percentiles(Counter(waits)).values()) == found


def test_the_mean_is_over_all_messages() -> None:
    """The mean is in seconds, and None without a message."""
    assert mean(Counter({10: 1, 30: 3})) == pytest.approx(2.5)
    assert mean(Counter()) is None
