"""Alarms in one turn of the loop: evaluations, changes of state, and actions that are due."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isinf
from typing import TYPE_CHECKING

from tidemill.scaling.alarms.alarm import AlarmMemory, evaluate
from tidemill.scaling.alarms.window import evaluation_interval
from tidemill.scaling.facts import AlarmChanged
from tidemill.scaling.fault_kinds import ALARMS_LATE
from tidemill.scaling.spec import AlarmState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tidemill.scaling.facts import Fact
    from tidemill.scaling.faults import Fault
    from tidemill.scaling.metrics.store import MetricStore
    from tidemill.scaling.spec import Alarm, Fleet

ACTION_INTERVAL = 60
"""An alarm that stays in a state invokes the state's Auto Scaling actions once a minute ("Using
Amazon CloudWatch alarms", CloudWatch User Guide)."""


@dataclass(frozen=True, slots=True)
class AlarmWatch:
    """An alarm's memory, and when it last invoked the actions of its present state."""

    memory: AlarmMemory
    acted_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class DueAlarm:
    """An alarm whose actions for its `state` are due.

    `value` is the newest value of the alarm, `inputs` has the newest values of its metrics by id.
    `held` is the reason why its policies must not act, empty if they may.
    """

    alarm: Alarm
    value: float | None
    inputs: dict[str, float]
    held: str = ""
    state: AlarmState = AlarmState.ALARM


@dataclass(frozen=True, slots=True)
class Watched:
    """The alarms after a turn: their memories, the alarms with due actions, and the facts."""

    watches: Mapping[str, AlarmWatch]
    due: Sequence[DueAlarm] = ()
    facts: tuple[Fact, ...] = ()


def watch_alarms(
    fleet: Fleet,
    watches: Mapping[str, AlarmWatch],
    metrics: MetricStore,
    before: float,
    now: float,
    *,
    late: Sequence[Fault] = (),
) -> Watched:
    """Evaluate the alarms whose evaluation is due, and return those whose actions are due.

    Args:
        fleet: the fleet with its alarms.
        watches: their memories, by logical id.
        metrics: the datapoints published so far.
        before: the time of the previous turn, in epoch seconds.
        now: epoch seconds.
        late: the faults that delay evaluations now. An alarm that is five minutes late is evaluated
            at 12:06:06 as it should have been at 12:01:06, with the datapoints that have arrived.
    """
    after = dict(watches)
    due: list[DueAlarm] = []
    facts: list[Fact] = []
    usual, lag = usual_delay(fleet)
    for alarm in fleet.alarms:
        watch = watches[alarm.logical_id]
        delay = usual + (_delay(late, alarm, now) if late else 0.0)
        if isinf(delay):
            continue
        seen, earlier = now - delay, before - delay
        interval = evaluation_interval(alarm)
        # Actions have an interval of their own: an alarm that is evaluated once an hour still
        # acts once a minute. A turn that is late must not make the next one skip an interval.
        shortest = min(interval, ACTION_INTERVAL)
        if not evaluation_is_due(earlier, seen, shortest, lag):
            continue
        if interval == shortest or evaluation_is_due(earlier, seen, interval, lag):
            old = watch.memory
            new = evaluate(alarm, old, metrics, seen)
            if new.state is old.state:
                watch = AlarmWatch(new, watch.acted_at)
            else:
                watch = AlarmWatch(replace(new, since=now) if delay else new)
                facts.append(
                    AlarmChanged(now, alarm.logical_id, old.state, new.state, new.reason, new.value)
                )
        if alarm.acts_in(watch.memory.state) and now - watch.acted_at > ACTION_INTERVAL - shortest:
            due.append(_due(alarm, watch, metrics, seen))
            watch = replace(watch, acted_at=now)
        after[alarm.logical_id] = watch
    return Watched(after, due, tuple(facts))


def usual_delay(fleet: Fleet) -> tuple[int, float]:
    """Return the whole minutes of the alarms' lag in seconds, and the rest of it.

    A lag of 6 s is (0, 6): the minute of 12:00 is evaluated at 12:01:06. A lag of 66 s is (60, 6):
    at 12:02:06 alarms still see the minute of 12:00 as the newest.
    """
    minutes, rest = divmod(fleet.alarm_lag, ACTION_INTERVAL)
    return int(minutes) * ACTION_INTERVAL, rest


def longest_delay(late: Iterable[Fault]) -> float:
    """Return for how many seconds at most these faults delay an evaluation."""
    return max((_seconds(fault) for fault in late if fault.kind == ALARMS_LATE.name), default=0)


def _delay(late: Sequence[Fault], alarm: Alarm, now: float) -> float:
    """Return by how many seconds an alarm is evaluated late; infinity until the first time.

    A fault from 12:00 on that delays by five minutes lets no evaluation happen before 12:05.
    """
    mine = [
        fault
        for fault in late
        if fault.kind == ALARMS_LATE.name and fault.is_on(now) and fault.concerns(alarm.logical_id)
    ]
    if any(now - _seconds(fault) < fault.at for fault in mine):
        return inf
    return longest_delay(mine)


def _seconds(fault: Fault) -> float:
    return 60 * fault.value("late_minutes")


def in_alarm(
    alarms: Iterable[Alarm], watches: Mapping[str, AlarmWatch], metrics: MetricStore, now: float
) -> dict[str, DueAlarm]:
    """Return every alarm in state ALARM by its logical id, as if its actions were due."""
    return {
        alarm.logical_id: _due(alarm, watches[alarm.logical_id], metrics, now)
        for alarm in alarms
        if watches[alarm.logical_id].memory.state is AlarmState.ALARM
    }


def _due(alarm: Alarm, watch: AlarmWatch, metrics: MetricStore, now: float) -> DueAlarm:
    newest = {
        query.id: metrics.series(query.stat, now, 1)[0] for query in alarm.queries if query.stat
    }
    inputs = {name: value for name, value in newest.items() if value is not None}
    return DueAlarm(alarm, watch.memory.value, inputs, state=watch.memory.state)


def evaluation_is_due(before: float, now: float, interval: int, lag: float) -> bool:
    """Return whether a moment of evaluation lies after `before` and not after `now`.

    These moments are `lag` seconds after each full interval: 12:01:06 for a minute and 6 s.
    """
    return (now - lag) // interval > (before - lag) // interval
