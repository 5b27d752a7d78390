"""Scheduled actions: when each is due, and what the group is then given.

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
from tidemill.scaling.policies.step import clamp

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.spec import Fleet, ScheduledAction

Due = tuple[float | None, ...]
"""When each scheduled action of a fleet is due next, in epoch seconds; None for never again."""

CRON_FIELDS = 5


def cron_problem(recurrence: str) -> str:
    """Return what is wrong with a recurrence, or nothing; it has five fields, none for seconds."""
    if len(recurrence.split()) != CRON_FIELDS:
        return "a recurrence has five fields: minute, hour, day of month, month, day of week"
    try:
        CronSim(recurrence, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        return f"not a cron expression: {error}"
    return ""


def first_due(fleet: Fleet, now: float) -> Due:
    """Return when each action of a stack created at `now` is due for the first time.

    One at a time that has passed is never due. A recurrence without a start begins now.
    """
    return tuple(_next(action, now, fresh=True) for action in fleet.scheduled)


def run_due(fleet: Fleet, memory: GroupMemory, due: Due, now: float) -> tuple[Step, Due]:
    """Run the actions that are due, in the order of their times; return when each is due next.

    One that comes due while ScheduledActions is suspended is lost (assumed: the page says that
    they are not run while it is suspended, and nothing of making up for it).
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
            step = step.then(_given(fleet, step.memory, action, now))
        left[number] = _next(action, at, fresh=False)


def _next(action: ScheduledAction, after: float, *, fresh: bool) -> float | None:
    if action.recurrence is None:
        return action.start if fresh and action.start is not None and action.start > after else None
    begin = after
    if fresh and action.start is not None:
        begin = max(after, action.start - 1)
    local = datetime.fromtimestamp(begin, ZoneInfo(action.zone))
    due = next(CronSim(action.recurrence, local), None)
    if due is None or (action.end is not None and due.timestamp() > action.end):
        return None
    return due.timestamp()


def _given(fleet: Fleet, memory: GroupMemory, action: ScheduledAction, now: float) -> Step:
    """Give the group an action's numbers; a desired capacity outside the limits moves into them."""
    low, high = memory.limits(fleet.group)
    low = low if action.min_size is None else action.min_size
    high = max(low, high if action.max_size is None else action.max_size)
    asked = memory.desired if action.desired is None else action.desired
    desired = clamp(asked, low, high)
    cause = (
        f"At {stamp(now)} the scheduled action {action.name} executed. Setting min size to {low}, "
        f"max size to {high}, desired capacity from {memory.desired} to {desired}."
    )
    changed = replace(memory, min_size=low, max_size=high)
    if desired != memory.desired:
        changed = replace(changed, desired=desired, cause=cause)
    return Step(changed, (Noted(now, cause),))
