"""The age of the oldest message, as SQS publishes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from support.builders.simulations import bursts, simulated, the_template

from tidemill.scaling.facts import AlarmChanged
from tidemill.scaling.metrics.queue import AGE, queue_metric
from tidemill.scaling.spec import MetricQuery, MetricStat
from tidemill.simulator.comparison.rival_policies import rivals
from tidemill.simulator.instances.handling import HandlerTime
from tidemill.simulator.queues.message_ages import MessageAges
from tidemill.simulator.queues.queue_attributes import QueueAttributes
from tidemill.simulator.queues.work_queue import WorkQueue
from tidemill.simulator.run import START

if TYPE_CHECKING:
    from tidemill.simulator.candidate import Candidate
    from tidemill.simulator.queues.queued_message import QueuedMessage

RETENTION = 500.0
ARRIVALS = [0.0, 0.0, 30.0, 31.5, 90.0, 200.0]


def a_queue(max_receives: int | None = 9) -> WorkQueue:
    """Return a queue that follows the ages of its messages."""
    attributes = QueueAttributes(max_receives, 30, RETENTION)
    queue = WorkQueue(iter(ARRIVALS), 0.0, None, attributes)
    queue.ages = MessageAges()
    return queue


def delete(queue: WorkQueue, now: float, messages: list[QueuedMessage]) -> None:
    """Delete messages."""
    for message in messages:
        queue.delete(now, message)


def test_the_age_is_that_of_the_oldest_message_that_is_not_deleted() -> None:
    """A message in flight counts; after the last message there is no age."""
    queue = a_queue()
    queue.advance(40.0)
    assert queue.oldest_age(40.0) == 40
    first = queue.receive(41.0, 2)
    assert queue.oldest_age(60.9) == 60
    delete(queue, 61.0, first)
    assert queue.oldest_age(61.0) == 31
    delete(queue, 62.0, queue.receive(62.0, 10))
    assert queue.oldest_age(62.0) is None


def test_a_message_that_was_received_three_times_does_not_count() -> None:
    """It counts until its third receive, in flight and visible; afterwards the next one does."""
    queue = a_queue()
    queue.advance(20.0)
    ages = []
    for now in (20.0, 21.0, 22.0):
        messages = queue.receive(now, 2)
        ages.append(queue.oldest_age(now))
        queue.return_messages(now, messages)
    assert ages == [20, 21, None]
    queue.advance(40.0)
    assert queue.oldest_age(40.0) == 10


def test_a_message_whose_retention_is_over_does_not_count() -> None:
    """SQS deletes it, wherever it is."""
    queue = a_queue()
    queue.return_messages(35.0, queue.receive(35.0, 3))
    queue.advance(210.0)
    assert queue.oldest_age(529.0) == 499  # sent at 30
    assert queue.oldest_age(531.0) == 499  # sent at 31.5


def test_a_queue_without_ages_has_no_age() -> None:
    """They cost time for each message, so only a run with an alarm on them has them."""
    queue = a_queue()
    queue.ages = None
    queue.advance(40.0)
    assert queue.oldest_age(40.0) is None


class Known:
    """The messages that are not deleted: the receives of each, by their time of sending."""

    def __init__(self) -> None:
        """Begin with messages that were never received."""
        self.receives = {sent: [0] * ARRIVALS.count(sent) for sent in ARRIVALS}

    def age(self, now: float) -> int | None:
        """Return the age of the oldest message that counts."""
        counted = [
            sent
            for sent, of_each in self.receives.items()
            if sent <= now and min(of_each, default=3) < 3
        ]
        return int(now - min(counted)) if counted else None

    def receive(self, message: QueuedMessage) -> None:
        """Note one more receive."""
        self.receives[message.sent].remove(message.receives - 1)
        self.receives[message.sent].append(message.receives)

    def delete(self, message: QueuedMessage) -> None:
        """Note that a message is deleted."""
        self.receives[message.sent].remove(message.receives)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["receive", "delete", "return"]), st.integers(1, 4), st.floats(0, 40)
        ),
        max_size=40,
    )
)
def test_whatever_happens_the_age_is_that_of_a_plain_list(
    steps: list[tuple[str, int, float]],
) -> None:
    """Any order of receives, deletions and returns gives the age of the messages that count."""
    queue, known, held, now = a_queue(max_receives=None), Known(), list["QueuedMessage"](), 0.0
    for act, count, seconds in steps:
        now += seconds
        if now >= RETENTION:
            break
        queue.advance(now)
        mine, held = held[:count], held[count:] if act != "receive" else held
        if act == "receive":
            for message in queue.receive(now, count):
                known.receive(message)
                held.append(message)
        elif act == "delete":
            for message in mine:
                known.delete(message)
            delete(queue, now, mine)
        else:
            queue.return_messages(now, mine)
        assert queue.oldest_age(now) == known.age(now)


def by_age(seconds: float) -> Candidate:
    """Return a fleet with one more instance while a message is that old, one less without any."""
    one_by_one = next(one for one in rivals(the_template(), 50) if one.name == "one by one")
    fleet = one_by_one.fleet
    some, none = fleet.alarms
    metric = MetricStat(queue_metric(fleet.queue.name, AGE), 60, "Maximum")
    old = replace(some, queries=(MetricQuery("age", metric),), returned="age", threshold=seconds)
    return replace(one_by_one, fleet=replace(fleet, alarms=(old, none)))


def test_an_alarm_on_the_age_sees_how_old_a_message_is() -> None:
    """A message that was sent at 0:30 has an age of 330 s at 6:00, six seconds before the alarm."""
    _, facts = simulated(by_age(300.0), bursts((30, 1)))
    rings = [one.at - START for one in facts if isinstance(one, AlarmChanged) and one.value == 330]
    assert rings[0] == 360 + 6


def test_turns_are_left_out_as_rightly_with_an_alarm_on_the_age() -> None:
    """The age changes every minute; the facts are those of every turn."""
    scenario = bursts((30, 200), (2000, 50), poison=0.1, handler=HandlerTime(3.0, 0.5))
    swift, facts = simulated(by_age(120.0), scenario)
    slow, all_facts = simulated(by_age(120.0), scenario, turn_every=23.0)
    assert facts == all_facts
    assert swift.turns < slow.turns
