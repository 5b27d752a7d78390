"""Alarms from turn to turn: which are due, what changes of them, and whose actions are due."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tidemill.scaling.alarms.alarm import AlarmMemory, evaluate
from tidemill.scaling.alarms.window import evaluation_interval
from tidemill.scaling.facts import AlarmChanged
from tidemill.scaling.spec import AlarmState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tidemill.scaling.facts import Fact
    from tidemill.scaling.metrics.store import MetricStore
    from tidemill.scaling.spec import Alarm

EVALUATION_LAG = 6
"""Seconds into a minute at which alarms see the minute before; AWS's sample of a state change
("Alarm notifications", CloudWatch User Guide) was evaluated 6 s after its last period closed."""

ACTION_INTERVAL = 60
"""An alarm that stays in a state invokes the state's Auto Scaling actions once a minute ("Using
Amazon CloudWatch alarms", CloudWatch User Guide)."""


@dataclass(frozen=True, slots=True)
class AlarmWatch:
    """An alarm's memory, and when it last invoked the actions of the state that it is in."""

    memory: AlarmMemory
    acted_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Ringing:
    """An alarm whose actions are due, its value, and the newest values of its metrics by id.

    The actions are those of its `state`. `held` is why its policies must not act, where something
    outside them forbids it.
    """

    alarm: Alarm
    value: float | None
    inputs: dict[str, float]
    held: str = ""
    state: AlarmState = AlarmState.ALARM


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look at the alarms comes to: their memories, whose actions are due, and the news."""

    watches: Mapping[str, AlarmWatch]
    ringing: Sequence[Ringing] = ()
    facts: tuple[Fact, ...] = ()


def watch_alarms(
    alarms: Iterable[Alarm],
    watches: Mapping[str, AlarmWatch],
    metrics: MetricStore,
    before: float,
    now: float,
) -> Watched:
    """Evaluate the alarms that are due; return those whose actions are due as well.

    Args:
        alarms: the fleet's.
        watches: what is remembered of them, by logical id.
        metrics: what has been published so far.
        before: when the last look was, in epoch seconds.
        now: epoch seconds.
    """
    after = dict(watches)
    ringing: list[Ringing] = []
    facts: list[Fact] = []
    for alarm in alarms:
        watch = watches[alarm.logical_id]
        interval = evaluation_interval(alarm)
        # Actions go by a beat of their own: an alarm that is evaluated once an hour acts once a
        # minute all the same. A turn that comes late must not make the next one skip a beat.
        beat = min(interval, ACTION_INTERVAL)
        if not beats(before, now, beat):
            continue
        if interval == beat or beats(before, now, interval):
            old = watch.memory
            new = evaluate(alarm, old, metrics, now)
            if new.state is old.state:
                watch = AlarmWatch(new, watch.acted_at)
            else:
                watch = AlarmWatch(new)
                facts.append(
                    AlarmChanged(now, alarm.logical_id, old.state, new.state, new.reason, new.value)
                )
        rings = alarm.actions_in(watch.memory.state)
        if rings and now - watch.acted_at > ACTION_INTERVAL - beat:
            ringing.append(_ring(alarm, watch, metrics, now))
            watch = replace(watch, acted_at=now)
        after[alarm.logical_id] = watch
    return Watched(after, ringing, tuple(facts))


def in_alarm(
    alarms: Iterable[Alarm], watches: Mapping[str, AlarmWatch], metrics: MetricStore, now: float
) -> dict[str, Ringing]:
    """Return every alarm that is in state ALARM, due or not, by its logical id."""
    return {
        alarm.logical_id: _ring(alarm, watches[alarm.logical_id], metrics, now)
        for alarm in alarms
        if watches[alarm.logical_id].memory.state is AlarmState.ALARM
    }


def _ring(alarm: Alarm, watch: AlarmWatch, metrics: MetricStore, now: float) -> Ringing:
    newest = {
        query.id: metrics.series(query.stat, now, 1)[0] for query in alarm.queries if query.stat
    }
    inputs = {name: value for name, value in newest.items() if value is not None}
    return Ringing(alarm, watch.memory.value, inputs, state=watch.memory.state)


def beats(before: float, now: float, interval: int) -> bool:
    """Tell whether a moment of evaluation lies after `before` and not after `now`."""
    return (now - EVALUATION_LAG) // interval > (before - EVALUATION_LAG) // interval
