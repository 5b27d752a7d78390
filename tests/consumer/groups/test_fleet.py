"""What a failing message costs its followers, for one consumer and for fleets, in virtual time."""

from __future__ import annotations

import pytest
from support.fakes.consuming import START, FakeClock
from support.fakes.fifo_queue import FifoQueue

from consumer.attempt import AttemptResult
from consumer.delivery import Delivery
from consumer.groups.message_groups import MessageGroups
from consumer.retry import RetryDelays
from consumer.waiting import create_waiting

ATTEMPTS = 5
FOLLOWERS = [f"A{number}" for number in range(2, 11)]


class Worker:
    """A consumer that polls without a rest; its handler takes no time."""

    def __init__(self, queue: FifoQueue, clock: FakeClock, poison: set[str]) -> None:
        """Fail for the messages that are `poison`."""
        self.handled: list[str] = []
        self._queue = queue
        self._poison = poison
        self._waiting = create_waiting(fifo=True)
        self._groups = MessageGroups(clock, fifo=True, poll_wait=0)
        self._delays = RetryDelays(30, 900)
        self._key = 0

    def poll(self) -> None:
        """Receive once and handle what may be handled."""
        for message in self._queue.receive(self._groups.limit(10), 120):
            self._key += 1
            self._waiting.add([Delivery(self._key, message, START, "{}")])
        while taken := self._waiting.take(1):
            self._handle(taken[0])

    def _handle(self, delivery: Delivery) -> None:
        name = delivery.received.message_id
        if name not in self._poison:
            self.handled.append(name)
            self._groups.through([delivery])
            self._queue.delete(name)
            self._waiting.finished(delivery, AttemptResult.PROCESSED)
            return
        delay = self._delays.after(delivery.received.receive_count, invalid=False)
        self._groups.failed(delivery, delay)
        self._queue.hide(name, delay)
        for follower in self._waiting.finished(delivery, AttemptResult.FAILED):
            self._queue.hide(follower.received.message_id, self._groups.hidden(follower))


def run(workers: int, poison: set[str], *, whole_groups: bool) -> tuple[FifoQueue, list[str]]:
    """Let workers poll in turn, each once a second, until the queue is empty."""
    clock = FakeClock()
    queue = FifoQueue(clock, ATTEMPTS, whole_groups)
    queue.send(["A1", *FOLLOWERS])
    fleet = [Worker(queue, clock, poison) for _ in range(workers)]
    for _ in range(4 * 3600):
        for worker in fleet[int(clock.monotonic()) % workers :] + fleet:
            worker.poll()
        clock.sleep(1)
        if not queue.messages:
            break
    return queue, [name for worker in fleet for name in worker.handled]


def lost(queue: FifoQueue, poison: set[str]) -> int:
    """Return the most receives that a good message got beyond the one with its attempt."""
    return max(queue.receives[name] - 1 for name in {"A1", *FOLLOWERS} - poison)


@pytest.mark.parametrize("whole_groups", [True, False], ids=["group-blocked", "rest-blocked"])
def test_one_consumer_costs_each_follower_one_receive(*, whole_groups: bool) -> None:
    """With the first attempt; then receives are of one message until the group gets through."""
    queue, handled = run(1, {"A1"}, whole_groups=whole_groups)
    assert queue.dead == ["A1"]
    assert handled == FOLLOWERS
    assert lost(queue, {"A1"}) == 1


@pytest.mark.parametrize("whole_groups", [True, False], ids=["group-blocked", "rest-blocked"])
@pytest.mark.parametrize("workers", [2, 3, 4])
def test_a_fleet_costs_each_follower_no_more_receives_than_it_has_consumers(
    workers: int, *, whole_groups: bool
) -> None:
    """Each consumer has to see a failure itself."""
    queue, handled = run(workers, {"A1"}, whole_groups=whole_groups)
    assert queue.dead == ["A1"]
    assert sorted(handled) == sorted(FOLLOWERS)
    assert lost(queue, {"A1"}) <= workers


@pytest.mark.parametrize("workers", [5, 6, 8])
def test_hidden_followers_halve_what_a_large_fleet_costs(workers: int) -> None:
    """Where SQS returns a message before hidden ones, every other attempt is without followers."""
    queue, handled = run(workers, {"A1"}, whole_groups=False)
    assert queue.dead == ["A1"]
    assert sorted(handled) == sorted(FOLLOWERS)
    assert lost(queue, {"A1"}) <= (ATTEMPTS + 1) // 2


def test_several_poison_messages_do_not_take_good_ones_along() -> None:
    """A1 to A3 fail, and A6: each is dead-lettered alone."""
    poison = {"A1", "A2", "A3", "A6"}
    queue, handled = run(1, poison, whole_groups=True)
    assert set(queue.dead) == poison
    assert handled == [name for name in FOLLOWERS if name not in poison]
    assert lost(queue, poison) <= 2
