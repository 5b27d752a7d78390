"""When the messages of a receive are handled and settled, and what a stop makes of it."""

from __future__ import annotations

from random import Random

import pytest

from tidemill.simulator.instances.handling import HandlerTime, cut_short, plan
from tidemill.simulator.queue import QueuedMessage

A, B, C = (QueuedMessage(float(number), 1, poison=False) for number in range(3))


@pytest.mark.parametrize(
    ("seconds", "workers", "groups"),
    [
        pytest.param((0.4, 0.4, 0.4), 1, [(101.2, [A, B, C])], id="quick ones together"),
        pytest.param((2, 2, 2), 1, [(102, [A]), (104, [B]), (106, [C])], id="slow ones each"),
        pytest.param((0.6, 0.6, 0.1), 1, [(101.2, [A, B]), (101.3, [C])], id="after a second"),
        pytest.param((5, 2, 2), 2, [(102, [B]), (104, [C]), (105, [A])], id="two at a time"),
    ],
)
def test_messages_are_acknowledged_when_a_second_has_passed_and_at_the_end(
    seconds: tuple[float, ...], workers: int, groups: list[tuple[float, list[QueuedMessage]]]
) -> None:
    """Messages are acknowledged in the groups of the consumer's rules."""
    batch = plan([A, B, C], 100.0, seconds, workers)
    assert [group for _, group in batch.groups[::-1]] == [group for _, group in groups]
    assert [at for at, _ in batch.groups[::-1]] == pytest.approx([at for at, _ in groups])


@pytest.mark.parametrize(
    ("now", "drain", "end", "finished", "late", "back"),
    [
        pytest.param(103.0, 60.0, 104.0, [B], (), [C], id="the one at work may finish"),
        pytest.param(103.0, 0.5, 103.5, [], (B,), [C], id="unless it takes too long"),
        pytest.param(101.0, 60.0, 102.0, [A], (), [B, C], id="what has not begun goes back"),
        pytest.param(105.0, 60.0, 106.0, [C], (), [], id="the last one"),
    ],
)
def test_a_stop_lets_finish_what_has_begun(
    now: float,
    drain: float,
    end: float,
    finished: list[QueuedMessage],
    late: tuple[QueuedMessage, ...],
    back: list[QueuedMessage],
) -> None:
    """Of three messages of two seconds each from 100 on, the present one may finish."""
    batch = plan([A, B, C], 100.0, (2, 2, 2), 1)
    while batch.groups[-1][0] < now:
        batch.groups.pop()
    left, returned = cut_short(batch, now, drain)
    assert left.groups == [(end, finished)]
    assert (left.late, returned) == (late, back)


def test_handling_times_have_the_mean_and_variation_asked_for() -> None:
    """Many draws have the given mean and variation; without variation all are equal."""
    rng = Random(1)  # noqa: S311 - chance, not secrets
    drawn = [HandlerTime(4.0, 0.5).draw(rng) for _ in range(20_000)]
    mean = sum(drawn) / len(drawn)
    deviation = (sum((one - mean) ** 2 for one in drawn) / len(drawn)) ** 0.5
    assert mean == pytest.approx(4.0, rel=0.02)
    assert deviation / mean == pytest.approx(0.5, rel=0.05)
    assert {HandlerTime(4.0).draw(rng) for _ in range(5)} == {4.0}
