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
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.loop import LoopMemory
    from tidemill.scaling.metrics.queue import QueueActivity, QueueSample
    from tidemill.scaling.spec import Alarm, Fleet, Metric
    from tidemill.simulator.pacing.followed_alarm import FetchedStat

    Minute = tuple[float, QueueSample, QueueActivity, tuple[Datapoint, ...]]
    """A minute that was published without a turn: start, queue, activity, group metrics."""

    Content = tuple[int, int, int, float | None, bool, int]
    """The content of a minute: visible, in flight, delayed, age of the oldest message, publishing,
    number of the group's metrics. Minutes with equal contents have equal datapoints."""

POINTWISE = {"IF", "CEIL", "FLOOR", "ABS", "AND", "OR", "NOT"}
"""Functions with a value that depends only on the points of the same time."""

_CALLED = re.compile(r"\b([A-Z][A-Z_0-9]*)\s*\(")
NEVER = float("inf")


def can_leave_out_turns(fleet: Fleet) -> bool:
    """Return whether every alarm's value depends on the datapoints of one period only."""
    return fleet.signal_period is None and all(_is_plain(alarm) for alarm in fleet.alarms)


def _is_plain(alarm: Alarm) -> bool:
    periods = {alarm.period} | {query.stat.period for query in alarm.queries if query.stat}
    called = {name for query in alarm.queries for name in _CALLED.findall(query.expression or "")}
    return (
        periods == {alarm.period}
        and alarm.period % PERIOD == 0
        and evaluation_interval(alarm) == PERIOD
        and called <= POINTWISE
        and not alarm.ignore_low_samples
        and (alarm.wall_clock is None or alarm.period == PERIOD)
    )


class NeededTurns:
    """A pacing that follows a fleet's alarms minute by minute, and takes a turn if one changes.

    Datapoints, expressions, verdicts and decisions are computed by the core's own functions; this
    class remembers their results. An alarm with a period of two minutes has a new value every
    minute, too, from the datapoints of the last two.
    """

    turn_every = NEVER

    def __init__(self, fleet: Fleet) -> None:
        """Follow this fleet's alarms from their creation on."""
        self._fleet = fleet
        self._stats: list[FetchedStat] = []
        self._alarms = [FollowedAlarm(alarm, self._stats) for alarm in fleet.alarms]
        # Alarms with the same queries have the same value; it is computed once.
        first: dict[tuple[object, str], int] = {}
        self._watches = [
            first.setdefault((one.queries, one.returned), len(first)) for one in fleet.alarms
        ]
        self._watched = [self._alarms[self._watches.index(number)] for number in first.values()]
        self._read = {stat.metric for stat, _ in self._stats}
        self._reads_group = any(metric.namespace == NAMESPACE for metric in self._read)
        self._kept_seconds = kept_seconds(fleet.alarms)
        self._warmups = {
            warmup(fleet, one) for one in fleet.policies if isinstance(one, StepScalingPolicy)
        }
        longest = max((len(one.values) for one in self._alarms), default=0)
        self._minutes: deque[Minute] = deque(maxlen=longest + 2)
        # The contents of the minutes in the longest period of an alarm, the newest last.
        span = max((one.minutes for one in self._alarms), default=1)
        self._contents: deque[Content | None] = deque([None] * span, maxlen=span)
        # Values computed from the group; see _update_group.
        self._group: GroupMemory | None = None
        self._group_points: tuple[Datapoint, ...] = ()
        self._group_number = 0
        self._group_numbers: dict[tuple[Datapoint, ...], int] = {}
        self._capacity = CapacitySampled(0, 0, 0, 0, 0)
        # Remembered results of the core's functions.
        self._points: dict[Content | None, tuple[Datapoint, ...]] = {None: ()}
        self._values: dict[tuple[Content | None, ...], tuple[float | None, ...]] = {}
        self._holds: dict[tuple[object, ...], bool] = {}

    def publish(
        self, group: GroupMemory, activity: QueueActivity, sample: QueueSample, now: float
    ) -> bool:
        """Publish the minute that ends now: add the alarms' values in it, and return True."""
        if group is not self._group:
            self._update_group(group)
        self._minutes.append((now - PERIOD, sample, activity, self._group_points))
        published = activity.publishes_from <= now <= activity.active_until
        content = (
            sample.visible,
            sample.in_flight,
            sample.delayed,
            sample.oldest_age,
            published,
            self._group_number,
        )
        self._contents.append(content)
        if content not in self._points:
            self._keep_points(content, sample, activity, now)
        contents = tuple(self._contents)
        values = self._values.get(contents)
        if values is None:
            if len(self._values) > KEPT_VALUES:
                self._values.clear()
            values = self._values[contents] = self._compute_values(contents)
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
            if evaluation_is_due(before, now, PERIOD, self._fleet.alarm_lag)
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
            points = tuple(one for one in published if one.metric in self._read)
            self._group_points = points
            self._group_number = self._group_numbers.setdefault(points, len(self._group_numbers))
        seen = capacity_of(group, 0, NEVER)
        self._capacity = CapacitySampled(
            0, seen.desired, seen.settled, seen.warming, seen.terminating
        )

    def _keep_points(
        self, content: Content, sample: QueueSample, activity: QueueActivity, now: float
    ) -> None:
        """Remember the datapoints of a minute that ends now; their timestamp is 0."""
        if len(self._points) > KEPT_VALUES:
            kept = {one: self._points[one] for one in self._contents if one in self._points}
            self._points = {None: (), **kept}
        queue = queue_datapoints(self._fleet.queue.name, activity, sample, 0, now)
        seen = (*(one for one in queue if one.metric in self._read), *self._group_points)
        self._points[content] = seen

    def _compute_values(self, contents: tuple[Content | None, ...]) -> tuple[float | None, ...]:
        """Return the alarms' values at the end of minutes with these contents."""
        kept: dict[Metric, tuple[Datapoint, ...]] = {}
        for number, content in enumerate(contents):
            for point in self._points[content]:
                if number:
                    at = Datapoint(point.metric, number * PERIOD, point.values, point.unit)
                    kept[point.metric] = (*kept.get(point.metric, ()), at)
                else:
                    kept[point.metric] = (point,)
        store = MetricStore(kept)
        end = len(contents) * PERIOD
        seen = [store.series(stat, end, 1, unit) for stat, unit in self._stats]
        values = [alarm.value(seen) for alarm in self._watched]
        return tuple([values[number] for number in self._watches])
