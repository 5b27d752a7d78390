"""Tests of the size of receives from a FIFO queue after failures."""

from __future__ import annotations

import pytest

from consumer.groups.caution import Caution


def troubled(*groups: str, delay: float = 30) -> Caution:
    """Build the caution after a failure with followers in each of the groups, at second 0."""
    caution = Caution()
    for group in groups:
        caution.failed(group, delay, 0)
        caution.followed(group)
    return caution


def test_receives_are_full_while_nothing_fails() -> None:
    """A message that gets through where none has failed changes nothing."""
    caution = Caution()
    caution.through("A")
    assert caution.limit(10, 0) == 10


def test_a_receive_after_a_failure_asks_for_one_message() -> None:
    """Its followers would be received with it and not be handled."""
    caution = troubled("A")
    assert caution.limit(10, 29) == 1


def test_a_failure_without_followers_changes_nothing() -> None:
    """Where every message is a group of its own, receives stay full."""
    caution = Caution()
    caution.failed("A", 30, 0)
    assert caution.limit(10, 1) == 10


def test_a_second_failure_needs_no_followers() -> None:
    """The message was received alone, because the first failure is remembered."""
    caution = troubled("A")
    caution.through("A")
    caution.failed("A", 60, 30)
    assert caution.limit(10, 31) == 1
    assert caution.visible_at("A") == 90


def test_receives_grow_with_the_messages_of_the_group_that_get_through() -> None:
    """A group with several poison messages does not take its good ones along."""
    caution = troubled("A")
    limits = []
    for _ in range(4):
        caution.through("A")
        limits.append(caution.limit(10, 1))
    assert limits == [2, 4, 8, 10]


def test_messages_of_other_groups_say_nothing_about_a_group_that_failed() -> None:
    """Every group that failed has to get through; the most cautious one counts."""
    caution = troubled("A", "B")
    caution.through("B")
    caution.through("C")
    assert caution.limit(10, 1) == 1
    caution.through("A")
    assert caution.limit(10, 1) == 2


@pytest.mark.parametrize(
    ("delay", "forgotten"),
    [(30, 960), (0, 60), (900, 3600)],
    ids=["with-a-delay", "at-once", "long"],
)
def test_a_failure_is_forgotten_when_another_consumer_has_the_message(
    delay: float, forgotten: float
) -> None:
    """A delay of 30 s is remembered for 30 x 30 + 60 s, in which four others may have failed."""
    caution = troubled("A", delay=delay)
    assert caution.limit(10, forgotten - 0.1) == 1
    assert caution.limit(10, forgotten) == 10


def test_a_limit_below_that_of_caution_is_kept() -> None:
    """What has room in hand is still the most."""
    caution = troubled("A")
    caution.through("A")
    assert caution.limit(1, 1) == 1
