"""Tests of the worker's rhythm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.cycle import (
    CycleMemory,
    Receive,
    ReceiveEnded,
    ReceiveFailed,
    Rest,
    RestEnded,
    Rhythm,
    first_step,
    next_step,
)

if TYPE_CHECKING:
    from consumer.cycle import Step, StepResult

EXERCISE = Rhythm()
WIDE = Rhythm(messages_per_poll=25)

rhythms = st.builds(
    Rhythm,
    messages_per_poll=st.integers(1, 200),
    poll_wait=st.one_of(st.just(0.0), st.floats(0.01, 3600)),
    receive_wait=st.integers(0, 20),
)


def walk(rhythm: Rhythm, results: list[StepResult]) -> list[Step]:
    """Return the steps of a worker whose steps have these results."""
    memory, step = first_step(rhythm)
    steps = [step]
    for result in results:
        memory, step = next_step(rhythm, memory, result)
        steps.append(step)
    return steps


@pytest.mark.parametrize(
    ("rhythm", "results", "steps"),
    [
        pytest.param(
            EXERCISE,
            [ReceiveEnded(10), RestEnded()],
            [Receive(10, 20), Rest(60.0), Receive(10, 20)],
            id="full quota, one minute, next poll",
        ),
        pytest.param(
            EXERCISE,
            [ReceiveEnded(0), RestEnded()],
            [Receive(10, 20), Rest(60.0), Receive(10, 20)],
            id="empty queue, one minute, next poll",
        ),
        pytest.param(
            EXERCISE,
            [ReceiveEnded(6), ReceiveEnded(4)],
            [Receive(10, 20), Receive(4, 1), Rest(60.0)],
            id="a receive that brings less is followed by another for the rest of the quota",
        ),
        pytest.param(
            WIDE,
            [ReceiveEnded(10), ReceiveEnded(10), ReceiveEnded(5)],
            [Receive(10, 20), Receive(10, 1), Receive(5, 1), Rest(60.0)],
            id="a large quota takes several receives, of which only the first polls long",
        ),
        pytest.param(
            WIDE,
            [ReceiveEnded(10), ReceiveEnded(0)],
            [Receive(10, 20), Receive(10, 1), Rest(60.0)],
            id="an empty receive ends a poll",
        ),
        pytest.param(
            Rhythm(messages_per_poll=3, receive_wait=0),
            [ReceiveEnded(1)],
            [Receive(3, 0), Receive(2, 0)],
            id="no long polling at all",
        ),
        pytest.param(
            Rhythm(poll_wait=0),
            [ReceiveEnded(6), RestEnded(), ReceiveEnded(0), RestEnded()],
            [Receive(10, 20), Rest(0), Receive(10, 20), Rest(0), Receive(10, 20)],
            id="continuous polling asks for ten again after each receive",
        ),
    ],
)
def test_polls_up_to_the_quota_and_rests(
    rhythm: Rhythm, results: list[StepResult], steps: list[Step]
) -> None:
    """The exercise: poll, process, wait a minute, poll again."""
    assert walk(rhythm, results) == steps


def test_an_outage_doubles_the_rest_up_to_the_usual_one() -> None:
    """A queue that does not answer is called again after 1 s, then less and less often."""
    steps = walk(EXERCISE, [ReceiveFailed(), RestEnded()] * 8)
    assert [step.seconds for step in steps if isinstance(step, Rest)] == [
        1, 2, 4, 8, 16, 32, 60, 60,
    ]  # fmt: skip


def test_a_continuous_worker_calls_a_queue_that_is_down_once_a_minute() -> None:
    """A worker that polls continuously must not flood a queue that is down with requests."""
    steps = walk(Rhythm(poll_wait=0), [ReceiveFailed(), RestEnded()] * 100)
    assert steps[-2] == Rest(60.0)


def test_a_share_of_a_rest_is_a_shorter_one() -> None:
    """The next failure doubles the whole rest, not the share."""
    steps = walk(EXERCISE, [ReceiveFailed(0.5), RestEnded(), ReceiveFailed(0.75)])
    assert [step.seconds for step in steps if isinstance(step, Rest)] == [0.5, 1.5]


def test_an_answer_ends_the_outage() -> None:
    """After an outage has ended, the next one begins with a rest of 1 s again."""
    steps = walk(
        EXERCISE, [ReceiveFailed(), RestEnded(), ReceiveEnded(0), RestEnded(), ReceiveFailed()]
    )
    assert steps[-1] == Rest(1.0)


def test_an_outage_ends_the_poll() -> None:
    """The poll after an outage has its whole quota."""
    memory, _ = next_step(WIDE, CycleMemory(taken=10), ReceiveFailed())
    assert next_step(WIDE, memory, RestEnded())[1] == Receive(10, 20)


@given(rhythm=rhythms, choices=st.lists(st.integers(-1, 10), max_size=60))
def test_no_poll_takes_more_than_its_quota_and_each_ends_with_a_rest(
    rhythm: Rhythm, choices: list[int]
) -> None:
    """For any results: the quota holds, limits are within SQS's, each poll ends with a rest."""
    memory, step = first_step(rhythm)
    taken = 0
    for choice in choices:
        if isinstance(step, Rest):
            result: StepResult = RestEnded()
            taken = 0
        elif choice < 0:
            result = ReceiveFailed()
        else:
            assert 1 <= step.limit <= 10
            assert taken + step.limit <= rhythm.messages_per_poll
            brought = min(choice, step.limit)
            taken += brought
            result = ReceiveEnded(brought)
        before, (memory, step) = step, next_step(rhythm, memory, result)
        if isinstance(before, Rest):
            assert step == Receive(min(10, rhythm.messages_per_poll), rhythm.receive_wait)
        elif result in {ReceiveEnded(0), ReceiveFailed()} or taken == rhythm.messages_per_poll:
            assert isinstance(step, Rest)
        if result == ReceiveEnded(0):
            assert step == Rest(rhythm.poll_wait)
