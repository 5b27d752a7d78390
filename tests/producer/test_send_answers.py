"""Tests of what one attempt did to each message of a batch."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.fakes.producing import grouped, outgoings

from producer.send_answers import out_of_order, sort_result
from shared.queue import Refusal, SendBatchResult


@given(st.lists(st.sampled_from(["sent", "again", "lost", "never"]), min_size=1, max_size=10))
def test_sorting_an_answer_keeps_every_message_once(fates: list[str]) -> None:
    """Each message is accepted, refused or to be retried, and a lost answer stays one."""
    messages = outgoings(len(fates))
    result = SendBatchResult(
        {place: f"id-{place}" for place, fate in enumerate(fates) if fate == "sent"},
        tuple(
            Refusal(place, "Code", "why", retry=fate != "never", answer_lost=fate == "lost")
            for place, fate in enumerate(fates)
            if fate != "sent"
        ),
    )

    by_result = sort_result(messages, result)

    found = {
        **dict.fromkeys((message.number for message, _ in by_result.accepted), "sent"),
        **dict.fromkeys((message.number for message, _ in by_result.refused), "never"),
        **{
            item.message.number: "lost" if item.answer_lost else "again" for item in by_result.retry
        },
    }
    assert found == dict(enumerate(fates, 1))
    assert len(by_result.accepted) + len(by_result.refused) + len(by_result.retry) == len(fates)


def test_a_message_that_later_ones_of_its_group_overtook_is_named() -> None:
    """Other groups, and earlier messages of the same group, do not matter."""
    messages = [grouped(1, "a"), grouped(2, "b"), grouped(3, "a"), grouped(4, "c")]
    refusals = [Refusal(place, "InternalError", "", retry=True) for place in (0, 1, 3)]

    by_result = sort_result(messages, SendBatchResult({2: "id"}, tuple(refusals)))

    assert [message.number for message in out_of_order(by_result)] == [1]
