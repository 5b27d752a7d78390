"""Tells whether a minute can change anything in the loop, so that most turns need not be taken."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from tidemill.scaling import alarm as alarms
from tidemill.scaling.alarm import AlarmState
from tidemill.scaling.decision import Ringing, decide, warmup
from tidemill.scaling.group import group_datapoints, see_capacity
from tidemill.scaling.metrics import Datapoint, MetricStore
from tidemill.scaling.policy import find_step
from tidemill.scaling.queries import compile_queries
from tidemill.scaling.queue_metrics import PERIOD, queue_datapoints
from tidemill.scaling.spec import StepScalingPolicy
from tidemill.scaling.timeline import CapacitySampled, QueueSampled
from tidemill.scaling.verdict import breaches, judge

if TYPE_CHECKING:
    from tidemill.scaling.group import GroupMemory
    from tidemill.scaling.loop import Memory
    from tidemill.scaling.queue_metrics import Activity, QueueSample
    from tidemill.scaling.spec import Alarm, Fleet
    from tidemill.scaling.timeline import Fact

POINTWISE = {"IF", "CEIL", "FLOOR", "ABS", "AND", "OR", "NOT"}
"""Functions whose value at a moment depends on that moment alone."""

_CALLED = re.compile(r"\b([A-Z][A-Z_0-9]*)\s*\(")
_KEPT_VALUES = 50_000


def can_foresee(fleet: Fleet) -> bool:
    """Tell whether every alarm looks at whole minutes, each by itself."""
    return fleet.signal_period is None and all(_is_plain(alarm) for alarm in fleet.alarms)


def _is_plain(alarm: Alarm) -> bool:
    periods = {alarm.period} | {query.stat.period for query in alarm.queries if query.stat}
    called = {name for query in alarm.queries for name in _CALLED.findall(query.expression or "")}
    return (
        periods == {PERIOD}
        and alarms.evaluation_interval(alarm) == PERIOD
        and called <= POINTWISE
        and not alarm.ignore_low_samples
    )


class _Watch:
    """One alarm: its values of the evaluation range, and the breaches among them."""

    def __init__(self, alarm: Alarm) -> None:
        self.alarm = alarm
        self.program = compile_queries(alarm.queries, alarm.returned)
        size = alarms.evaluation_range(alarm.evaluation_periods)
        self.values: deque[float | None] = deque([None] * size, maxlen=size)
        self.breaches: deque[bool | None] = deque([None] * size, maxlen=size)
        self.state = AlarmState.INSUFFICIENT_DATA
        self.verdicts: dict[tuple[AlarmState, tuple[bool | None, ...]], AlarmState] = {}

    def add(self, value: float | None) -> None:
        self.values.append(value)
        self.breaches.append(None if value is None else breaches(self.alarm, value))

    def verdict(self) -> AlarmState:
        key = (self.state, tuple(self.breaches))
        verdict = self.verdicts.get(key)
        if verdict is None:
            verdict = self.verdicts[key] = judge(self.alarm, tuple(self.values), self.state)
        return verdict

    def newest(self) -> float | None:
        return next((value for value in reversed(self.values) if value is not None), None)


class Foresight:
    """Follows a fleet's alarms minute by minute, next to the core's memory and ahead of it.

    All rules are the core's: datapoints, expressions, verdicts and decisions come from its
    functions; what is kept here is which of their answers are known already.
    """

    def __init__(self, fleet: Fleet) -> None:
        """Follow this fleet's alarms from their creation on."""
        self._fleet = fleet
        self._watches = [_Watch(alarm) for alarm in fleet.alarms]
        self._values: dict[tuple[int, int, int, bool], tuple[float | None, ...]] = {}
        self._group: GroupMemory | None = None
        self._group_points: tuple[Datapoint, ...] = ()
        self._capacity = CapacitySampled(0, 0, 0, 0, 0)
        self._no_change: set[tuple[str | int, ...]] = set()
        longest = max((len(watch.values) for watch in self._watches), default=0)
        self._minutes: deque[tuple[float, QueueSample, Activity, tuple[Datapoint, ...]]] = deque(
            maxlen=longest + 2
        )

    def publish(self, memory: Memory, sample: QueueSample, now: float) -> None:
        """Take in the minute that ends now."""
        activity = memory.activity
        published = activity.publishes_from <= now <= activity.active_until
        self._know(memory.group)
        self._minutes.append((now - PERIOD, sample, activity, self._group_points))
        key = (sample.visible, sample.in_flight, sample.delayed, published)
        values = self._values.get(key)
        if values is None:
            if len(self._values) > _KEPT_VALUES:
                self._values.clear()
            values = self._values[key] = self._work_out(sample, activity, now)
        for watch, value in zip(self._watches, values, strict=True):
            watch.add(value)

    def sampled(self, sample: QueueSample, now: float) -> tuple[Fact, Fact]:
        """Return the facts that the core states at the end of a minute."""
        known = self._capacity
        return (
            QueueSampled(now, sample.visible, sample.in_flight),
            CapacitySampled(now, known.desired, known.in_service, known.pending, known.terminating),
        )

    def missed(self) -> tuple[Datapoint, ...]:
        """Return the datapoints that the core has not been given yet, and forget them."""
        points: list[Datapoint] = []
        for start, sample, activity, group in self._minutes:
            points += queue_datapoints(
                self._fleet.queue.name, activity, sample, start, start + PERIOD
            )
            points += (Datapoint(one.metric, start, one.values) for one in group)
        self._minutes.clear()
        return tuple(points)

    def nothing_changes(self, memory: Memory, now: float) -> bool:
        """Tell whether evaluating the alarms now would change neither them nor the group."""
        ringing = False
        for watch in self._watches:
            if watch.verdict() is not watch.state:
                return False
            ringing |= watch.state is AlarmState.ALARM
        return not ringing or self._policies_hold(memory, now)

    def learn(self, memory: Memory) -> None:
        """Take over what the core's turn has found; what policies do may be another thing now."""
        self._no_change.clear()
        for watch in self._watches:
            watch.state = memory.watches[watch.alarm.logical_id].memory.state

    def _policies_hold(self, memory: Memory, now: float) -> bool:
        """Tell whether the policies of the alarms in ALARM leave all as it is."""
        fleet, group = self._fleet, memory.group
        self._know(group)
        key: list[str | int] = []
        ringing, warming = [], 0
        for watch in self._watches:
            if watch.state is not AlarmState.ALARM:
                continue
            value, alarm = watch.newest(), watch.alarm
            ringing.append(Ringing(alarm, value, {}))
            for action in alarm.actions:
                policy = fleet.policy(action)
                if not isinstance(policy, StepScalingPolicy):
                    return False
                step = None
                if value is not None:
                    step = find_step(policy.steps, alarm.comparison, alarm.threshold, value)
                warming += see_capacity(group, warmup(fleet, policy), now).warming
                key += (action, id(step))
        known = tuple(key)
        if not warming and known in self._no_change:
            return True
        decided = decide(fleet, group, memory.held, ringing, now)
        holds = decided.group is group and decided.held == memory.held
        if holds and not warming:
            self._no_change.add(known)
        return holds

    def _know(self, group: GroupMemory) -> None:
        if group is self._group:
            return
        self._group = group
        self._values.clear()
        self._group_points = tuple(group_datapoints(self._fleet.group, group, 0))
        seen = see_capacity(group, 0, float("inf"))
        self._capacity = CapacitySampled(
            0, seen.desired, seen.settled, seen.warming, seen.terminating
        )

    def _work_out(
        self, sample: QueueSample, activity: Activity, now: float
    ) -> tuple[float | None, ...]:
        points = (
            *queue_datapoints(self._fleet.queue.name, activity, sample, 0, now),
            *self._group_points,
        )
        store = MetricStore({point.metric: (point,) for point in points}, 0)
        return tuple(watch.program.run(store, PERIOD, PERIOD, 1)[0] for watch in self._watches)
