"""One turn of the control loop: metrics to alarms, alarms to policies, policies to instances."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tidemill.scaling import alarm as alarms
from tidemill.scaling.alarm import AlarmMemory, AlarmState
from tidemill.scaling.decision import Ringing, decide
from tidemill.scaling.group import (
    CONTINUE,
    GroupMemory,
    Step,
    booted,
    expire_hooks,
    gone,
    group_datapoints,
    hook_completed,
    reconcile,
    replace_unhealthy,
    replace_vanished,
    see_capacity,
)
from tidemill.scaling.metrics import Datapoint, MetricStore
from tidemill.scaling.policy import clamp
from tidemill.scaling.queue_metrics import PERIOD, Activity, QueueSample, observe, queue_datapoints
from tidemill.scaling.schedule import first_due, run_due
from tidemill.scaling.signal import signal_datapoints
from tidemill.scaling.timeline import (
    AlarmChanged,
    CapacitySampled,
    Fact,
    QueueSampled,
)
from tidemill.scaling.tracking import agree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tidemill.scaling.schedule import Due
    from tidemill.scaling.spec import Alarm, Fleet

EVALUATION_LAG = 6
"""Seconds into a minute at which alarms see the minute before; AWS's sample of a state change
("Alarm notifications", CloudWatch User Guide) was evaluated 6 s after its last period closed."""

ACTION_INTERVAL = 60
"""An alarm that stays in ALARM invokes its Auto Scaling actions once a minute ("Using Amazon
CloudWatch alarms", CloudWatch User Guide)."""


@dataclass(frozen=True, slots=True)
class Booted:
    """The world says: this instance runs."""

    instance: str


@dataclass(frozen=True, slots=True)
class HookCompleted:
    """The world says: this instance has nothing left to do before it goes on.

    `result` is what completes its hook, CONTINUE or ABANDON; `hook` names the hook, None stands
    for all that hold the instance.
    """

    instance: str
    result: str = CONTINUE
    hook: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """The world says: this instance is not there any more."""

    instance: str
    detail: str = ""


InstanceEvent = Booted | HookCompleted | Gone


@dataclass(frozen=True, slots=True)
class Observation:
    """What is new since the last turn: the queue as it is now, and what instances did."""

    queue: QueueSample
    events: tuple[InstanceEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmWatch:
    """An alarm's memory, and when it last invoked the actions of the state that it is in."""

    memory: AlarmMemory
    acted_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Memory:
    """All that the loop remembers from turn to turn."""

    at: float
    activity: Activity
    group: GroupMemory
    watches: Mapping[str, AlarmWatch]
    metrics: MetricStore = field(default_factory=MetricStore)
    held: Mapping[str, str] = field(default_factory=dict)
    due: Due = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn comes to: the new memory, orders to the world, datapoints, and facts.

    The orders are those of a Step; `launch` and `stop` may name an instance of a warm pool again.
    """

    memory: Memory
    launch: tuple[str, ...]
    drain: tuple[str, ...]
    terminate: tuple[str, ...]
    datapoints: tuple[Datapoint, ...]
    facts: tuple[Fact, ...]
    stop: tuple[str, ...] = ()


def begin(fleet: Fleet, now: float) -> Memory:
    """Return the memory of a stack that has been created at `now`, in epoch seconds."""
    return Memory(
        at=now,
        activity=Activity.of_new_queue(now),
        group=GroupMemory(clamp(fleet.group.desired, fleet.group.min_size, fleet.group.max_size)),
        watches={a.logical_id: AlarmWatch(AlarmMemory.created(now)) for a in fleet.alarms},
        due=first_due(fleet, now),
    )


def turn(fleet: Fleet, memory: Memory, observation: Observation, now: float) -> Turn:
    """Go through the loop once.

    Turns may come as often as one likes: metrics are published once a minute and alarms are
    evaluated at their own pace, whatever the pace of turns.

    Args:
        fleet: what the template says.
        memory: what the last turn returned.
        observation: what has been seen since.
        now: epoch seconds, not before the last turn's.
    """
    group = _apply_events(fleet, Step(memory.group), observation.events, now)
    group = group.then(replace_vanished(group.memory, now))
    group = group.then(replace_unhealthy(fleet.group, group.memory, now))
    group = group.then(expire_hooks(fleet.group, group.memory, now))
    due = memory.due
    if due:
        scheduled, due = run_due(fleet, group.memory, due, now)
        group = group.then(scheduled)
    queue = observation.queue
    # A function that samples the queue uses it, too.
    used = replace(queue, accessed=queue.accessed or fleet.signal_period is not None)
    activity = observe(memory.activity, used, now)
    memory = replace(memory, group=group.memory, activity=activity)
    datapoints, sampled = _publish(fleet, memory, queue, now)
    datapoints += _signal(fleet, memory, queue, now)
    if datapoints:
        kept = memory.metrics.record(datapoints, _reach(fleet.alarms))
        memory = replace(memory, metrics=kept)
    memory, ringing, changed = _evaluate(fleet, memory, now)
    if ringing:
        ringing = agree(fleet, ringing, _in_alarm(fleet, memory, now))
    decided = decide(fleet, memory.group, memory.held, ringing, now)
    balanced = reconcile(fleet.group, decided.group, now)
    return Turn(
        memory=replace(memory, at=now, group=balanced.memory, held=decided.held, due=due),
        launch=balanced.launch,
        drain=group.drain + balanced.drain,
        terminate=group.terminate + balanced.terminate,
        stop=group.stop + balanced.stop,
        datapoints=datapoints,
        facts=group.facts + sampled + changed + decided.facts + balanced.facts,
    )


def _apply_events(fleet: Fleet, step: Step, events: Iterable[InstanceEvent], now: float) -> Step:
    for event in events:
        match event:
            case Booted(instance):
                step = step.then(booted(fleet.group, step.memory, instance, now))
            case HookCompleted(instance, result, hook):
                step = step.then(
                    hook_completed(fleet.group, step.memory, instance, now, result, hook=hook)
                )
            case Gone(instance, detail):
                step = step.then(gone(step.memory, instance, detail, now))
    return step


def _publish(
    fleet: Fleet, memory: Memory, sample: QueueSample, now: float
) -> tuple[tuple[Datapoint, ...], tuple[Fact, ...]]:
    """Return the datapoints of the minute that has ended since the last turn, if one has."""
    ended = now // PERIOD * PERIOD
    if ended <= memory.at:
        return (), ()
    minute = ended - PERIOD
    datapoints = (
        *queue_datapoints(fleet.queue.name, memory.activity, sample, minute, now),
        *group_datapoints(fleet.group, memory.group, minute),
    )
    seen = see_capacity(memory.group, 0, now)
    return datapoints, (
        QueueSampled(now, sample.visible, sample.in_flight),
        CapacitySampled(now, seen.desired, seen.settled, seen.warming, seen.terminating),
    )


def _signal(fleet: Fleet, memory: Memory, sample: QueueSample, now: float) -> tuple[Datapoint, ...]:
    """Return the signal's datapoints of the period that has ended since the last turn, if any."""
    if fleet.signal_period is None:
        return ()
    ended = now // fleet.signal_period * fleet.signal_period
    if ended <= memory.at:
        return ()
    start = ended - fleet.signal_period
    return tuple(signal_datapoints(fleet.queue.name, sample, memory.group.desired, start))


def _evaluate(
    fleet: Fleet, memory: Memory, now: float
) -> tuple[Memory, Sequence[Ringing], tuple[Fact, ...]]:
    """Evaluate the alarms that are due; return those whose actions are due as well."""
    watches = dict(memory.watches)
    ringing: list[Ringing] = []
    facts: list[Fact] = []
    for alarm in fleet.alarms:
        watch = watches[alarm.logical_id]
        interval = alarms.evaluation_interval(alarm)
        if _beats(memory.at, now, interval):
            before = watch.memory
            after = alarms.evaluate(alarm, before, memory.metrics, now)
            watch = replace(watch, memory=after)
            if after.state is not before.state:
                facts.append(
                    AlarmChanged(
                        now, alarm.logical_id, before.state, after.state, after.reason, after.value
                    )
                )
                watch = AlarmWatch(after)
        # Actions go by a beat of their own: an alarm that is evaluated once an hour acts once a
        # minute all the same. A turn that comes late must not make the next one skip a beat.
        beat = min(interval, ACTION_INTERVAL)
        rings = watch.memory.state is AlarmState.ALARM and _beats(memory.at, now, beat)
        if rings and now - watch.acted_at > ACTION_INTERVAL - beat:
            ringing.append(_ring(alarm, watch, memory, now))
            watch = replace(watch, acted_at=now)
        watches[alarm.logical_id] = watch
    return replace(memory, watches=watches), ringing, tuple(facts)


def _in_alarm(fleet: Fleet, memory: Memory, now: float) -> dict[str, Ringing]:
    """Return every alarm that is in state ALARM, due or not, by its logical id."""
    return {
        alarm.logical_id: _ring(alarm, memory.watches[alarm.logical_id], memory, now)
        for alarm in fleet.alarms
        if memory.watches[alarm.logical_id].memory.state is AlarmState.ALARM
    }


def _ring(alarm: Alarm, watch: AlarmWatch, memory: Memory, now: float) -> Ringing:
    return Ringing(alarm, watch.memory.value, _inputs(alarm, memory.metrics, now))


def _beats(before: float, now: float, interval: int) -> bool:
    """Tell whether a moment of evaluation lies after `before` and not after `now`."""
    return (now - EVALUATION_LAG) // interval > (before - EVALUATION_LAG) // interval


def _inputs(alarm: Alarm, metrics: MetricStore, now: float) -> dict[str, float]:
    newest = {
        query.id: metrics.series(query.stat, now, 1)[0] for query in alarm.queries if query.stat
    }
    return {name: value for name, value in newest.items() if value is not None}


def _reach(fleet_alarms: Iterable[Alarm]) -> float:
    """Return how far back, in seconds, the alarms look at most."""
    return max(
        (
            (alarms.evaluation_range(alarm.evaluation_periods) + 2) * alarm.period
            for alarm in fleet_alarms
        ),
        default=0,
    )
