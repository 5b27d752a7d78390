"""The core's loop in virtual time: a turn whenever one could change something, and only then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemill.scaling.alarms.verdict import evaluation_range
from tidemill.scaling.alarms.watching import EVALUATION_LAG, beats
from tidemill.scaling.alarms.window import evaluation_interval
from tidemill.scaling.group.lifecycle import PREPARED
from tidemill.scaling.loop import Observation, begin, turn
from tidemill.scaling.metrics.queue import ACTIVE_SECONDS, PERIOD, QueueSample, observe
from tidemill.simulator.pacing.needed_turns import Foresight, can_foresee

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.scaling.facts import Fact
    from tidemill.scaling.spec import Fleet
    from tidemill.simulator.instances.simulated_instances import SimulatedFleet
    from tidemill.simulator.queue import WorkQueue

    Listener = Callable[[tuple[Fact, ...]], object]
    """Hears the facts of a run, in their order."""

NEVER = float("inf")
USED = QueueSample(0, 0, accessed=True)


class Control:
    """Takes the loop's turns over a simulated queue and fleet.

    Turns come at the end of every period of metrics, at every moment of evaluation, when an
    instance has news, and when a hook's time is over or a scheduled action
    is due. Those of the first two kinds that foresight
    finds to change nothing are left out.
    """

    def __init__(  # noqa: PLR0913 - what the loop is between
        self,
        fleet: Fleet,
        queue: WorkQueue,
        instances: SimulatedFleet,
        *,
        start: float,
        tell: Listener | None,
        pace: float | None = None,
    ) -> None:
        """Create the stack at `start`, a whole minute; with a `pace`, leave out no turn.

        Args:
            fleet: what the template says.
            queue: the simulated queue.
            instances: the simulated instances.
            start: epoch seconds.
            tell: hears the facts, if anybody wants them.
            pace: take a turn every so many seconds besides; the facts are the same.
        """
        self.fleet = fleet
        self.memory = begin(fleet, start)
        self.turns = 0
        # What changes every minute is kept beside the core's memory until it takes a turn.
        self._at = start
        self._activity = self.memory.activity
        self._used_at: float | None = None
        self._queue = queue
        self._instances = instances
        self._tell = tell
        self._foresight = Foresight(fleet) if pace is None and can_foresee(fleet) else None
        self._publishes = min(PERIOD, fleet.signal_period or PERIOD)
        self._evaluates = min([PERIOD, *(evaluation_interval(alarm) for alarm in fleet.alarms)])
        self._next_publish = start + self._publishes
        self._next_evaluate = start + EVALUATION_LAG
        self._next_deadline = NEVER
        self._pace = pace or NEVER
        self._next_beat = start + self._pace
        self.oldest_age = 0.0

    def at_rest(self) -> bool:
        """Tell whether the group has no more instances than it must have, and none on the way."""
        group = self.memory.group
        wanted = group.wanted()
        staying = len(wanted) + sum(one.state in PREPARED for one in group.instances)
        return len(wanted) <= group.limits(self.fleet.group)[0] and staying == len(group.instances)

    def next_tick(self) -> float:
        """Return when the loop wants to look next."""
        return min(self._next_publish, self._next_evaluate, self._next_deadline, self._next_beat)

    def tick(self, now: float) -> None:
        """Do what is due now."""
        if now == self._next_beat:
            self._next_beat += self._pace
        if now == self._next_publish and self._foresight is not None:
            self._publish(self._foresight, now)
            return
        if now == self._next_evaluate:
            self._next_evaluate += self._evaluates
            if self._foresight is not None and self._foresight.nothing_changes(self.memory, now):
                self._at = now
                return
        self.take_turn(now)

    def take_turn(self, now: float) -> None:
        """Take a turn of the core's, with what instances have to tell."""
        self.turns += 1
        if now == self._next_publish:
            if self._foresight is not None:
                self._publish(self._foresight, now)
            else:
                self._next_publish += self._publishes
                self._queue.advance(now)
                self._grow_old(now)
        sample = self._look(now)
        self._keep_active()
        metrics = self.memory.metrics
        if self._foresight is not None and beats(self._at, now, PERIOD):
            # The core evaluates alarms now, which is all that it needs metrics for.
            metrics = metrics.record(self._foresight.missed(), self._reach())
        memory = replace(self.memory, at=self._at, activity=self._activity, metrics=metrics)
        observation = Observation(sample, tuple(self._instances.events()))
        taken = turn(self.fleet, memory, observation, now)
        self.memory = taken.memory
        self._at, self._activity = now, taken.memory.activity
        self._instances.now = now
        for instance in taken.stop:  # first: the group may need it again in the same turn
            self._instances.stop(instance)
        for instance in taken.launch:
            self._instances.launch(instance)
        for instance in taken.drain:
            self._instances.drain(instance)
        for instance in taken.terminate:
            self._instances.terminate(instance)
        holds = (one.hook_until for one in self.memory.group.instances)
        self._next_deadline = min(
            (at for at in (*holds, *self.memory.due) if at is not None), default=NEVER
        )
        if self._foresight is not None:
            self._foresight.learn(self.memory)
        if self._tell is not None and taken.facts:
            self._tell(taken.facts)

    def _publish(self, foresight: Foresight, now: float) -> None:
        """Note what the minute's datapoints are, as the core would in a turn."""
        self._next_publish += self._publishes
        sample = self._look(now)
        self._grow_old(now)
        self._at = now
        foresight.publish(self.memory.group, self._activity, sample, now)
        if self._tell is not None:
            self._tell(foresight.sampled(sample, now))

    def _look(self, now: float) -> QueueSample:
        """Let the queue go on to now; return it, active from its first use to its last."""
        queue = self._queue
        if self._instances.polled():
            queue.touch(now)
        queue.advance(now)
        sample = QueueSample(queue.visible(), queue.in_flight)
        if sample.visible or sample.in_flight:
            queue.touch(now)
        if queue.last_access > 0:
            if queue.first_access > self._activity.active_until:
                self._keep_active()
                if queue.first_access > self._activity.active_until:
                    self._activity = observe(self._activity, USED, queue.first_access)
            self._used_at = queue.last_access
            if self._activity.active_until - self._used_at < ACTIVE_SECONDS / 2:
                self._keep_active()
            queue.first_access, queue.last_access = NEVER, -NEVER
        if now > self._activity.active_until:
            self._keep_active()
        return sample

    def _keep_active(self) -> None:
        """Bring the queue's activity up to date; in between it is enough to know the last use."""
        if self._used_at is not None:
            self._activity = observe(self._activity, USED, self._used_at)
            self._used_at = None

    def _grow_old(self, now: float) -> None:
        self.oldest_age = max(self.oldest_age, now - self._queue.oldest())

    def _reach(self) -> float:
        longest = max(
            (evaluation_range(alarm.evaluation_periods) for alarm in self.fleet.alarms), default=0
        )
        return (longest + 2) * PERIOD
