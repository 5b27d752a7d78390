"""Loop runner: takes the core's turns over a simulated queue and its instances."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemill.scaling.alarms.window import evaluation_interval
from tidemill.scaling.driver import carry_out
from tidemill.scaling.group.lifecycle import PREPARED, RETAINED
from tidemill.scaling.loop import Observation, turn
from tidemill.scaling.metrics.queue import ACTIVE_SECONDS, PERIOD, QueueSample, observe

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.scaling.facts import Fact
    from tidemill.scaling.loop import LoopMemory
    from tidemill.scaling.spec import Fleet
    from tidemill.simulator.instances.simulated_instances import SimulatedInstances
    from tidemill.simulator.pacing.pacing import Pacing

    FactListener = Callable[[tuple[Fact, ...]], object]
    """Receives the facts of a run, in order."""

NEVER = float("inf")
USED = QueueSample(0, 0, accessed=True)


class LoopRunner:
    """A runner of the core's loop in virtual time.

    A turn may be due at the end of a metric's period, at an evaluation of alarms, at a report of an
    instance, at the deadline of a lifecycle hook, at a scheduled action, and at the begin and end
    of a fault of metrics or alarms. A pacing leaves out the turns that would change nothing.

    Attributes:
        memory: the core's memory after the last turn.
        turns: the number of turns so far.
        oldest_age: the greatest age of the oldest visible message so far, in seconds.
    """

    def __init__(
        self,
        fleet: Fleet,
        instances: SimulatedInstances,
        pacing: Pacing,
        listener: FactListener | None,
        memory: LoopMemory,
    ) -> None:
        """Run a stack that has just been created.

        Args:
            fleet: the template's fleet.
            instances: the simulated instances, with their queue.
            pacing: decides which turns are taken.
            listener: receives the facts; None if they are not needed.
            memory: the core's memory of the new stack; the run starts at its time, a whole minute.
        """
        self.memory = memory
        start = memory.at
        self.turns = 0
        self.oldest_age = 0.0
        # These change every minute; the core's memory gets them at the next turn.
        self._at = start
        self._activity = self.memory.activity
        self._used_at: float | None = None
        self._fleet = fleet
        self._instances = instances
        self._queue = instances.queue
        self._pacing = pacing
        self._listener = listener
        instances.now = start
        self._publishes = min(PERIOD, fleet.signal_period or PERIOD)
        self._evaluates = min([PERIOD, *(evaluation_interval(alarm) for alarm in fleet.alarms)])
        self._next_publish = start + self._publishes
        self._next_evaluate = start + fleet.alarm_lag
        self._next_deadline = NEVER
        self._next_extra = start + pacing.turn_every

    def at_rest(self) -> bool:
        """Return whether the group has at most its minimum, and others only warm or retained."""
        group = self.memory.group
        wanted = group.wanted()
        staying = len(wanted) + sum(one.state in PREPARED | RETAINED for one in group.instances)
        return len(wanted) <= group.limits(self._fleet.group)[0] and staying == len(group.instances)

    def next_tick(self) -> float:
        """Return when a turn may be due next."""
        return min(self._next_publish, self._next_evaluate, self._next_deadline, self._next_extra)

    def tick(self, now: float) -> None:
        """Publish the metrics and take the turn that are due now."""
        if now == self._next_extra:
            self._next_extra += self._pacing.turn_every
        if now == self._next_publish and self._publish(now):
            return
        if now == self._next_evaluate:
            self._next_evaluate += self._evaluates
            if self._pacing.can_skip(self.memory, now):
                self._at = now
                return
        self.take_turn(now)

    def take_turn(self, now: float) -> None:
        """Take a turn of the core, with the events that instances have reported."""
        self.turns += 1
        if now == self._next_publish:
            self._publish(now)
        sample = self._look(now)
        self._update_activity()
        memory = replace(
            self.memory,
            at=self._at,
            activity=self._activity,
            metrics=self._pacing.metrics(self.memory.metrics, self._at, now),
        )
        observation = Observation(sample, tuple(self._instances.events()))
        taken = turn(self._fleet, memory, observation, now)
        self.memory = taken.memory
        self._at, self._activity = now, taken.memory.activity
        self._instances.now = now
        carry_out(taken, self._instances)
        holds = (one.hook_until for one in self.memory.group.instances)
        changes = (*holds, *self.memory.due, self.memory.faults.next_change())
        self._next_deadline = min(at for at in changes if at is not None)
        self._pacing.after_turn(self.memory)
        if taken.facts:
            self.report(taken.facts)

    def report(self, facts: tuple[Fact, ...]) -> None:
        """Pass facts on to the listener."""
        if self._listener is not None:
            self._listener(facts)

    def _publish(self, now: float) -> bool:
        """Publish the metrics of the period that ends now; return whether no turn is needed."""
        self._next_publish += self._publishes
        sample = self._look(now)
        self._instances.count_held(self._publishes)
        self.oldest_age = max(self.oldest_age, now - self._queue.oldest())
        if not self._pacing.publish(self.memory.group, self._activity, sample, now):
            return False
        self._at = now
        if self._listener is not None:
            self._listener(self._pacing.published(sample, now))
        return True

    def _look(self, now: float) -> QueueSample:
        """Advance the queue to now; return a sample of it, and record when it was accessed."""
        queue = self._queue
        if self._instances.is_polled():
            queue.touch(now)
        queue.advance(now)
        sample = QueueSample(queue.visible(), queue.in_flight, oldest_age=queue.oldest_age(now))
        if sample.visible or sample.in_flight:
            queue.touch(now)
        if queue.last_access > 0:
            if queue.first_access > self._activity.active_until:
                self._update_activity()
                if queue.first_access > self._activity.active_until:
                    self._activity = observe(self._activity, USED, queue.first_access)
            self._used_at = queue.last_access
            if self._activity.active_until - self._used_at < ACTIVE_SECONDS / 2:
                self._update_activity()
            queue.first_access, queue.last_access = NEVER, -NEVER
        if now > self._activity.active_until:
            self._update_activity()
        return sample

    def _update_activity(self) -> None:
        """Update the queue's activity; between turns only its last access matters."""
        if self._used_at is not None:
            self._activity = observe(self._activity, USED, self._used_at)
            self._used_at = None
