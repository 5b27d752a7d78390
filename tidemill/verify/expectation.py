"""Expectations: what the core predicts for this fleet, in the words of AWS."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.scaling.alarms.queries import compile_queries
from tidemill.scaling.alarms.verdict import judge
from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.errors import RequestError
from tidemill.scaling.facts import ActivityStarted
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Instance
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.metric_math.values import Frame
from tidemill.scaling.metrics.queue import NOT_VISIBLE, VISIBLE
from tidemill.scaling.metrics.signal import BACKLOG, DESIRED_CAPACITY
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.requests.commands import ExecutePolicy
from tidemill.scaling.requests.execute_policy import requested_outcome
from tidemill.scaling.spec import AlarmState, StepScalingPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.spec import Alarm, Fleet, Metric

NOW = 1_000_000.0
"""Any time that is long after the instances of a prediction came into service."""

REFUSED = "refused"

LOW_PROBES, HIGH_PROBES = 6, 2
"""Numbers of probes of a policy, near the threshold and at the largest step."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_INSTANCE = re.compile(r"\bi-[0-9a-f]{8,17}\b")


@dataclass(frozen=True, slots=True)
class Probe:
    """One execution of a step policy with a value that an alarm might have.

    Attributes:
        policy: the policy's logical id.
        value: the metric's value.
        threshold: the alarm's threshold.
        start: the desired capacity before.
        expected: the desired capacity after it, or REFUSED.
        control: whether the value is inside a step, where no rule about bounds matters.
    """

    policy: str
    value: float
    threshold: float
    start: int
    expected: int | str
    control: bool = False

    @property
    def name(self) -> str:
        """Return the probe as the observation notes it."""
        return f"{self.policy}: {self.value:g} at threshold {self.threshold:g} from {self.start}"


def value_at(alarm: Alarm, visible: int, desired: int = 0) -> float | None:
    """Return the alarm's value while so many messages wait and none is in flight.

    SQS publishes no datapoint about messages in flight while there are none. A metric that is not
    known here has none either.
    """
    program = compile_queries(alarm.queries, alarm.returned)
    known = {VISIBLE: visible, BACKLOG: visible, DESIRED_CAPACITY: desired}
    slots: list[tuple[float | None, ...] | None] = [None] * program.slots
    for slot, query in program.fetched:
        if query.stat is not None:
            slots[slot] = (_known(query.stat.metric, known),)
    return program.compute(Frame(NOW - alarm.period, alarm.period, 1, slots))[0]


def _known(metric: Metric, known: dict[str, int]) -> float | None:
    if metric.name == NOT_VISIBLE or metric.name not in known:
        return None
    return float(known[metric.name])


def state_at(alarm: Alarm, visible: int, desired: int = 0) -> AlarmState:
    """Return the state that an alarm reaches while so many messages wait for long enough."""
    value = value_at(alarm, visible, desired)
    return judge(alarm, [value] * alarm.evaluation_periods, AlarmState.INSUFFICIENT_DATA)


def causes(fleet: Fleet, visible: int, before: int) -> set[str]:
    """Return the causes of the activities that could follow, one for each alarm that may act.

    Args:
        fleet: the fleet, with the names of its deployed alarms and policies.
        visible: how many messages wait, and none is in flight.
        before: how many instances are desired and in service.
    """
    serving = tuple(
        Instance(f"i-{number:017x}", LifecycleState.IN_SERVICE, 0.0, 0.0)
        for number in range(before)
    )
    memory = GroupMemory(desired=before, instances=serving)
    found = set()
    for alarm in fleet.alarms:
        state = state_at(alarm, visible, before)
        if not alarm.acts_in(state):
            continue
        due = DueAlarm(alarm, value_at(alarm, visible, before), {}, state=state)
        decision = decide(fleet, memory, {}, (due,), NOW)
        if decision.group.desired == before:
            continue
        for fact in reconcile(fleet.group, decision.group, NOW).facts:
            if isinstance(fact, ActivityStarted):
                found.add(anonymous(fact.cause))
    return found


def desired_for(fleet: Fleet, visible: int) -> int:
    """Return the capacity that the group gets at once, from 0, when so many messages wait."""
    found = 0
    for alarm in fleet.alarms:
        state = state_at(alarm, visible)
        if alarm.acts_in(state):
            due = DueAlarm(alarm, value_at(alarm, visible), {}, state=state)
            found = max(found, decide(fleet, GroupMemory(0), {}, (due,), NOW).group.desired)
    return found


def anonymous(cause: str) -> str:
    """Return a cause without its moments and instances, which no prediction can know."""
    return _INSTANCE.sub("<instance>", _MOMENT.sub("<time>", " ".join(cause.split())))


def probes(fleet: Fleet) -> Iterator[Probe]:
    """Yield values to execute each step policy with, and the desired capacity that follows.

    They are a value exactly at the alarm's threshold, and the whole numbers below and above each
    bound. A probe starts from another capacity than it asks for, so that its effect is visible.
    The first probe of each policy is in the middle of a step: whatever the rule about bounds is, it
    must have its effect.
    """
    seen = set()
    for alarm in fleet.alarms:
        for state in AlarmState:
            for logical_id in alarm.policies_in(state):
                policy = fleet.policy(logical_id)
                if isinstance(policy, StepScalingPolicy) and logical_id not in seen:
                    seen.add(logical_id)
                    yield from _of_policy(fleet, alarm, policy)


def _of_policy(fleet: Fleet, alarm: Alarm, policy: StepScalingPolicy) -> Iterator[Probe]:
    bounds = {
        alarm.threshold + bound
        for step in policy.steps
        for bound in (step.lower, step.upper)
        if bound is not None
    }
    values = {alarm.threshold}
    for edge in bounds:
        values |= {float(math.floor(edge)), float(math.floor(edge) + 1)}
    ordered = sorted(value for value in values if value >= 0)
    chosen = [*ordered[:LOW_PROBES], *ordered[LOW_PROBES:][-HIGH_PROBES:]]
    lowest = policy.steps[0]
    inner = lowest.lower if lowest.lower is not None else (lowest.upper or 0) - 1
    control = alarm.threshold + inner + (0.25 if lowest.lower is not None else 0)
    others = [value for value in chosen if value != control]
    for number, value in enumerate([control, *others]):
        yield _probe(fleet, policy, alarm.threshold, value, control=number == 0)


def _probe(
    fleet: Fleet, policy: StepScalingPolicy, threshold: float, value: float, *, control: bool
) -> Probe:
    start = 0
    expected = predicted(fleet, policy, threshold, value, start)
    if expected == start:
        start = min(1, fleet.group.max_size)
        expected = predicted(fleet, policy, threshold, value, start)
    return Probe(policy.logical_id, value, threshold, start, expected, control)


def predicted(
    fleet: Fleet, policy: StepScalingPolicy, threshold: float, value: float, start: int
) -> int | str:
    """Return the desired capacity after ExecutePolicy on a group without instances, or REFUSED."""
    memory = GroupMemory(desired=start)
    command = ExecutePolicy(policy.name, value, threshold)
    try:
        outcome = requested_outcome(fleet, memory, policy, command, NOW)
    except RequestError:
        return REFUSED
    return start if outcome.desired is None else outcome.desired
