"""Pacing that leaves out the turns of the loop that would change nothing."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from tidemill.scaling.alarms.watching import DueAlarm, evaluation_is_due
from tidemill.scaling.alarms.window import evaluation_interval
from tidemill.scaling.facts import CapacitySampled, QueueSampled
from tidemill.scaling.group.capacity import capacity_of
from tidemill.scaling.group.metrics import NAMESPACE, group_datapoints
from tidemill.scaling.loop import kept_seconds
from tidemill.scaling.metrics.queue import PERIOD, queue_datapoints
from tidemill.scaling.metrics.store import Datapoint, MetricStore
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.policies.dispatch import warmup
from tidemill.scaling.spec import StepScalingPolicy
from tidemill.simulator.pacing.followed_alarm import KEPT_VALUES, FollowedAlarm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.loop import LoopMemory
    from tidemill.scaling.metrics.queue import QueueActivity, QueueSample
    from tidemill.scaling.metrics.store import Series
    from tidemill.scaling.spec import Alarm, Fleet
    from tidemill.simulator.pacing.followed_alarm import FetchedStat

    AlarmValues = dict[tuple[int, int, int, bool], tuple[float | None, ...]]
    """The values of all alarms by the queue's sample: visible, in flight, delayed, publishing."""

    Minute = tuple[float, QueueSample, QueueActivity, tuple[Datapoint, ...]]
    """A minute that was published without a turn: start, queue, activity, group metrics."""

POINTWISE = {"IF", "CEIL", "FLOOR", "ABS", "AND", "OR", "NOT"}
"""Functions with a value that depends only on the points of the same time."""

_CALLED = re.compile(r"\b([A-Z][A-Z_0-9]*)\s*\(")
NEVER = float("inf")


def can_leave_out_turns(fleet: Fleet) -> bool:
    """Return whether every alarm's value depends on single whole minutes only."""
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


class NeededTurns:
    """A pacing that follows a fleet's alarms minute by minute, and takes a turn if one changes.

    Datapoints, expressions, verdicts and decisions are computed by the core's own functions; this
    class remembers their results.
    """

    turn_every = NEVER

    def __init__(self, fleet: Fleet) -> None:
        """Follow this fleet's alarms from their creation on."""
        self._fleet = fleet
        self._stats: list[FetchedStat] = []
        self._alarms = [FollowedAlarm(alarm, self._stats) for alarm in fleet.alarms]
        self._read = {stat.metric for stat, _ in self._stats}
        self._reads_group = any(metric.namespace == NAMESPACE for metric in self._read)
        self._kept_seconds = kept_seconds(fleet.alarms)
        self._warmups = {
            warmup(fleet, one) for one in fleet.policies if isinstance(one, StepScalingPolicy)
        }
        longest = max((len(one.values) for one in self._alarms), default=0)
        self._minutes: deque[Minute] = deque(maxlen=longest + 2)
        # Values computed from the group; see _update_group.
        self._group: GroupMemory | None = None
        self._group_points: tuple[Datapoint, ...] = ()
        self._group_series: list[Series] = []
        self._capacity = CapacitySampled(0, 0, 0, 0, 0)
        # Remembered results of the core's functions.
        self._values: AlarmValues = {}
        self._values_by_group: dict[tuple[Datapoint, ...], AlarmValues] = {}
        self._holds: dict[tuple[object, ...], bool] = {}

    def publish(
        self, group: GroupMemory, activity: QueueActivity, sample: QueueSample, now: float
    ) -> bool:
        """Publish the minute that ends now: add the alarms' values in it, and return True."""
        if group is not self._group:
            self._update_group(group)
        self._minutes.append((now - PERIOD, sample, activity, self._group_points))
        published = activity.publishes_from <= now <= activity.active_until
        key = (sample.visible, sample.in_flight, sample.delayed, published)
        values = self._values.get(key)
        if values is None:
            if len(self._values) > KEPT_VALUES:
                self._values.clear()
            values = self._values[key] = self._compute_values(sample, activity, now)
        for alarm, value in zip(self._alarms, values, strict=True):
            alarm.add(value)
        return True

    def published(self, sample: QueueSample, now: float) -> tuple[Fact, ...]:
        """Return the facts that a turn at the end of a minute would return."""
        seen = self._capacity
        return (
            QueueSampled(now, sample.visible, sample.in_flight),
            CapacitySampled(now, seen.desired, seen.in_service, seen.pending, seen.terminating),
        )

    def can_skip(self, memory: LoopMemory, now: float) -> bool:
        """Return whether evaluating the alarms now would change neither them nor the group."""
        acting = False
        for alarm in self._alarms:
            if alarm.verdict() is not alarm.state:
                return False
            acting |= alarm.acts()
        return not acting or self._policies_hold(memory, now)

    def metrics(self, known: MetricStore, before: float, now: float) -> MetricStore:
        """Return the core's metrics with the minutes since its last turn.

        The core needs them only if it evaluates alarms now.
        """
        return (
            known.record(self._unseen(), self._kept_seconds)
            if evaluation_is_due(before, now, PERIOD)
            else known
        )

    def after_turn(self, memory: LoopMemory) -> None:
        """Copy the states of the alarms from the core's memory."""
        for alarm in self._alarms:
            alarm.state = memory.watches[alarm.alarm.logical_id].memory.state

    def _unseen(self) -> tuple[Datapoint, ...]:
        """Return and delete the datapoints that alarms read and the core does not have yet."""
        points: list[Datapoint] = []
        for start, sample, activity, group in self._minutes:
            published = queue_datapoints(
                self._fleet.queue.name, activity, sample, start, start + PERIOD
            )
            points += (one for one in published if one.metric in self._read)
            points += (Datapoint(one.metric, start, one.values) for one in group)
        self._minutes.clear()
        return tuple(points)

    def _policies_hold(self, memory: LoopMemory, now: float) -> bool:
        """Return whether the policies of the alarms' states would change nothing."""
        fleet, group = self._fleet, memory.group
        if group is not self._group:
            self._update_group(group)
        acting = [alarm for alarm in self._alarms if alarm.acts()]
        steps = tuple(alarm.steps(fleet) for alarm in acting)
        if None in steps:
            return False
        seen = (
            *(alarm.alarm.logical_id for alarm in acting),
            *steps,
            *(capacity_of(group, seconds, now) for seconds in self._warmups),
            group.limits(fleet.group),
            tuple(group.suspended),
            tuple(memory.held.items()),
        )
        known = self._holds.get(seen)
        if known is not None:
            return known
        due = [DueAlarm(one.alarm, one.newest(), {}, state=one.state) for one in acting]
        decided = decide(fleet, group, memory.held, due, now)
        holds = decided.group is group and decided.held == memory.held
        if len(self._holds) > KEPT_VALUES:
            self._holds.clear()
        self._holds[seen] = holds
        return holds

    def _update_group(self, group: GroupMemory) -> None:
        """Compute the values that depend on the group, after it has changed."""
        self._group = group
        if self._reads_group:
            published = group_datapoints(self._fleet.group, group, 0)
            self._group_points = tuple(one for one in published if one.metric in self._read)
        self._values = self._values_by_group.setdefault(self._group_points, {})
        store = _store(self._group_points)
        self._group_series = [store.series(stat, PERIOD, 1, unit) for stat, unit in self._stats]
        seen = capacity_of(group, 0, NEVER)
        self._capacity = CapacitySampled(
            0, seen.desired, seen.settled, seen.warming, seen.terminating
        )

    def _compute_values(
        self, sample: QueueSample, activity: QueueActivity, now: float
    ) -> tuple[float | None, ...]:
        points = queue_datapoints(self._fleet.queue.name, activity, sample, 0, now)
        seen = list(self._group_series)
        store = _store(points)
        for index, (stat, unit) in enumerate(self._stats):
            if stat.metric in store.kept:
                seen[index] = store.series(stat, PERIOD, 1, unit)
        return tuple(alarm.value(seen) for alarm in self._alarms)


def _store(points: Iterable[Datapoint]) -> MetricStore:
    """Return a store of datapoints of the first minute, one for each metric at most."""
    return MetricStore({point.metric: (point,) for point in points}, 0)
