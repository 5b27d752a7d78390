"""Consumers of simulated instances: polls, retries, drains and ends."""

from __future__ import annotations

from heapq import heappop

import pytest

from consumer.cycle import Rhythm
from tidemill.scaling.times.catalogue import USUAL
from tidemill.simulator.instances.agenda import Agenda
from tidemill.simulator.instances.consumers import Consumers
from tidemill.simulator.instances.handling import NO_FAILURES, Attempts, Failures
from tidemill.simulator.instances.instance import SimulatedInstance
from tidemill.simulator.queues.queue_attributes import QueueAttributes
from tidemill.simulator.queues.queued_message import Cause, MessageKind
from tidemill.simulator.queues.work_queue import WorkQueue
from tidemill.simulator.time_draws import TimeDraws
from tidemill.simulator.worker_settings import WorkerSettings

CONTINUOUS = Rhythm(messages_per_poll=10, poll_wait=0, receive_wait=20)
TIMES = USUAL.exactly({name: time.mean for name, time in USUAL.named()})


class Stage:
    """One consumer and its queue, from 0 on."""

    def __init__(
        self,
        messages: int,
        seconds: float,
        worker: WorkerSettings,
        failures: Failures = NO_FAILURES,
        kinds: list[MessageKind] | None = None,
        sent: float = 0.0,
    ) -> None:
        """Send messages of so many seconds of work, by default at the start."""
        self.queue = WorkQueue(
            iter([sent] * messages),
            0.0,
            iter(kinds) if kinds else None,
            QueueAttributes(3, 60, 1e6),
        )
        self.agenda = Agenda()
        attempts = Attempts(lambda: seconds, failures, lambda: 0.0, worker.time_limit)
        self.consumers = Consumers(self.queue, self.agenda, worker, TimeDraws(TIMES, 1), attempts)
        self.instance = SimulatedInstance("i-1")

    def run(self, until: float) -> None:
        """Let the consumer work until then."""
        events = self.agenda.events
        while events and events[0][0] <= until:
            at, _, act, instance, step = heappop(events)
            if step is None or step == instance.step:
                act(instance, at)

    @property
    def state(self) -> tuple[int, int, int]:
        """Return how many messages are processed, in flight and visible."""
        return self.queue.counts.processed, self.queue.in_flight, self.queue.visible()


def a_worker(
    slots: int = 1, rhythm: Rhythm | None = None, limit: float = 30.0, drain: float = 60.0
) -> WorkerSettings:
    """Return a worker with a handler of the user's own."""
    return WorkerSettings(
        rhythm or Rhythm(), workers=slots, own_handler=True, time_limit=limit, drain=drain
    )


def test_a_poll_takes_its_messages_in_receives_and_rests_when_all_are_done() -> None:
    """Ten messages of 4 s by two slots take 20 s; the next poll is a minute later."""
    stage = Stage(20, 4.0, a_worker(2))
    stage.consumers.start(stage.instance, 0.0)
    assert stage.state == (0, 4, 16)  # two slots, and two messages of 30 s each fit into the drain
    stage.run(20.0)
    assert stage.state == (10, 0, 10)
    stage.run(80.0)
    assert stage.state == (10, 0, 10)
    stage.run(80.1)
    assert stage.state == (10, 10, 0)


def test_without_a_pause_messages_are_received_as_soon_as_there_is_room() -> None:
    """One slot and 8 s each: a drain of 60 s finishes seven, so there are never more in hand."""
    stage = Stage(40, 8.0, a_worker(rhythm=CONTINUOUS))
    stage.consumers.start(stage.instance, 0.0)
    stage.run(160.0)
    assert stage.queue.counts.processed == 20
    assert 0 < stage.queue.in_flight <= 7


def test_each_message_is_deleted_when_it_is_done() -> None:
    """Neither its neighbours nor a poll that waits keep it; those of 0.2 s share a request."""
    stage = Stage(4, 3.0, a_worker(4, CONTINUOUS))
    stage.consumers.start(stage.instance, 0.0)
    stage.run(2.9)
    receives = stage.queue.counts.requests
    stage.run(3.0)
    assert stage.state == (4, 0, 0)
    assert stage.queue.counts.requests == receives + 1


def test_a_stop_finishes_what_it_can_and_returns_the_surplus_at_once() -> None:
    """One slot, 8 s each, 20 s for the drain: two of ten are finished, eight go back untouched."""
    stage = Stage(20, 8.0, a_worker(limit=8.0, drain=80.0))
    stage.consumers.start(stage.instance, 0.0)
    assert stage.state == (0, 10, 10)
    stage.consumers._worker = a_worker(limit=8.0, drain=20.0)
    stage.consumers.stop(stage.instance, 1.0)
    assert (stage.state, stage.queue.counts.returned) == ((0, 2, 18), 8)
    stage.run(16.0)
    assert (stage.state, stage.instance.drained) == ((2, 0, 18), False)
    stage.run(16.0 + TIMES.flush.mean)
    assert stage.instance.drained


def test_what_still_runs_at_the_end_of_a_drain_is_returned() -> None:
    """The consumer stops after the drain's time, whatever its handlers do."""
    stage = Stage(1, 25.0, a_worker(drain=20.0))
    stage.consumers.start(stage.instance, 0.0)
    stage.consumers.stop(stage.instance, 1.0)
    stage.run(20.9)
    assert stage.state == (0, 1, 0)
    stage.run(21.0 + TIMES.flush.mean)
    assert (stage.state, stage.instance.drained) == ((0, 0, 1), True)
    assert (stage.instance.cut_off, stage.queue.counts.returned) == (1, 0)


def test_a_poll_under_way_at_a_stop_is_handled_if_it_can_be_finished() -> None:
    """What it returns is in hand like all else; several consumers would only pass it on."""
    stage = Stage(9, 8.0, a_worker(rhythm=CONTINUOUS, limit=25.0), sent=5.0)
    stage.consumers.start(stage.instance, 0.0)
    stage.consumers.stop(stage.instance, 1.0)
    stage.consumers.receive_arrivals(5.0)
    stage.run(100.0)
    assert stage.queue.counts.processed == 2  # 56 s are left, enough for two of 25 s
    assert stage.instance.drained


@pytest.mark.parametrize(
    ("seconds", "failures", "kind", "cause", "attempts"),
    [
        pytest.param(2.0, NO_FAILURES, MessageKind.FAILING, Cause.FAILED, 3, id="always fails"),
        pytest.param(
            2.0, Failures(crashing=1.0), MessageKind.VALID, Cause.CRASHED, 3, id="crashes"
        ),
        pytest.param(99.0, NO_FAILURES, MessageKind.VALID, Cause.TIMED_OUT, 3, id="too slow"),
        pytest.param(2.0, NO_FAILURES, MessageKind.INVALID, Cause.INVALID, 3, id="invalid"),
    ],
)
def test_a_message_that_is_never_processed_becomes_a_dead_letter(
    seconds: float, failures: Failures, kind: MessageKind, cause: Cause, attempts: int
) -> None:
    """It has as many attempts as maxReceiveCount allows, and is counted by its last one."""
    stage = Stage(1, seconds, a_worker(rhythm=CONTINUOUS), failures, [kind])
    stage.consumers.start(stage.instance, 0.0)
    stage.run(600.0)
    counts = stage.queue.counts
    assert (counts.failures, counts.retries) == ({cause: attempts}, attempts - 1)
    assert (counts.dead_by, counts.good_dead) == ({cause: 1}, 0)


def test_a_failed_message_waits_longer_after_each_failure() -> None:
    """30 s after the first attempt and 60 s after the second one, by consumer.retry."""
    stage = Stage(1, 2.0, a_worker(rhythm=CONTINUOUS), kinds=[MessageKind.FAILING])
    stage.consumers.start(stage.instance, 0.0)
    seen = []
    for second in range(120):
        stage.run(float(second))
        seen.append(stage.queue.counts.attempts)
    assert [seen.index(number) for number in (1, 2, 3)] == [2, 2 + 30 + 2, 34 + 60 + 2]
    assert stage.consumers.returns.retries == 1


def test_messages_of_a_consumer_that_ends_are_hidden_until_their_timeout() -> None:
    """With a timeout of 60 s, renewed at every half: received at 0, ended at 40, visible at 90."""
    stage = Stage(1, 50.0, a_worker(limit=60.0))
    stage.consumers.start(stage.instance, 0.0)
    stage.consumers.end(stage.instance, 40.0)
    stage.run(89.9)
    assert stage.state == (0, 1, 0)
    stage.run(90.0)
    assert (stage.state, stage.instance.cut_off) == ((0, 0, 1), 1)
