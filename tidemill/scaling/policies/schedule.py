"""Scheduled actions: when each is due, and how it changes the group.

Rules: EC2 Auto Scaling User Guide, "Scheduled scaling for Amazon EC2 Auto Scaling".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from tidemill.scaling.facts import Noted, stamp
from tidemill.scaling.group.memory import SCHEDULED_ACTIONS, Step
from tidemill.scaling.spec import Limits

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.spec import Fleet, ScheduledAction

DueTimes = tuple[float | None, ...]
"""The next time of each scheduled action of a fleet, in epoch seconds; None for never again."""

CRON_FIELDS = 5


def cron_problem(recurrence: str) -> str:
    """Return what is wrong with a recurrence (a cron expression of five fields), empty if valid."""
    if len(recurrence.split()) != CRON_FIELDS:
        return "a recurrence has five fields: minute, hour, day of month, month, day of week"
    try:
        CronSim(recurrence, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        return f"not a cron expression: {error}"
    return ""


def first_due(fleet: Fleet, now: float) -> DueTimes:
    """Return the first time of each action of a stack created at `now`, in epoch seconds.

    An action whose only time has passed is never due. A recurrence without a start, or with one
    that has passed, begins now.
    """
    return tuple(_next(action, now, fresh=True) for action in fleet.scheduled)


def run_due(fleet: Fleet, memory: GroupMemory, due: DueTimes, now: float) -> tuple[Step, DueTimes]:
    """Return the group after the due actions, run in the order of their times, and the next times.

    An action that is due while ScheduledActions is suspended is skipped for good: after the
    suspension only actions "whose scheduled time has not yet passed" are considered ("How suspended
    processes affect other processes").
    """
    step = Step(memory)
    left = list(due)
    while True:
        ready = [(at, number) for number, at in enumerate(left) if at is not None and at <= now]
        if not ready:
            return step, tuple(left)
        at, number = min(ready)
        action = fleet.scheduled[number]
        if SCHEDULED_ACTIONS not in memory.suspended:
            step = step.then(_apply(fleet, step.memory, action, now))
        left[number] = _next(action, at, fresh=False)


def _next(action: ScheduledAction, after: float, *, fresh: bool) -> float | None:
    """Return when an action is due next; a `fresh` one has not run since the stack was created.

    A start time is the first run, also of a recurrence that does not contain it. A recurrence that
    falls on the end time does not run then.
    """
    if fresh and action.start is not None and action.start > after:
        return action.start
    if action.recurrence is None:
        return None
    local = datetime.fromtimestamp(after, ZoneInfo(action.zone))
    due = next(CronSim(action.recurrence, local), None)
    if due is None or (action.end is not None and due.timestamp() >= action.end):
        return None
    return due.timestamp()


def _apply(fleet: Fleet, memory: GroupMemory, action: ScheduledAction, now: float) -> Step:
    """Set the sizes of an action; a desired capacity outside the limits becomes the nearer one."""
    low, high = memory.limits(fleet.group)
    low = low if action.min_size is None else action.min_size
    high = max(low, high if action.max_size is None else action.max_size)
    asked = memory.desired if action.desired is None else action.desired
    desired = Limits(low, high).clamp(asked)
    cause = (
        f"At {stamp(now)} the scheduled action {action.name} executed. Setting min size to {low}, "
        f"max size to {high}, desired capacity from {memory.desired} to {desired}."
    )
    changed = replace(memory, min_size=low, max_size=high)
    if desired != memory.desired:
        changed = replace(changed, desired=desired, cause=cause)
    return Step(changed, (Noted(now, cause),))
