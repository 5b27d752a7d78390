"""Tests of what one attempt did to each message of a batch, and of pauses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.fakes.producing import grouped, outgoings, seeded

from producer.send_answers import LONGEST_PAUSE, out_of_order, pause_before, sort_result
from shared.queue import Refusal, SendBatchResult


@given(
    st.integers(1, 10),
    st.dictionaries(st.integers(0, 9), st.sampled_from(["sent", "again", "never"])),
)
def test_sorting_an_answer_keeps_every_message_once(number: int, places: dict[int, str]) -> None:
    """Each message is accepted, refused or to be retried."""
    messages = outgoings(number)
    known = {place: fate for place, fate in places.items() if place < number}
    result = SendBatchResult(
        {place: f"id-{place}" for place, fate in known.items() if fate == "sent"},
        tuple(
            Refusal(place, "Code", "why", retry=fate == "again")
            for place, fate in known.items()
            if fate != "sent"
        ),
    )

    by_result = sort_result(messages, result)

    fates = {
        **dict.fromkeys((message.number for message, _ in by_result.accepted), "sent"),
        **dict.fromkeys((message.number for message, _ in by_result.refused), "never"),
        **dict.fromkeys((message.number for message, _ in by_result.retry), "again"),
    }
    assert fates == {place + 1: known.get(place, "again") for place in range(number)}
    assert len(by_result.accepted) + len(by_result.refused) + len(by_result.retry) == number


@given(st.integers(2, 100), st.integers())
def test_pauses_grow_up_to_a_limit_and_are_spread_out(attempt: int, seed: int) -> None:
    """The longest pause is 0.5 s before the second attempt and doubles up to 20 s."""
    assert 0 <= pause_before(attempt, seeded(seed)) <= min(LONGEST_PAUSE, 2.0 ** (attempt - 3))


def test_a_message_that_later_ones_of_its_group_overtook_is_named() -> None:
    """Other groups, and earlier messages of the same group, do not matter."""
    messages = [grouped(1, "a"), grouped(2, "b"), grouped(3, "a"), grouped(4, "c")]
    refusals = [Refusal(place, "InternalError", "", retry=True) for place in (0, 1, 3)]

    by_result = sort_result(messages, SendBatchResult({2: "id"}, tuple(refusals)))

    assert [message.number for message in out_of_order(by_result)] == [1]
