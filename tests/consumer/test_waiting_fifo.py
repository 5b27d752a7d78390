"""Tests of the order of message groups among the deliveries that wait."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consumer.attempt import AttemptResult
from consumer.delivery import Delivery
from consumer.waiting import THROUGH, Waiting, create_waiting
from shared.queue import ReceivedMessage

STAYS: Final = (*sorted(set(AttemptResult) - THROUGH), None)


def delivery(key: int, group: str | None) -> Delivery:
    """Build a delivery of a group; the key is in its message id, too."""
    system = {} if group is None else {"MessageGroupId": group}
    received = ReceivedMessage(f"id-{key}", f"receipt-{key}", "{}", 1, 0.0, system=system)
    return Delivery(key, received, 0.0, "{}")


def waiting_for(groups: str, *, fifo: bool = True) -> Waiting:
    """Build deliveries that wait, numbered from 1, one for each letter: its group."""
    waiting = create_waiting(fifo=fifo)
    waiting.add([delivery(key, group) for key, group in enumerate(groups, start=1)])
    return waiting


def keys(deliveries: list[Delivery]) -> list[int]:
    """Return the keys."""
    return [one.key for one in deliveries]


def test_one_message_of_a_group_is_in_hand_at_a_time() -> None:
    """The next one starts when the first is through, whatever other groups do."""
    waiting = waiting_for("AABA")
    first, of_b = waiting.take(9)
    assert keys([first, of_b]) == [1, 3]
    assert waiting.take(9) == []
    assert waiting.finished(first, AttemptResult.PROCESSED) == []
    assert keys(waiting.take(9)) == [2]


@pytest.mark.parametrize("result", STAYS, ids=str)
def test_the_followers_of_a_message_that_stays_go_back_in_order(
    result: AttemptResult | None,
) -> None:
    """Other groups are not touched, and the group starts again with its next receive."""
    waiting = waiting_for("ABAA")
    first, _ = waiting.take(2)
    assert keys(waiting.finished(first, result)) == [3, 4]
    assert len(waiting) == 0
    waiting.add([delivery(5, "A")])
    assert keys(waiting.take(9)) == [5]


@pytest.mark.parametrize("result", sorted(THROUGH), ids=str)
def test_a_group_goes_on_when_its_message_is_through(result: AttemptResult) -> None:
    """A rejected message is with the dead letters, so it never comes again."""
    waiting = waiting_for("AA")
    [first] = waiting.take(9)
    assert waiting.finished(first, result) == []
    assert keys(waiting.take(9)) == [2]


def test_groups_of_a_standard_queue_keep_no_order() -> None:
    """There a group is a tenant of a fair queue: nothing waits, nothing goes back."""
    waiting = waiting_for("AAA", fifo=False)
    first, second = waiting.take(2)
    assert waiting.finished(first, AttemptResult.FAILED) == []
    assert waiting.finished(second, AttemptResult.PROCESSED) == []
    assert keys(waiting.take(9)) == [3]


def test_a_batch_may_hold_several_messages_of_a_group_in_order() -> None:
    """What follows the first message of a group comes with it, as far as there is room."""
    waiting = waiting_for("ABAAB")
    assert keys(waiting.take(4, batch=True)) == [1, 2, 3, 4]
    assert waiting.take(4, batch=True) == []


def test_a_failure_in_a_batch_ends_its_group_whatever_the_others_say() -> None:
    """Of A1 B2 A3 A4 with A3 failed, A1 and B2 are done, and A4 goes back with what waits."""
    waiting = waiting_for("ABAAA")
    first, of_b, third, fourth = waiting.take(4, batch=True)
    assert waiting.finished(first, AttemptResult.PROCESSED) == []
    assert waiting.finished(of_b, AttemptResult.PROCESSED) == []
    assert keys(waiting.finished(third, AttemptResult.FAILED)) == [4, 5]
    assert not waiting.in_hand(fourth)
    assert waiting.finished(fourth, AttemptResult.PROCESSED) == []
    waiting.add([delivery(6, "A")])
    assert keys(waiting.take(9)) == [6]


def test_what_was_not_begun_waits_again_before_its_group() -> None:
    """A process that dies gives its other messages back to the line, not to the queue."""
    waiting = waiting_for("AB")
    waiting.put_back(waiting.take(1))
    assert keys(waiting.take(9)) == [1, 2]


def test_withdrawing_keeps_the_first_ones_of_all_groups() -> None:
    """What a stop leaves for a handler is still in order, and is still one per group."""
    waiting = waiting_for("AABB")
    [first] = waiting.take(1)
    assert keys(waiting.withdraw(2)) == [4]
    assert keys(waiting.take(9)) == [3]
    assert waiting.finished(first, AttemptResult.PROCESSED) == []
    assert keys(waiting.take(9)) == [2]


class ConsumerOfAFifoQueue(RuleBasedStateMachine):
    """A FIFO queue as SQS documents it, and a consumer that lets `Waiting` choose.

    `queued` and `held` have the numbers of each group's messages: in the queue, with the consumer.
    The lowest number of a group that is in neither is through.
    """

    def __init__(self) -> None:
        """Start with an empty queue of three groups."""
        super().__init__()
        self.waiting = create_waiting(fifo=True)
        self.sent = dict.fromkeys("ABC", 0)
        self.through: dict[str, list[int]] = {group: [] for group in "ABC"}
        self.queued: dict[str, list[int]] = {group: [] for group in "ABC"}
        self.held: dict[int, tuple[str, int]] = {}  # by key: group and number
        self.running: dict[int, tuple[Delivery, bool]] = {}  # by key, and whether in a batch
        self.key = 0

    @rule(group=st.sampled_from("ABC"), count=st.integers(1, 4))
    def send(self, group: str, count: int) -> None:
        """Send messages of a group."""
        for _ in range(count):
            self.sent[group] += 1
            self.queued[group].append(self.sent[group])

    @rule(limit=st.integers(1, 10))
    def receive(self, limit: int) -> None:
        """Receive: as much of a group as possible, nothing of one that is in flight."""
        deliveries: list[Delivery] = []
        for group in "ABC":
            if group in {held for held, _ in self.held.values()}:
                continue
            while self.queued[group] and len(deliveries) < limit:
                self.key += 1
                self.held[self.key] = (group, self.queued[group].pop(0))
                deliveries.append(delivery(self.key, group))
        self.waiting.add(deliveries)

    @rule(limit=st.integers(1, 5), batch=st.booleans())
    def take(self, limit: int, *, batch: bool) -> None:
        """Give messages to handlers: only what comes next in its group."""
        taken = self.waiting.take(limit, batch=batch)
        assert len(taken) <= limit
        for one in taken:
            group, number = self.held[one.key]
            before = [n for k, (g, n) in self.held.items() if k in self.running and g == group]
            assert batch or not before
            assert number == len(self.through[group]) + len(before) + 1
            self.running[one.key] = (one, batch)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), result=st.sampled_from([*AttemptResult, None]))
    def finish(self, data: st.DataObject, result: AttemptResult | None) -> None:
        """End the first message of a group in hand; what goes back is the rest of the group."""
        firsts: dict[str, int] = {}
        for key in sorted(self.running):
            firsts.setdefault(self.held[key][0], key)
        key = data.draw(st.sampled_from(sorted(firsts.values())))
        one, _ = self.running.pop(key)
        group, number = self.held.pop(key)
        assert self.waiting.in_hand(one)
        returned = self.waiting.finished(one, result)
        if result in THROUGH:
            assert returned == []
            self.through[group].append(number)
            return
        assert keys(returned) == sorted(k for k, (g, _) in self.held.items() if g == group)
        numbers = [number, *(self.held.pop(follower.key)[1] for follower in returned)]
        self.queued[group] = numbers + self.queued[group]
        for follower in returned:
            self.running.pop(follower.key, None)
            assert not self.waiting.in_hand(follower)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """End a process that had begun none of these: they wait again."""
        group = self.held[data.draw(st.sampled_from(sorted(self.running)))][0]
        lost = [one for key, (one, _) in self.running.items() if self.held[key][0] == group]
        self.waiting.put_back(lost)
        for one in lost:
            del self.running[one.key]

    @rule(keep=st.integers(0, 6))
    def withdraw(self, keep: int) -> None:
        """Return all but the first that wait, as a stop does."""
        before = sorted(set(self.held) - set(self.running))
        withdrawn = keys(self.waiting.withdraw(keep))
        assert withdrawn == before[keep:]
        for key in reversed(withdrawn):
            group, number = self.held.pop(key)
            self.queued[group].insert(0, number)

    @invariant()
    def nothing_is_lost_or_there_twice(self) -> None:
        """Each message is through, with the consumer or in the queue, and in its order."""
        assert len(self.waiting) == len(self.held) - len(self.running)
        for group in "ABC":
            held = [number for _, (g, number) in sorted(self.held.items()) if g == group]
            assert self.through[group] + held + self.queued[group] == list(
                range(1, self.sent[group] + 1)
            )


TestConsumerOfAFifoQueue = ConsumerOfAFifoQueue.TestCase
TestConsumerOfAFifoQueue.settings = settings(
    max_examples=300, stateful_step_count=40, deadline=None
)
