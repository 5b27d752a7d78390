"""The simulated FIFO queue: groups in their order, each held back while it is in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tidemill.simulator.queues.fifo_queue import FifoQueue
from tidemill.simulator.queues.message_ages import MessageAges
from tidemill.simulator.queues.queue_attributes import QueueAttributes

if TYPE_CHECKING:
    from tidemill.simulator.queues.queued_message import QueuedMessage

DAY = 86_400.0


def a_queue(groups: str, max_receives: int | None = 3, retention: float = 4 * DAY) -> FifoQueue:
    """Return a queue with a message a second from 0 on, of these groups: "AAB" has two of A."""
    attributes = QueueAttributes(max_receives, 30, retention)
    numbers = iter([ord(group) for group in groups])
    queue = FifoQueue(map(float, range(len(groups))), 0.0, None, attributes, lambda: next(numbers))
    queue.advance(float(len(groups)))
    return queue


def names(messages: list[QueuedMessage]) -> str:
    """Return groups and numbers of messages: A0 B2."""
    return " ".join(f"{chr(one.group)}{one.number}" for one in messages)


def test_a_receive_takes_all_that_it_can_of_the_oldest_group() -> None:
    """Then it takes those of the group whose next message is the oldest."""
    queue = a_queue("ABAABC")
    assert names(queue.receive(9.0, 5)) == "A0 A2 A3 B1 B4"
    assert (queue.visible(), queue.in_flight, queue.receivable()) == (1, 5, True)


def test_a_group_in_flight_is_held_back() -> None:
    """Its other messages are visible, and not received until the last one is deleted."""
    queue = a_queue("AAAB")
    first, second = queue.receive(9.0, 2)
    assert names(queue.receive(9.0, 10)) == "B3"
    queue.delete(10.0, first)
    assert (queue.visible(), queue.receivable(), queue.receive(10.0, 10)) == (1, False, [])
    queue.delete(11.0, second)
    assert names(queue.receive(11.0, 10)) == "A2"


def test_a_returned_message_keeps_its_place() -> None:
    """One that failed is received again before those that followed it and returned earlier."""
    queue = a_queue("AAA")
    failed, *followers = queue.receive(9.0, 3)
    queue.return_messages(9.0, followers)
    assert queue.receive(10.0, 10) == []
    queue.return_messages(40.0, [failed])
    assert names(queue.receive(40.0, 10)) == "A0 A1 A2"


def test_a_dead_letter_lets_its_group_go_on() -> None:
    """The next message of the group is received in its place."""
    queue = a_queue("AA", max_receives=1)
    queue.return_messages(9.0, queue.receive(9.0, 1))
    assert names(queue.receive(9.0, 1)) == "A1"
    assert queue.counts.dead == 1


def test_old_messages_expire_wherever_they_wait() -> None:
    """Those of groups that are in flight expire within an hour, others at their receive, too."""
    queue = a_queue("AAB", retention=3600.0)
    queue.receive(9.0, 1)
    queue.advance(2 * DAY)
    assert (queue.visible(), queue.counts.expired, queue.in_flight) == (0, 2, 1)
    late = a_queue("A", retention=60.0)
    assert (late.receive(90.0, 10), late.counts.expired) == ([], 1)


def test_every_message_that_is_not_deleted_has_an_age() -> None:
    """A FIFO queue has no back to which a message moves after three receives."""
    queue = a_queue("AB", max_receives=None)
    queue.ages = MessageAges()
    for number in range(len("AB")):
        queue.ages.add(float(number))
    for now in (10.0, 11.0, 12.0, 13.0):
        queue.return_messages(now, queue.receive(now, 1))
    assert queue.oldest_age(20.0) == 20
    (first,) = queue.receive(20.0, 1)
    queue.delete(21.0, first)
    assert queue.oldest_age(21.0) == 20


@given(
    st.text("ABC", min_size=1, max_size=12),
    st.lists(st.tuples(st.sampled_from(["receive", "delete", "return"]), st.integers(1, 5))),
)
def test_a_receive_never_passes_over_an_older_message_of_its_group(
    groups: str, steps: list[tuple[str, int]]
) -> None:
    """Whatever was received, deleted and returned before, those of a group come in their order."""
    queue, held, now = a_queue(groups, max_receives=None), list["QueuedMessage"](), 20.0
    left = {group: [at for at, one in enumerate(groups) if one == group] for group in set(groups)}
    for act, count in steps:
        now += 1
        if act == "receive":
            taken = queue.receive(now, count)
            for group, numbers in left.items():
                mine = [one.number for one in taken if chr(one.group) == group]
                assert mine == numbers[: len(mine)]
            held += taken
            continue
        for message in held[:count]:
            if act == "return":
                queue.return_messages(now, [message])
            else:
                queue.delete(now, message)
                left[chr(message.group)].remove(message.number)
        held = held[count:]
        assert queue.left_over() == sum(map(len, left.values()))
