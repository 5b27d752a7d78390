"""Turn of the control loop: instances, then metrics, then alarms, then policies, then the group."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tidemill.scaling.alarms.alarm import AlarmMemory
from tidemill.scaling.alarms.verdict import evaluation_range
from tidemill.scaling.alarms.watching import (
    AlarmWatch,
    in_alarm,
    longest_delay,
    usual_delay,
    watch_alarms,
)
from tidemill.scaling.facts import CapacitySampled, Fact, QueueSampled
from tidemill.scaling.group.capacity import capacity_of
from tidemill.scaling.group.hooks import CONTINUE, HookResult
from tidemill.scaling.group.memory import GroupMemory, Step
from tidemill.scaling.group.metrics import group_datapoints
from tidemill.scaling.group.reconcile import reconcile, replace_unhealthy
from tidemill.scaling.group.transitions import (
    booted,
    expire_hooks,
    hook_completed,
    replace_vanished,
    vanished,
)
from tidemill.scaling.metrics.delivery import (
    DelayedDatapoint,
    as_counted,
    at_once,
    send,
    split_arrived,
)
from tidemill.scaling.metrics.fault_windows import NO_FAULTS, FaultWindows
from tidemill.scaling.metrics.queue import (
    PERIOD,
    QueueActivity,
    QueueSample,
    observe,
    queue_datapoints,
)
from tidemill.scaling.metrics.signal import signal_datapoints
from tidemill.scaling.metrics.store import Datapoint, MetricStore
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.policies.schedule import first_due, run_due
from tidemill.scaling.policies.tracking import agree_on_scale_in, low_alarms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tidemill.scaling.policies.schedule import DueTimes
    from tidemill.scaling.spec import Alarm, Fleet


@dataclass(frozen=True, slots=True)
class Booted:
    """Event: this instance has booted and runs."""

    instance: str


@dataclass(frozen=True, slots=True)
class HookCompleted:
    """Event: a hook of this instance has completed, with the result CONTINUE or ABANDON.

    `hook` is the hook's name, None for all hooks that hold the instance.
    """

    instance: str
    result: str = CONTINUE
    hook: str | None = None


@dataclass(frozen=True, slots=True)
class Vanished:
    """Event: this instance no longer exists."""

    instance: str
    detail: str = ""


InstanceEvent = Booted | HookCompleted | Vanished


@dataclass(frozen=True, slots=True)
class Observation:
    """The input of a turn: the queue as it is now, and the events since the last turn."""

    queue: QueueSample
    events: tuple[InstanceEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class LoopMemory:
    """The memory of the loop from turn to turn.

    `at` is the time of the last turn. `delayed` are datapoints that CloudWatch does not have yet,
    because of a fault.
    """

    at: float
    activity: QueueActivity
    group: GroupMemory
    watches: Mapping[str, AlarmWatch]
    metrics: MetricStore = field(default_factory=MetricStore)
    held: Mapping[str, str] = field(default_factory=dict)
    due: DueTimes = ()
    faults: FaultWindows = NO_FAULTS
    delayed: tuple[DelayedDatapoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """The result of a turn: the new memory, the orders to the world, datapoints, and facts.

    The orders are those of a Step; `launch` and `stop` may name an instance of a warm pool again.
    """

    memory: LoopMemory
    launch: tuple[str, ...]
    drain: tuple[str, ...]
    terminate: tuple[str, ...]
    datapoints: tuple[Datapoint, ...]
    facts: tuple[Fact, ...]
    stop: tuple[str, ...] = ()


def begin(fleet: Fleet, now: float, faults: FaultWindows = NO_FAULTS) -> LoopMemory:
    """Return the memory of a stack that has been created at `now`, in epoch seconds."""
    return LoopMemory(
        at=now,
        activity=QueueActivity.of_new_queue(
            now, fleet.queue.wake_up, kept_awake=fleet.queue.kept_awake
        ),
        group=GroupMemory.of_new_group(fleet.group, now),
        watches={a.logical_id: AlarmWatch(AlarmMemory.created(now)) for a in fleet.alarms},
        due=first_due(fleet, now),
        faults=faults,
    )


def turn(fleet: Fleet, memory: LoopMemory, observation: Observation, now: float) -> Turn:
    """Return the result of one turn of the loop.

    The caller may take a turn at any time: metrics are published once a minute and alarms are
    evaluated in their own intervals. Example: of two turns at 12:00:58 and 12:01:07, the second one
    publishes the datapoints of the minute 12:00 and evaluates its alarms (6 s after its end, the
    usual lag).

    Args:
        fleet: the fleet of the template.
        memory: the memory that the last turn returned.
        observation: the queue now, and the events since the last turn.
        now: epoch seconds, not before the last turn.
    """
    group = _update_instances(fleet, memory.group, observation.events, now)
    due = memory.due
    if due:
        scheduled, due = run_due(fleet, group.memory, due, now)
        group = group.then(scheduled)
    queue = observation.queue
    # When the signal function samples the queue, it accesses it, which keeps the queue active.
    used = queue if fleet.signal_period is None else replace(queue, accessed=True)
    faults, begun = memory.faults.begin_due(now)
    seen = replace(
        memory,
        activity=observe(memory.activity, used, now),
        group=group.memory,
        faults=faults,
    )
    published, sampled = _publish(fleet, seen, queue, now)
    datapoints, delayed = split_arrived((*memory.delayed, *published), now)
    metrics = memory.metrics
    if datapoints:
        late = usual_delay(fleet)[0] + longest_delay(faults.active)
        metrics = metrics.record(datapoints, kept_seconds(fleet.alarms) + late)
    watched = watch_alarms(fleet, memory.watches, metrics, memory.at, now, late=faults.active)
    faults, ended = faults.end_due(now)
    alarms = watched.due
    if alarms and low_alarms(fleet):
        ready = in_alarm(fleet.alarms, watched.watches, metrics, now)
        alarms = agree_on_scale_in(fleet, alarms, ready)
    decided = decide(fleet, group.memory, memory.held, alarms, now)
    balanced = reconcile(fleet.group, decided.group, now)
    noted = group.facts + begun + sampled
    return Turn(
        memory=LoopMemory(
            at=now,
            activity=seen.activity,
            group=balanced.memory,
            watches=watched.watches,
            metrics=metrics,
            held=decided.held,
            due=due,
            faults=faults,
            delayed=delayed,
        ),
        launch=balanced.launch,
        drain=group.drain + balanced.drain,
        terminate=group.terminate + balanced.terminate,
        stop=group.stop + balanced.stop,
        datapoints=datapoints,
        facts=noted + watched.facts + ended + decided.facts + balanced.facts,
    )


def _update_instances(
    fleet: Fleet, group: GroupMemory, events: Iterable[InstanceEvent], now: float
) -> Step:
    """Apply the events of instances, replace lost ones, and complete hooks that have timed out."""
    step = _apply_events(fleet, Step(group), events, now)
    # Every turn runs this, and most turns have nothing to do here: hence the cheap checks.
    if any(item.vanished is not None for item in step.memory.instances):
        step = step.then(replace_vanished(step.memory, now))
    if any(item.unhealthy for item in step.memory.instances):
        step = step.then(replace_unhealthy(fleet.group, step.memory, now))
    if any(item.holds for item in step.memory.instances):
        step = step.then(expire_hooks(fleet.group, step.memory, now))
    return step


def _apply_events(fleet: Fleet, step: Step, events: Iterable[InstanceEvent], now: float) -> Step:
    for event in events:
        match event:
            case Booted(instance):
                step = step.then(booted(fleet.group, step.memory, instance, now))
            case HookCompleted(instance, result, hook):
                completed = HookResult(result, hook)
                step = step.then(hook_completed(fleet.group, step.memory, instance, now, completed))
            case Vanished(instance, detail):
                step = step.then(vanished(step.memory, instance, detail, now))
    return step


def _publish(
    fleet: Fleet, seen: LoopMemory, sample: QueueSample, now: float
) -> tuple[list[DelayedDatapoint], tuple[Fact, ...]]:
    """Return the datapoints and facts of a minute and a signal period that have ended.

    `seen` is the memory with the group and the queue's activity of this turn, and the time of the
    last one. Only SQS's own datapoints may be delayed.
    """
    datapoints: list[DelayedDatapoint] = []
    facts: tuple[Fact, ...] = ()
    faults = seen.faults.active
    ended = now // PERIOD * PERIOD
    if ended > seen.at:
        minute = ended - PERIOD
        counted = as_counted(sample, faults, ended) if faults else sample
        own = queue_datapoints(fleet.queue.name, seen.activity, counted, minute, now)
        datapoints += send(own, faults)
        datapoints += at_once(group_datapoints(fleet.group, seen.group, minute))
        capacity = capacity_of(seen.group, 0, now)
        facts = (
            QueueSampled(now, sample.visible, sample.in_flight),
            CapacitySampled(
                now, capacity.desired, capacity.settled, capacity.warming, capacity.terminating
            ),
        )
    period = fleet.signal_period
    if period is not None and now // period * period > seen.at:
        start = now // period * period - period
        counted = as_counted(sample, faults, start + period) if faults else sample
        datapoints += at_once(
            signal_datapoints(fleet.queue.name, counted, seen.group.desired, start)
        )
    return datapoints, facts


def kept_seconds(fleet_alarms: Iterable[Alarm]) -> float:
    """Return for how many seconds metrics must be kept for the alarms."""
    return max(
        ((evaluation_range(alarm.evaluation_periods) + 2) * alarm.period for alarm in fleet_alarms),
        default=0,
    )
