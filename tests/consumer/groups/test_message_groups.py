"""Tests of what keeps the order of message groups."""

from __future__ import annotations

import pytest
from support.fakes.consuming import START, FakeClock

from consumer.delivery import Delivery
from consumer.groups.message_groups import MessageGroups
from shared.queue import ReceivedMessage


def deliveries(groups: str) -> list[Delivery]:
    """Build deliveries, numbered from 1, one for each letter: its group."""
    return [
        Delivery(
            key,
            ReceivedMessage(
                f"id-{key}", f"receipt-{key}", "{}", 1, START, system={"MessageGroupId": group}
            ),
            START,
            "{}",
        )
        for key, group in enumerate(groups, start=1)
    ]


def keys(rounds: list[list[Delivery]]) -> list[list[int]]:
    """Return the keys."""
    return [[one.key for one in each] for each in rounds]


def test_messages_of_a_group_are_deleted_one_after_another() -> None:
    """So that a later one is never deleted before an earlier one that comes again then."""
    groups = MessageGroups(FakeClock(), fifo=True, poll_wait=0)
    assert keys(groups.in_rounds(deliveries("AABA"))) == [[1, 3], [2], [4]]
    assert groups.in_rounds([]) == []


def test_messages_of_a_standard_queue_are_deleted_together() -> None:
    """There groups are tenants, and have no order."""
    groups = MessageGroups(FakeClock(), fifo=False, poll_wait=0)
    assert keys(groups.in_rounds(deliveries("AABA"))) == [[1, 2, 3, 4]]
    assert groups.in_rounds([]) == []


def test_what_follows_a_message_that_was_not_deleted_is_found_by_its_group() -> None:
    """It is not deleted either."""
    groups = MessageGroups(FakeClock(), fifo=True, poll_wait=0)
    first, second, other = deliveries("AAB")
    assert groups.follow([second, other], [first]) == [second]


@pytest.mark.parametrize(("poll_wait", "seconds"), [(0, 32), (59.5, 92)], ids=["none", "a-minute"])
def test_followers_stay_hidden_longer_than_the_message_that_failed(
    poll_wait: float, seconds: int
) -> None:
    """Until a consumer has received that one without them, even one that rests between polls."""
    clock = FakeClock()
    groups = MessageGroups(clock, fifo=True, poll_wait=poll_wait)
    failed, follower, other = deliveries("AAB")
    groups.failed(failed, 30)
    assert groups.hidden(follower) == seconds
    assert groups.hidden(other) == 0
    clock.sleep(30)
    assert groups.hidden(follower) == 0


def test_receives_are_small_until_the_group_gets_through() -> None:
    """A failure on a standard queue changes nothing."""
    fifo = MessageGroups(FakeClock(), fifo=True, poll_wait=0)
    standard = MessageGroups(FakeClock(), fifo=False, poll_wait=0)
    failed, follower = deliveries("AA")
    for groups in (fifo, standard):
        groups.failed(failed, 30)
        groups.hidden(follower)
    assert (fifo.limit(10), standard.limit(10)) == (1, 10)
    fifo.through([failed, follower])
    assert fifo.limit(10) == 4
