"""Messages that consumers give back: at once, after a delay, or when their visibility ends."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from consumer.retry import RetryDelays
from tidemill.simulator.instances.agenda import NO_INSTANCE
from tidemill.simulator.queues.queued_message import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tidemill.simulator.instances.agenda import Agenda
    from tidemill.simulator.instances.instance import SimulatedInstance
    from tidemill.simulator.queues.queued_message import QueuedMessage
    from tidemill.simulator.queues.work_queue import WorkQueue
    from tidemill.simulator.worker_settings import WorkerSettings


class Returns:
    """The returns of all consumers.

    Attributes:
        retries: messages that stay hidden until their delay after a failed attempt is over.
    """

    def __init__(
        self,
        queue: WorkQueue,
        agenda: Agenda,
        worker: WorkerSettings,
        on_visible: Callable[[float], None],
    ) -> None:
        """Begin without a message.

        Args:
            queue: the queue to which messages return.
            agenda: the agenda for the ends of their delays.
            worker: the consumers' settings.
            on_visible: called with the time when messages have become visible.
        """
        self.retries = 0
        self._queue = queue
        self._agenda = agenda
        self._delays = RetryDelays(worker.retry_delay, worker.retry_delay_max)
        self._on_visible = on_visible

    def untouched(self, now: float, messages: Sequence[QueuedMessage]) -> None:
        """Return messages at once that no handler has had."""
        self._queue.counts.returned += len(messages)
        self._return(now, messages, Cause.RETURNED)

    def cut_off(self, now: float, messages: Sequence[QueuedMessage]) -> None:
        """Return messages at once that were still in work."""
        self._return(now, messages, Cause.CUT_OFF)

    def hidden(self, now: float, messages: Sequence[QueuedMessage]) -> None:
        """Leave messages of a consumer that ended to their visibility timeout.

        The heartbeat renews the timeout at every half of it. Example: with a timeout of 30 s, a
        message is received at 0 and its consumer ends at 40. The last renewal is at 30, so the
        message is visible again at 30 + 30 = 60.
        """
        timeout = self._queue.attributes.visibility_timeout
        half = timeout / 2
        for message in messages:
            message.cause = Cause.CUT_OFF
            renewals = (now - message.received_at) // half if half else 0
            self._later(message, message.received_at + renewals * half + timeout)

    def failed(self, now: float, message: QueuedMessage, cause: Cause) -> int:
        """Return a message after a failed attempt; return the seconds for which it is hidden."""
        message.cause = cause
        self._queue.counts.failures[cause] += 1
        delay = self._delays.after(message.receives, invalid=cause is Cause.INVALID)
        if delay:
            self.retries += 1
            self._later(message, now + delay, retries=1)
        else:
            self._queue.return_messages(now, [message])
        return delay

    def following(self, now: float, messages: Sequence[QueuedMessage]) -> None:
        """Return messages untouched that follow a failed one, and wait behind it in the queue."""
        for message in messages:
            message.cause = Cause.RETURNED
        self._queue.counts.returned += len(messages)
        self._queue.return_messages(now, messages)

    def _return(self, now: float, messages: Sequence[QueuedMessage], cause: Cause) -> None:
        if messages:
            for message in messages:
                message.cause = cause
            self._queue.return_messages(now, messages)
            self._on_visible(now)

    def _later(self, message: QueuedMessage, at: float, retries: int = 0) -> None:
        """Keep a message in flight until `at`, when it becomes visible again."""
        self._agenda.plan(at, partial(self._become_visible, message, retries), NO_INSTANCE)

    def _become_visible(
        self, message: QueuedMessage, retries: int, _: SimulatedInstance, now: float
    ) -> None:
        self.retries -= retries
        self._queue.return_messages(now, [message])
        self._on_visible(now)
