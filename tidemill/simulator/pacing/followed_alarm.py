"""Followed alarm: the state of one alarm, computed minute by minute outside of the core."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from tidemill.scaling.alarms.queries import compile_queries
from tidemill.scaling.alarms.verdict import breaches, judge, retrieved_periods
from tidemill.scaling.metric_math.values import Frame
from tidemill.scaling.metrics.queue import PERIOD
from tidemill.scaling.policies.step import find_step
from tidemill.scaling.spec import AlarmState, StepScalingPolicy

if TYPE_CHECKING:
    from tidemill.scaling.metrics.store import Series
    from tidemill.scaling.spec import Alarm, Fleet, MetricStat, StepAdjustment

    FetchedStat = tuple[MetricStat, str | None]
    """A metric's statistic that an alarm reads, with its unit if the alarm names one."""

    Steps = tuple[StepAdjustment | None, ...]
    """The step of each policy that contains an alarm's value, None if no step does."""

KEPT_VALUES = 50_000
"""The largest number of remembered results; it limits the memory of a long run."""


class FollowedAlarm:
    """One alarm: its values in the evaluation range, which of them breach, and its state.

    Verdicts and steps are computed by the core. The results are remembered, because the same values
    occur many times.

    Attributes:
        alarm: the alarm.
        minutes: the length of its period in minutes.
        values: its value at the end of every minute in the evaluation range, the newest last; None
            is a missing datapoint. An evaluation uses those of whole periods before the newest:
            every second one if the period is two minutes.
        state: its state after the core's last turn.
    """

    def __init__(self, alarm: Alarm, stats: list[FetchedStat]) -> None:
        """Follow an alarm from its creation on.

        Args:
            alarm: the alarm.
            stats: the statistics that all alarms of the fleet read; this alarm's are added.
        """
        self.alarm = alarm
        self._program = compile_queries(alarm.queries, alarm.returned)
        self._fetched: list[tuple[int, int]] = []
        for slot, query in self._program.fetched:
            if query.stat is not None:
                fetched = (query.stat, query.unit)
                if fetched not in stats:
                    stats.append(fetched)
                self._fetched.append((slot, stats.index(fetched)))
        self.minutes = alarm.period // PERIOD
        size = (retrieved_periods(alarm) - 1) * self.minutes + 1
        self._used = range(0, size, self.minutes)
        self.values: deque[float | None] = deque([None] * size, maxlen=size)
        self._breaches: deque[bool | None] = deque([None] * size, maxlen=size)
        self.state = AlarmState.INSUFFICIENT_DATA
        self._runs_policies = {state: alarm.acts_in(state) for state in AlarmState}
        self._verdicts: dict[tuple[AlarmState, tuple[bool | None, ...]], AlarmState] = {}
        self._known_steps: dict[tuple[AlarmState, float | None], int] = {}
        self._step_numbers: dict[tuple[AlarmState, Steps], int] = {}

    def value(self, seen: list[Series]) -> float | None:
        """Return the alarm's value in one period, given the values of all statistics."""
        values: list[Series | None] = [None] * self._program.slots
        for slot, index in self._fetched:
            values[slot] = seen[index]
        return self._program.compute(Frame(0, self.alarm.period, 1, values))[0]

    def add(self, value: float | None) -> None:
        """Add the value at the end of the minute that has ended."""
        self.values.append(value)
        self._breaches.append(None if value is None else breaches(self.alarm, value))

    def verdict(self) -> AlarmState:
        """Return the alarm's state after an evaluation now."""
        key = (self.state, tuple(islice(self._breaches, 0, None, self.minutes)))
        verdict = self._verdicts.get(key)
        if verdict is None:
            values = tuple(islice(self.values, 0, None, self.minutes))
            verdict = self._verdicts[key] = judge(self.alarm, values, self.state)
        return verdict

    def steps(self, fleet: Fleet) -> int | None:
        """Return a number for the steps that contain the newest value, in the state's policies.

        The same steps have the same number. It is None if a policy is not a step scaling policy.
        """
        value = self.newest()
        known = self._known_steps.get((self.state, value))
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
            known = self._step_numbers.setdefault((self.state, found), len(self._step_numbers))
            if len(self._known_steps) > KEPT_VALUES:
                self._known_steps.clear()
            self._known_steps[self.state, value] = known
        return known

    def acts(self) -> bool:
        """Return whether the alarm runs a policy in its state."""
        return self._runs_policies[self.state]

    def newest(self) -> float | None:
        """Return the newest value that is not missing, None if all are missing."""
        used = (self.values[index] for index in reversed(self._used))
        return next((value for value in used if value is not None), None)
