"""What a consumer has in hand: how much it takes, and what it can still finish."""

from __future__ import annotations

from consumer.capacity import HandlingTimes
from tidemill.simulator.instances.hand import MEASURED_EACH, Hand
from tidemill.simulator.queues.queued_message import QueuedMessage
from tidemill.simulator.worker_settings import WorkerSettings

TWO = WorkerSettings(workers=2, own_handler=True, time_limit=30.0)


def a_hand(messages: int = 0, worker: WorkerSettings = TWO, *, in_order: bool = False) -> Hand:
    """Return a hand with so many messages that wait, of two groups in turn if in order."""
    hand = Hand(worker, in_order=in_order)
    hand.waiting.extend(
        QueuedMessage(float(number), group=number % 2, number=number) for number in range(messages)
    )
    return hand


def test_a_new_consumer_takes_a_message_for_each_slot() -> None:
    """Until something was measured it expects the time limit, of which a drain has room for one."""
    assert a_hand().receive_size(10, drain=30.0, now=0.0) == 2


def test_a_consumer_takes_what_it_can_finish_within_a_drain() -> None:
    """Two slots that need 5 s each finish twelve messages within 30 s; ten fit into a receive."""
    hand = a_hand()
    hand.measure(5.0)
    assert hand.receive_size(10, drain=30.0, now=0.0) == 10
    hand.waiting.extend(QueuedMessage(0.0) for _ in range(11))
    assert hand.receive_size(10, drain=30.0, now=0.0) == 0  # one more is not worth a request


def test_a_stop_keeps_what_can_be_finished() -> None:
    """With 5 s each, two slots finish four of five in 10 s, one of which runs already."""
    hand = a_hand(5)
    hand.measure(5.0)
    first = hand.next()
    assert first is not None
    hand.run(first, 5.0, None)
    assert [message.number for message in hand.surplus(10.0)] == [4]
    assert len(hand) == 4


def test_no_more_messages_run_than_there_are_slots() -> None:
    """A slot that becomes free takes the next message."""
    hand = a_hand(3)
    for end in (5.0, 4.0):
        message = hand.next()
        assert message is not None
        hand.run(message, end, None)
    assert hand.next() is None
    assert hand.ended(3.9) is None
    ended = hand.ended(4.0)
    assert ended is not None
    assert ended[0].number == 1
    third = hand.next()
    assert third is not None
    assert third.number == 2


def test_messages_of_a_group_are_handled_one_after_another() -> None:
    """With 0 of one group at work, the next ones of it wait, and another group goes on."""
    hand = a_hand(4, in_order=True)
    for number in (0, 1):
        message = hand.next()
        assert message is not None
        assert message.number == number
        hand.run(message, 9.0, None)
    assert hand.next() is None
    failed = QueuedMessage(0.0, group=0)
    assert [message.number for message in hand.followers(failed, 30.0, now=0.0)] == [2]
    assert hand.receive_size(10, drain=600.0, now=1.0) == 1  # by consumer.groups.caution


def test_the_percentile_is_computed_at_every_tenth_message() -> None:
    """After the first ten it may lag behind that of consumer.capacity by nine messages."""
    hand, exact = a_hand(), HandlingTimes(30.0)
    for number in range(1, 36):
        hand.measure(float(number))
        exact.add(float(number))
        if number <= MEASURED_EACH or number % MEASURED_EACH == 0:
            assert hand._p95 == exact.p95()
    assert hand._p95 < exact.p95()
