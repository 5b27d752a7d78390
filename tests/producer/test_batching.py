"""Tests of batching."""

from __future__ import annotations

from itertools import accumulate, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.producing import outgoings

from producer.batching import LINGER, Batch, batches
from producer.messages.outgoing_message import Origin, OutgoingMessage
from shared.quotas import MAX_BATCH, MAX_BYTES


def sized(number: int, size: int) -> OutgoingMessage:
    """Build a message that claims to be that large."""
    return OutgoingMessage("", size, Origin.LINE, number, None)


def lengths(found: list[Batch]) -> list[int]:
    """Return how many messages each batch has."""
    return [len(batch.messages) for batch in found]


items = st.lists(
    st.none() | st.sampled_from([1, 100, 100_000, 300_000, MAX_BYTES - 1, MAX_BYTES]), max_size=60
)
gaps = st.sampled_from([0.0, 0.001, 0.03, LINGER, 0.5])


@given(items, st.lists(gaps, min_size=60, max_size=60))
def test_batches_keep_every_message_in_order_and_the_limits(
    sizes: list[int | None], between: list[float]
) -> None:
    """For any sizes, pauses and times, nothing is lost, too large, or delayed for long."""
    stream = [None if size is None else sized(n, size) for n, size in enumerate(sizes)]
    messages = [message for message in stream if message]
    dues = list(accumulate(between))
    due_of = {message.number: due for message, due in zip(messages, dues, strict=False)}

    found = list(batches(stream, iter(dues)))

    assert [message for batch in found for message in batch.messages] == messages
    for batch in found:
        assert 1 <= len(batch.messages) <= MAX_BATCH
        assert sum(message.size for message in batch.messages) <= MAX_BYTES
        assert batch.due == due_of[batch.messages[-1].number]
        assert batch.due <= due_of[batch.messages[0].number] + LINGER


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([100] * 10, [10], id="exactly ten"),
        pytest.param([100] * 25, [10, 10, 5], id="ten at a time"),
        pytest.param([MAX_BYTES] * 3, [1, 1, 1], id="each fills a request"),
        pytest.param([MAX_BYTES // 2] * 4, [2, 2], id="two fill a request exactly"),
        pytest.param([MAX_BYTES, 1, 1], [1, 2], id="one large, then small"),
        pytest.param([1, MAX_BYTES, 1], [1, 1, 1], id="a large one between"),
        pytest.param([100, None, 100, None, None, 100], [1, 1, 1], id="pauses"),
    ],
)
def test_batches_are_as_full_as_the_limits_allow(
    sizes: list[int | None], expected: list[int]
) -> None:
    """Requests cost time and money, so a batch ends only for a reason."""
    stream = [None if size is None else sized(n, size) for n, size in enumerate(sizes)]

    assert lengths(list(batches(stream, repeat(0.0)))) == expected


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        pytest.param(10.0, [1, 1, 1, 1, 1, 1], id="slow: each on its own"),
        pytest.param(0.04, [3, 3], id="faster: what is due within a tenth of a second"),
        pytest.param(0.001, [6], id="fast: all that is there"),
    ],
)
def test_a_message_is_not_kept_waiting_for_others(gap: float, expected: list[int]) -> None:
    """Messages of a slow rate are sent one by one, not in steps of ten."""
    dues = (number * gap for number in range(7))

    assert lengths(list(batches(outgoings(6), dues))) == expected


def test_a_pause_hands_over_what_is_there_before_more_is_read() -> None:
    """A slow writer's line is sent while the producer waits for the next one."""
    stream = iter([*outgoings(1), None, *outgoings(1, first=2)])

    batch = next(batches(stream, repeat(0.0)))

    assert list(batch.messages) == outgoings(1)
    assert list(stream) == outgoings(1, first=2)
