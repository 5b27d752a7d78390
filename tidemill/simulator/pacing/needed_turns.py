"""Tells whether a minute can change anything in the loop, so that most turns need not be taken."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from tidemill.scaling.alarms.queries import compile_queries
from tidemill.scaling.alarms.verdict import breaches, evaluation_range, judge
from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.alarms.window import evaluation_interval
from tidemill.scaling.facts import CapacitySampled, QueueSampled
from tidemill.scaling.group.capacity import capacity_of
from tidemill.scaling.group.metrics import NAMESPACE, group_datapoints
from tidemill.scaling.metric_math.values import Frame
from tidemill.scaling.metrics.queue import PERIOD, queue_datapoints
from tidemill.scaling.metrics.store import Datapoint, MetricStore
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.policies.dispatch import warmup
from tidemill.scaling.policies.step import find_step
from tidemill.scaling.spec import AlarmState, StepScalingPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.loop import Memory
    from tidemill.scaling.metrics.queue import Activity, QueueSample
    from tidemill.scaling.metrics.store import Series
    from tidemill.scaling.spec import Alarm, Fleet, MetricStat, StepAdjustment

    Source = tuple[MetricStat, str | None]
    """What an alarm reads: a metric's statistic, in a unit where it asks for one."""

    Known = dict[tuple[int, int, int, bool], tuple[float | None, ...]]
    """All alarms' values by what the queue is like: visible, in flight, delayed, publishing."""

POINTWISE = {"IF", "CEIL", "FLOOR", "ABS", "AND", "OR", "NOT"}
"""Functions whose value at a moment depends on that moment alone."""

_CALLED = re.compile(r"\b([A-Z][A-Z_0-9]*)\s*\(")
_KEPT_VALUES = 50_000
NEVER = float("inf")


def can_foresee(fleet: Fleet) -> bool:
    """Tell whether every alarm looks at whole minutes, each by itself."""
    return fleet.signal_period is None and all(_is_plain(alarm) for alarm in fleet.alarms)


def _is_plain(alarm: Alarm) -> bool:
    periods = {alarm.period} | {query.stat.period for query in alarm.queries if query.stat}
    called = {name for query in alarm.queries for name in _CALLED.findall(query.expression or "")}
    return (
        periods == {PERIOD}
        and evaluation_interval(alarm) == PERIOD
        and called <= POINTWISE
        and not alarm.ignore_low_samples
    )


class _Watch:
    """One alarm: its values of the evaluation range, and the breaches among them."""

    def __init__(self, alarm: Alarm, sources: list[Source]) -> None:
        self.alarm = alarm
        self.program = compile_queries(alarm.queries, alarm.returned)
        self.fetched: list[tuple[int, int]] = []
        for slot, query in self.program.fetched:
            if query.stat is not None:
                source = (query.stat, query.unit)
                if source not in sources:
                    sources.append(source)
                self.fetched.append((slot, sources.index(source)))
        size = evaluation_range(alarm.evaluation_periods)
        self.values: deque[float | None] = deque([None] * size, maxlen=size)
        self.breaches: deque[bool | None] = deque([None] * size, maxlen=size)
        self.state = AlarmState.INSUFFICIENT_DATA
        self.runs_policies = {state: bool(alarm.policies_in(state)) for state in AlarmState}
        self.steps: dict[tuple[AlarmState, float | None], int] = {}
        self.numbers: dict[tuple[AlarmState, tuple[StepAdjustment | None, ...]], int] = {}
        self.verdicts: dict[tuple[AlarmState, tuple[bool | None, ...]], AlarmState] = {}

    def value(self, seen: list[Series]) -> float | None:
        """Return the alarm's value of one minute, given what each source was then."""
        values: list[Series | None] = [None] * self.program.slots
        for slot, source in self.fetched:
            values[slot] = seen[source]
        frame = Frame(0, PERIOD, 1, values)
        for slot, node in self.program.computed:
            values[slot] = node.run(frame)
        answer: Series = self.program.answer.run(frame)
        return answer[0]

    def add(self, value: float | None) -> None:
        self.values.append(value)
        self.breaches.append(None if value is None else breaches(self.alarm, value))

    def verdict(self) -> AlarmState:
        key = (self.state, tuple(self.breaches))
        verdict = self.verdicts.get(key)
        if verdict is None:
            verdict = self.verdicts[key] = judge(self.alarm, tuple(self.values), self.state)
        return verdict

    def step(self, fleet: Fleet) -> int | None:
        """Return which steps of its state's policies the value is in, None if they have none."""
        value = self.newest()
        known = self.steps.get((self.state, value))
        if known is None:
            policies = [fleet.policy(one) for one in self.alarm.policies_in(self.state)]
            if not all(isinstance(policy, StepScalingPolicy) for policy in policies):
                return None
            found = tuple(
                None
                if value is None
                else find_step(policy.steps, self.alarm.comparison, self.alarm.threshold, value)
                for policy in policies
                if isinstance(policy, StepScalingPolicy)
            )
            known = self.numbers.setdefault((self.state, found), len(self.numbers))
            if len(self.steps) > _KEPT_VALUES:
                self.steps.clear()
            self.steps[self.state, value] = known
        return known

    def acts(self) -> bool:
        return self.runs_policies[self.state]

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
        self._sources: list[Source] = []
        self._watches = [_Watch(alarm, self._sources) for alarm in fleet.alarms]
        self._read = {stat.metric for stat, _ in self._sources}
        self._reads_group = any(metric.namespace == NAMESPACE for metric in self._read)
        self._values: Known = {}
        self._steady: list[Series] = []
        self._known: dict[tuple[Datapoint, ...], Known] = {}
        self._group: GroupMemory | None = None
        self._group_points: tuple[Datapoint, ...] = ()
        self._capacity = CapacitySampled(0, 0, 0, 0, 0)
        self._holds: dict[tuple[object, ...], bool] = {}
        self._warmups = {
            warmup(fleet, one) for one in fleet.policies if isinstance(one, StepScalingPolicy)
        }
        longest = max((len(watch.values) for watch in self._watches), default=0)
        self._minutes: deque[tuple[float, QueueSample, Activity, tuple[Datapoint, ...]]] = deque(
            maxlen=longest + 2
        )

    def publish(
        self, group: GroupMemory, activity: Activity, sample: QueueSample, now: float
    ) -> None:
        """Take in the minute that ends now."""
        published = activity.publishes_from <= now <= activity.active_until
        if group is not self._group:
            self._know(group)
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
        """Return the datapoints that alarms read and the core lacks, and forget them."""
        points: list[Datapoint] = []
        for start, sample, activity, group in self._minutes:
            published = queue_datapoints(
                self._fleet.queue.name, activity, sample, start, start + PERIOD
            )
            points += (one for one in published if one.metric in self._read)
            points += (Datapoint(one.metric, start, one.values) for one in group)
        self._minutes.clear()
        return tuple(points)

    def nothing_changes(self, memory: Memory, now: float) -> bool:
        """Tell whether evaluating the alarms now would change neither them nor the group."""
        ringing = False
        for watch in self._watches:
            if watch.verdict() is not watch.state:
                return False
            ringing |= watch.acts()
        return not ringing or self._policies_hold(memory, now)

    def learn(self, memory: Memory) -> None:
        """Take over what the core's turn has found."""
        for watch in self._watches:
            watch.state = memory.watches[watch.alarm.logical_id].memory.state

    def _policies_hold(self, memory: Memory, now: float) -> bool:
        """Tell whether the policies that alarms trigger in their states leave all as it is."""
        fleet, group = self._fleet, memory.group
        if group is not self._group:
            self._know(group)
        ringing = [watch for watch in self._watches if watch.acts()]
        steps = tuple(watch.step(fleet) for watch in ringing)
        if None in steps:
            return False
        seen = (
            *(watch.alarm.logical_id for watch in ringing),
            *steps,
            *(capacity_of(group, seconds, now) for seconds in self._warmups),
            group.limits(fleet.group),
            tuple(group.suspended),
            tuple(memory.held.items()),
        )
        known = self._holds.get(seen)
        if known is not None:
            return known
        rings = [DueAlarm(one.alarm, one.newest(), {}, state=one.state) for one in ringing]
        decided = decide(fleet, group, memory.held, rings, now)
        holds = decided.group is group and decided.held == memory.held
        if len(self._holds) > _KEPT_VALUES:
            self._holds.clear()
        self._holds[seen] = holds
        return holds

    def _know(self, group: GroupMemory) -> None:
        """Keep what follows of a group that has changed."""
        self._group = group
        if self._reads_group:
            published = group_datapoints(self._fleet.group, group, 0)
            self._group_points = tuple(one for one in published if one.metric in self._read)
        self._values = self._known.setdefault(self._group_points, {})
        store = _store(self._group_points)
        self._steady = [store.series(stat, PERIOD, 1, unit) for stat, unit in self._sources]
        seen = capacity_of(group, 0, NEVER)
        self._capacity = CapacitySampled(
            0, seen.desired, seen.settled, seen.warming, seen.terminating
        )

    def _work_out(
        self, sample: QueueSample, activity: Activity, now: float
    ) -> tuple[float | None, ...]:
        points = queue_datapoints(self._fleet.queue.name, activity, sample, 0, now)
        seen = list(self._steady)
        store = _store(points)
        for index, (stat, unit) in enumerate(self._sources):
            if stat.metric in store.kept:
                seen[index] = store.series(stat, PERIOD, 1, unit)
        return tuple(watch.value(seen) for watch in self._watches)


def _store(points: Iterable[Datapoint]) -> MetricStore:
    """Return a store of datapoints of the first minute, one for each metric at most."""
    return MetricStore({point.metric: (point,) for point in points}, 0)
