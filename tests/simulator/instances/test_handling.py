"""How long attempts take, and how they end."""

from __future__ import annotations

from random import Random

import pytest

from tidemill.simulator.instances.handling import NO_FAILURES, Attempts, Failures, HandlerTime
from tidemill.simulator.queues.queued_message import Cause, MessageKind, QueuedMessage


def attempts(
    seconds: float = 2.0, failures: Failures = NO_FAILURES, chance: float = 0.5, limit: float = 30.0
) -> Attempts:
    """Return attempts of so many seconds, whose chance is always the same number."""
    return Attempts(lambda: seconds, failures, lambda: chance, limit)


@pytest.mark.parametrize(
    ("given", "kind", "ends"),
    [
        pytest.param(attempts(), MessageKind.VALID, (2.0, None), id="processed"),
        pytest.param(attempts(), MessageKind.INVALID, (0.0, Cause.INVALID), id="refused at once"),
        pytest.param(attempts(), MessageKind.FAILING, (2.0, Cause.FAILED), id="always fails"),
        pytest.param(
            attempts(31.0), MessageKind.VALID, (30.0, Cause.TIMED_OUT), id="ended at the limit"
        ),
        pytest.param(
            attempts(failures=Failures(failing=0.6)),
            MessageKind.VALID,
            (2.0, Cause.FAILED),
            id="fails by chance",
        ),
        pytest.param(
            attempts(failures=Failures(failing=0.4, crashing=0.2)),
            MessageKind.VALID,
            (2.0, Cause.CRASHED),
            id="ends its process",
        ),
        pytest.param(
            attempts(failures=Failures(failing=0.2, crashing=0.2)),
            MessageKind.VALID,
            (2.0, None),
            id="lucky",
        ),
    ],
)
def test_an_attempt_ends_as_its_message_and_chance_decide(
    given: Attempts, kind: MessageKind, ends: tuple[float, Cause | None]
) -> None:
    """An attempt has a duration and, if it did not process its message, a cause."""
    assert given.next(QueuedMessage(0.0, kind=kind)) == ends


def test_a_message_takes_the_same_time_at_each_attempt() -> None:
    """The work is in the message: one that was too slow once is so again."""
    draws = iter([3.0, 5.0])
    tried = Attempts(lambda: next(draws), NO_FAILURES, lambda: 0.0, 30.0)
    one, other = QueuedMessage(0.0), QueuedMessage(1.0)
    assert [tried.next(message)[0] for message in (one, other, one)] == [3.0, 5.0, 3.0]


def test_handling_times_have_the_mean_and_variation_asked_for() -> None:
    """Many draws have the given mean and variation; without variation all are equal."""
    rng = Random(1)  # noqa: S311 - chance, not secrets
    drawn = [HandlerTime(4.0, 0.5).draw(rng) for _ in range(20_000)]
    mean = sum(drawn) / len(drawn)
    deviation = (sum((one - mean) ** 2 for one in drawn) / len(drawn)) ** 0.5
    assert mean == pytest.approx(4.0, rel=0.02)
    assert deviation / mean == pytest.approx(0.5, rel=0.05)
    assert {HandlerTime(4.0).draw(rng) for _ in range(5)} == {4.0}
