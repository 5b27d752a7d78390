"""Consumers on simulated instances: they poll, handle and acknowledge messages, and stop."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from consumer.retry import RetryDelays
from tidemill.scaling.loop import HookCompleted
from tidemill.simulator.instances.agenda import NO_INSTANCE
from tidemill.simulator.instances.handling import cut_short, plan
from tidemill.simulator.instances.instance import ConsumerState
from tidemill.simulator.instances.rhythm_table import RhythmTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tidemill.simulator.instances.agenda import Agenda
    from tidemill.simulator.instances.instance import SimulatedInstance
    from tidemill.simulator.queue import QueuedMessage, WorkQueue
    from tidemill.simulator.time_draws import TimeDraws
    from tidemill.simulator.worker_settings import WorkerSettings

    Draw = Callable[[], float]
    """Returns the handling time of the next message in seconds."""


class Consumers:
    """The consumers of all instances, which follow the rhythm of consumer.cycle.

    Attributes:
        polling: instances whose consumer waits in a long poll, in the order of their waits' starts.
    """

    def __init__(
        self,
        queue: WorkQueue,
        agenda: Agenda,
        worker: WorkerSettings,
        times: TimeDraws,
        draw: Draw | None,
    ) -> None:
        """Begin without a consumer.

        Args:
            queue: the queue that all of them poll.
            agenda: the agenda for their next steps.
            worker: their settings.
            times: draws AWS's times.
            draw: returns handling times; None if handling takes no time.
        """
        self.polling: deque[SimulatedInstance] = deque()
        self._queue = queue
        self._agenda = agenda
        self._worker = worker
        self._delays = RetryDelays(worker.retry_delay, worker.retry_delay_max)
        self._request = times.request
        self._flush = times.flush
        self._draw = draw
        self._instant = draw is None and queue.all_valid
        self._steps = RhythmTable(worker.rhythm)

    def start(self, instance: SimulatedInstance, now: float) -> None:
        """Start the consumer of an instance that has booted, unless it was stopped before that."""
        if instance.state is ConsumerState.BOOTING:
            instance.taken, _rest, instance.limit, instance.wait = self._steps.first
            self._receive(instance, now)

    def stop(self, instance: SimulatedInstance, now: float) -> None:
        """Stop a consumer as SIGTERM does: it finishes begun messages and returns the others.

        A long poll ends first.
        """
        if instance.state is ConsumerState.ENDED or instance.stopping:
            return
        instance.stopping = True
        if instance.state in {ConsumerState.BOOTING, ConsumerState.RESTING}:
            self._drain(instance, now)
        elif instance.state is ConsumerState.WORKING and instance.batch is not None:
            instance.batch, waiting = cut_short(instance.batch, now, self._worker.drain)
            instance.cut_off += len(waiting) + len(instance.batch.late)
            instance.step += 1
            self._queue.return_messages(now, waiting)
            self._acknowledge_when_due(instance, now)
            self.receive_arrivals(now)

    def end(self, instance: SimulatedInstance, now: float) -> None:
        """End a consumer at once; its messages become visible after their visibility timeout.

        Its heartbeat renews the timeout at every half of it. Example: with a timeout of 30 s, a
        message is received at 0 and its consumer ends at 40. The last renewal is at 30, so the
        message is visible again at 30 + 30 = 60.
        """
        if instance.state is ConsumerState.POLLING and instance in self.polling:
            self.polling.remove(instance)
        if instance.batch is not None:
            held = [message for _, group in instance.batch.groups for message in group]
            instance.cut_off += len(held)
            held += instance.batch.late
            timeout = self._queue.attributes.visibility_timeout
            half = timeout / 2
            renewals = (now - instance.received_at) // half if half else 0
            self._return_later(held, instance.received_at + renewals * half + timeout)
            instance.batch = None
        instance.state = ConsumerState.ENDED
        instance.step += 1

    def receive_arrivals(self, now: float) -> None:
        """Let the consumers in a long poll receive visible messages, the longest wait first."""
        self._queue.advance(now)
        while self.polling and self._queue.visible():
            instance = self.polling.popleft()
            instance.step += 1
            if not instance.stopping:
                self._receive(instance, now)
                continue
            # The consumer was stopped during this receive: it returns all messages at once.
            messages = self._queue.receive(now, instance.limit)
            instance.cut_off += len(messages)
            self._queue.return_messages(now, messages)
            self._drain(instance, now)

    def report_drained(self, instance: SimulatedInstance, _: float) -> None:
        """Report to the group that the consumer has stopped, which completes the hook."""
        if instance.state is not ConsumerState.ENDED:
            instance.drained = True
            self._agenda.reports.append(HookCompleted(instance.id))

    def _receive(self, instance: SimulatedInstance, now: float) -> None:
        if self._instant:
            count = self._queue.consume(now, instance.limit)
            if count:
                instance.processed += count
                self._next_step(instance, now, count)
                return
        else:
            messages = self._queue.receive(now, instance.limit)
            if messages:
                self._handle(instance, now, messages)
                return
        if instance.wait:
            instance.state = ConsumerState.POLLING
            instance.step += 1
            self.polling.append(instance)
            self._agenda.plan_step(now + instance.wait, self._end_poll, instance)
        else:
            self._next_step(instance, now, 0)

    def _end_poll(self, instance: SimulatedInstance, now: float) -> None:
        self.polling.remove(instance)
        self._queue.touch(now)
        self._next_step(instance, now, 0)

    def _next_step(self, instance: SimulatedInstance, now: float, count: int) -> None:
        """Plan the step after a receive whose `count` messages are acknowledged."""
        if instance.stopping:
            self._drain(instance, now)
            return
        taken, rest, limit, wait = self._steps.after(instance.taken, count)
        instance.taken, instance.limit, instance.wait = taken, limit, wait
        instance.state = ConsumerState.RESTING
        instance.step += 1
        pause = rest + self._request() if count else rest
        self._agenda.plan_step(now + pause, self._receive, instance)

    def _handle(
        self, instance: SimulatedInstance, now: float, messages: list[QueuedMessage]
    ) -> None:
        draw = self._draw
        durations = [0.0 if draw is None or one.poison else draw() for one in messages]
        instance.batch = plan(messages, now, durations, self._worker.concurrency)
        instance.received_at = now
        instance.state = ConsumerState.WORKING
        instance.step += 1
        self._acknowledge_when_due(instance, now)

    def _acknowledge_when_due(self, instance: SimulatedInstance, now: float) -> None:
        if instance.batch is not None and instance.batch.groups[-1][0] <= now:
            self._acknowledge(instance, now)
        elif instance.batch is not None:
            self._agenda.plan_step(instance.batch.groups[-1][0], self._acknowledge, instance)

    def _acknowledge(self, instance: SimulatedInstance, now: float) -> None:
        """Delete the next group of handled messages, and delay the invalid ones among them."""
        batch = instance.batch
        if batch is None:
            return
        _, group = batch.groups.pop()
        invalid = self._queue.acknowledge(now, group)
        instance.processed += len(group) - len(invalid)
        self._retry(invalid, now)
        if batch.groups:
            self._acknowledge_when_due(instance, now)
            return
        instance.batch = None
        self._queue.return_messages(now, batch.late)
        self._next_step(instance, now, len(batch.spans))
        self.receive_arrivals(now)

    def _retry(self, invalid: Sequence[QueuedMessage], now: float) -> None:
        for message in invalid:
            delay = self._delays.invalid(message.receives)
            if delay:
                self._return_later([message], now + delay)
            else:
                self._queue.return_messages(now, [message])

    def _return_later(self, messages: Sequence[QueuedMessage], at: float) -> None:
        """Keep messages in flight until `at`, when they become visible again."""
        self._agenda.plan(at, partial(self._become_visible, messages), NO_INSTANCE)

    def _become_visible(
        self, messages: Sequence[QueuedMessage], _: SimulatedInstance, now: float
    ) -> None:
        self._queue.return_messages(now, messages)
        self.receive_arrivals(now)

    def _drain(self, instance: SimulatedInstance, now: float) -> None:
        """Plan the end of the consumer, after it has flushed its logs."""
        instance.state = ConsumerState.RESTING
        instance.step += 1
        self._agenda.plan(now + self._flush(), self.report_drained, instance)
