"""Tests of blame: which messages pay for the end of their process."""

from __future__ import annotations

import pytest

from consumer.pool.blame import Begun, Blame, of_death, of_kill


@pytest.mark.parametrize(
    ("begun", "expected"),
    [
        pytest.param([], Blame(), id="idle"),
        pytest.param([4], Blame(crashed=frozenset({4})), id="one"),
        pytest.param([4, 5], Blame(alone=frozenset({4, 5})), id="two"),
    ],
)
def test_only_a_message_that_was_alone_pays_for_a_death(begun: list[int], expected: Blame) -> None:
    """Of several, nobody knows which it was."""
    assert of_death(begun) == expected


@pytest.mark.parametrize(
    ("begun", "expected"),
    [
        pytest.param(
            Begun([1], [1], calls=1, answered=False), Blame(timed_out=frozenset({1})), id="alone"
        ),
        pytest.param(
            Begun([1, 2, 3], [2], calls=3, answered=True),
            Blame(timed_out=frozenset({2}), alone=frozenset({1, 3})),
            id="its own limit",
        ),
        pytest.param(
            Begun([1, 2], [1, 2], calls=2, answered=True),
            Blame(timed_out=frozenset({1, 2})),
            id="both beyond their limits",
        ),
        pytest.param(
            Begun([1, 2], [2], calls=2, answered=False),
            Blame(alone=frozenset({1, 2})),
            id="a neighbour may hold the interpreter",
        ),
        pytest.param(
            Begun([1, 2], [1, 2], calls=1, answered=True),
            Blame(alone=frozenset({1, 2})),
            id="one batch",
        ),
    ],
)
def test_a_message_pays_for_its_own_limit(begun: Begun, expected: Blame) -> None:
    """Unless it shares the limit with others, or others may have held it up."""
    assert of_kill(begun) == expected
