"""Consumers on simulated instances: they poll, handle and acknowledge messages, and stop."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from shared.quotas import MAX_BATCH
from tidemill.scaling.loop import HookCompleted
from tidemill.simulator.instances.hand import Hand
from tidemill.simulator.instances.instance import ConsumerState
from tidemill.simulator.instances.returns import Returns
from tidemill.simulator.instances.rhythm_table import RhythmTable
from tidemill.simulator.queues.queued_message import Cause

if TYPE_CHECKING:
    from tidemill.simulator.instances.agenda import Agenda
    from tidemill.simulator.instances.handling import Attempts
    from tidemill.simulator.instances.instance import SimulatedInstance
    from tidemill.simulator.queues.queued_message import QueuedMessage
    from tidemill.simulator.queues.work_queue import WorkQueue
    from tidemill.simulator.time_draws import TimeDraws
    from tidemill.simulator.worker_settings import WorkerSettings

COLLECTING: Final = 0.2
"""Seconds for which processed messages are collected into one request to delete them. Here each is
deleted when its handler ends, and those of the next 0.2 s share its request, up to ten."""


class Consumers:
    """The consumers of all instances, which follow the rules of consumer.cycle and .capacity.

    Attributes:
        polling: instances whose consumer waits in a long poll, in the order of their waits' starts.
        returns: the messages that they give back.
    """

    def __init__(
        self,
        queue: WorkQueue,
        agenda: Agenda,
        worker: WorkerSettings,
        times: TimeDraws,
        attempts: Attempts,
    ) -> None:
        """Begin without a consumer.

        Args:
            queue: the queue that all of them poll.
            agenda: the agenda for their next steps.
            worker: their settings.
            times: draws AWS's times.
            attempts: draws how long attempts take and how they end.
        """
        self.polling: deque[SimulatedInstance] = deque()
        self.returns = Returns(queue, agenda, worker, self.receive_arrivals)
        self._queue = queue
        self._agenda = agenda
        self._worker = worker
        self._request = times.request
        self._flush = times.flush
        self._attempts = attempts
        self._instant = attempts.always_processed and queue.all_valid and not queue.in_order
        self._steps = RhythmTable(worker.rhythm)

    def start(self, instance: SimulatedInstance, now: float) -> None:
        """Start the consumer of an instance that has booted, unless it was stopped before that."""
        if instance.state is ConsumerState.BOOTING:
            instance.taken, _rest, instance.limit, instance.wait = self._steps.first
            instance.hand = Hand(self._worker, in_order=self._queue.in_order)
            self._receive(instance, now)

    def stop(self, instance: SimulatedInstance, now: float) -> None:
        """Stop a consumer as SIGTERM does.

        It receives no more, but a long poll under way ends first. It handles what it can finish
        within the drain's time and returns the surplus at once; what still runs at the end of this
        time is returned then.
        """
        if instance.state is ConsumerState.ENDED or instance.stopping:
            return
        instance.stopping = True
        instance.stops_by = now + self._worker.drain
        if instance.hand is not None:
            self._agenda.plan(instance.stops_by, self._give_up, instance)
            self._return_surplus(instance, now)
        if instance.state is not ConsumerState.POLLING:
            instance.state = ConsumerState.HOLDING
            instance.step += 1
            self._continue(instance, now)

    def end(self, instance: SimulatedInstance, now: float) -> None:
        """End a consumer at once; its messages become visible after their visibility timeout."""
        if instance.state is ConsumerState.POLLING and instance in self.polling:
            self.polling.remove(instance)
        instance.state = ConsumerState.ENDED
        instance.step += 1
        if instance.hand:
            working, waiting = instance.hand.clear()
            instance.cut_off += len(working) + len(waiting)
            self.returns.hidden(now, working + waiting)

    def receive_arrivals(self, now: float) -> None:
        """Let the consumers in a long poll receive visible messages, the longest wait first."""
        queue = self._queue
        queue.advance(now)
        while self.polling and queue.receivable():
            instance = self.polling.popleft()
            instance.step += 1
            if not instance.stopping:
                self._receive(instance, now)
                continue
            # The consumer was stopped during this receive: what it can finish is handled as well.
            self._take_last(instance, now)

    def report_drained(self, instance: SimulatedInstance, _: float) -> None:
        """Report to the group that the consumer has stopped, which completes the hook."""
        if instance.state is not ConsumerState.ENDED:
            instance.drained = True
            self._agenda.reports.append(HookCompleted(instance.id))

    def _receive(self, instance: SimulatedInstance, now: float) -> None:
        hand = instance.hand
        size = instance.limit
        if self._instant or hand is None:
            count = self._queue.consume(now, size)
            instance.processed += count
        else:
            size = hand.receive_size(size, self._worker.drain, now)
            if not size:
                instance.state, instance.pause = ConsumerState.HOLDING, None
                return
            messages = self._queue.receive(now, size)
            count = len(messages)
            hand.waiting.extend(messages)
        if not count and instance.wait:
            instance.state = ConsumerState.POLLING
            instance.asked = size
            instance.step += 1
            self.polling.append(instance)
            self._agenda.plan_step(now + instance.wait, self._end_poll, instance)
            return
        self._next_step(instance, now, count)

    def _take_last(self, instance: SimulatedInstance, now: float) -> None:
        """Receive what the long poll returns during which the consumer was stopped."""
        instance.state = ConsumerState.HOLDING
        if self._instant or instance.hand is None:
            instance.processed += self._queue.consume(now, instance.asked)
        else:
            instance.hand.waiting.extend(self._queue.receive(now, instance.asked))
            self._return_surplus(instance, now)
            if self._begin(instance, now):
                self.receive_arrivals(now)
        self._continue(instance, now)

    def _return_surplus(self, instance: SimulatedInstance, now: float) -> None:
        """Return at once what a stopping consumer cannot finish within its time."""
        if instance.hand:
            surplus = instance.hand.surplus(instance.stops_by - now)
            instance.cut_off += len(surplus)
            self.returns.untouched(now, surplus)

    def _end_poll(self, instance: SimulatedInstance, now: float) -> None:
        self.polling.remove(instance)
        self._queue.touch(now)
        if instance.stopping:
            instance.state = ConsumerState.HOLDING
            self._continue(instance, now)
        else:
            self._next_step(instance, now, 0)

    def _next_step(self, instance: SimulatedInstance, now: float, count: int) -> None:
        """Begin to handle what a receive returned, and plan the step after it."""
        taken, rest, limit, wait = self._steps.after(instance.taken, count)
        instance.taken, instance.limit, instance.wait = taken, limit, wait
        instance.step += 1
        pause = rest + self._request() if count else rest
        if self._instant:
            instance.state = ConsumerState.RESTING
            self._agenda.plan_step(now + pause, self._receive, instance)
            return
        given_back = self._begin(instance, now)
        if rest and instance.hand:
            instance.state, instance.pause = ConsumerState.HOLDING, pause
        else:
            instance.state = ConsumerState.RESTING
            self._agenda.plan_step(now + pause, self._receive, instance)
        if given_back:
            self.receive_arrivals(now)

    def _begin(self, instance: SimulatedInstance, now: float) -> bool:
        """Begin to handle waiting messages; return whether any was given back at once."""
        hand, given_back = instance.hand, False
        while hand is not None and (message := hand.next()) is not None:
            seconds, cause = self._attempts.next(message)
            if seconds:
                hand.run(message, now + seconds, cause)
                self._agenda.plan(now + seconds, self._finish, instance)
            else:
                given_back |= self._acknowledge(instance, now, message, cause)
        return given_back

    def _finish(self, instance: SimulatedInstance, now: float) -> None:
        """Acknowledge the messages whose handlers have ended, and begin to handle others."""
        hand, given_back = instance.hand, False
        ended = hand.ended(now) if hand is not None else None
        if hand is None or ended is None:  # its consumer gave the message up
            return
        while ended is not None:
            message, cause = ended
            seconds = self._attempts.limit if cause is Cause.TIMED_OUT else message.seconds
            hand.measure(seconds or 0.0)
            given_back |= self._acknowledge(instance, now, message, cause)
            ended = hand.ended(now)
        given_back |= self._begin(instance, now)
        self._continue(instance, now)
        if given_back:
            self.receive_arrivals(now)

    def _acknowledge(
        self, instance: SimulatedInstance, now: float, message: QueuedMessage, cause: Cause | None
    ) -> bool:
        """Delete a processed message, or return another one; return whether it is visible now."""
        message.attempts += 1
        self._queue.counts.retries += message.attempts > 1
        hand = instance.hand
        if cause is not None:
            delay = self.returns.failed(now, message, cause)
            followers = hand.followers(message, delay, now) if hand is not None else []
            if followers:
                self.returns.following(now, followers)
            return not delay
        if hand is not None:
            hand.through(message)
        instance.processed += 1
        self._queue.delete(now, message)
        instance.deletes += 1
        if now - instance.deleted_at > COLLECTING or instance.deletes > MAX_BATCH:
            instance.deleted_at, instance.deletes = now, 1
            self._queue.counts.requests += 1
        return False

    def _continue(self, instance: SimulatedInstance, now: float) -> None:
        """Take the step that waited for messages in hand, if it may be taken now."""
        if instance.state is not ConsumerState.HOLDING:
            return
        if instance.stopping:
            if not instance.hand:
                self._drain(instance, now)
        elif instance.pause is None:
            self._receive(instance, now)
        elif not instance.hand:
            instance.state = ConsumerState.RESTING
            instance.step += 1
            self._agenda.plan_step(now + instance.pause, self._receive, instance)

    def _give_up(self, instance: SimulatedInstance, now: float) -> None:
        """Return what a stopping consumer still has in hand at the end of its time."""
        if instance.state is not ConsumerState.ENDED and instance.hand:
            working, waiting = instance.hand.clear()
            instance.cut_off += len(working) + len(waiting)
            self.returns.cut_off(now, working)
            self.returns.untouched(now, waiting)
            self._continue(instance, now)

    def _drain(self, instance: SimulatedInstance, now: float) -> None:
        """Plan the end of the consumer, after it has flushed its logs."""
        instance.state = ConsumerState.RESTING
        instance.step += 1
        self._agenda.plan(now + self._flush(), self.report_drained, instance)
