"""Scaling activities of the group, as DescribeScalingActivities shows them, made from facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from tidemill.scaling.facts import ActivityStarted, InstanceChanged
from tidemill.scaling.group.hooks import TIMED_OUT
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.transitions import LOST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemill.scaling.facts import Fact

OURS = UUID("8b1b7d8a-0f6b-5c43-9f0e-6d3a2c5b7e10")
"""A made-up namespace, so that the same run always has the same ids."""

KEPT_SECONDS = 6 * 7 * 86400
"""Auto Scaling returns activities of the past six weeks (API reference,
DescribeScalingActivities)."""

MOVE = "move"
"""The kind of activities that move an instance to standby, back, or out of the group."""

ABANDONED = (
    "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {token} was "
    "abandoned: {why}"
)
UNHEALTHY = "Instance became unhealthy while waiting for instance to be in InService state."


@dataclass(frozen=True, slots=True)
class Activity:
    """One scaling activity; `start` and `end` in epoch seconds, `end` is None until it is over.

    `progress` is in percent.
    """

    id: str
    kind: str
    instance: str
    description: str
    cause: str
    start: float
    status: str
    progress: int
    end: float | None = None
    message: str = ""


def activity_id(kind: str, instance: str) -> str:
    """Return the id of the activity that launches or terminates an instance."""
    return str(uuid5(OURS, f"{kind}/{instance}"))


def record_activities(known: tuple[Activity, ...], facts: Iterable[Fact]) -> tuple[Activity, ...]:
    """Return the activities, oldest first, after these facts.

    Args:
        known: the activities after all earlier facts.
        facts: the facts since then, in order.
    """
    activities = {activity.id: activity for activity in known}
    now = None
    for fact in facts:
        match fact:
            case ActivityStarted():
                _start(activities, fact)
            case InstanceChanged():
                _change(activities, fact)
            case _:
                continue
        now = fact.at
    if now is None:
        return known
    since = now - KEPT_SECONDS
    return tuple(item for item in activities.values() if item.end is None or item.end >= since)


def _start(activities: dict[str, Activity], fact: ActivityStarted) -> None:
    if fact.kind_of == "terminate":
        message = UNHEALTHY if LOST in fact.cause else ""
        _cancel(activities, "launch", fact.instance, message, fact.at)
    named = activity_id(fact.kind_of, fact.instance or str(fact.at))
    if named in activities:  # a retained instance is terminated again, or one moved again
        named = activity_id(fact.kind_of, f"{fact.instance} at {fact.at}")
    started = Activity(
        id=named,
        kind=fact.kind_of,
        instance=fact.instance,
        description=fact.description,
        cause=fact.cause,
        start=fact.at,
        # The first status that AWS shows of a launch and of a termination.
        status="InProgress" if fact.kind_of == "terminate" else "PreInService",
        progress=0 if fact.kind_of == "terminate" else 30,
    )
    if not fact.instance:  # a scale-in that finds only protected instances
        started = replace(started, status="Cancelled", progress=100, end=fact.at)
    elif fact.kind_of == MOVE:  # it is over with the request
        started = replace(started, status="Successful", progress=100, end=fact.at)
    activities[started.id] = started


def _change(activities: dict[str, Activity], fact: InstanceChanged) -> None:
    match LifecycleState(fact.state):
        case LifecycleState.PENDING_WAIT:
            _reach(activities, "launch", fact, "MidLifecycleAction", 40)
        case LifecycleState.IN_SERVICE:
            _reach(activities, "launch", fact, "Successful", 100)
        case LifecycleState.WARMED_PENDING_WAIT:
            _reach(activities, "prepare", fact, "MidLifecycleAction", 40)
        case (
            LifecycleState.WARMED_STOPPED
            | LifecycleState.WARMED_RUNNING
            | LifecycleState.WARMED_HIBERNATED
        ):
            _reach(activities, "prepare", fact, "Successful", 100)
        case LifecycleState.TERMINATING_WAIT | LifecycleState.WARMED_TERMINATING_WAIT:
            _reach(activities, "terminate", fact, "MidTerminatingLifecycleAction", 60)
        case LifecycleState.TERMINATING_PROCEED | LifecycleState.WARMED_TERMINATING_PROCEED:
            _cancel(activities, "launch", fact.instance, _abandoned(fact), fact.at)
            _reach(activities, "terminate", fact, "InProgress", 60)
        case LifecycleState.TERMINATING_RETAINED | LifecycleState.WARMED_TERMINATING_RETAINED:
            _cancel(activities, "terminate", fact.instance, _abandoned(fact), fact.at)
        case LifecycleState.TERMINATED:
            _reach(activities, "terminate", fact, "Successful", 100)
        case _:  # other states do not change an activity
            pass


def _reach(
    activities: dict[str, Activity], kind: str, fact: InstanceChanged, status: str, progress: int
) -> None:
    activity = _going(activities, kind, fact.instance)
    if activity is not None:
        end = fact.at if status == "Successful" else None
        activities[activity.id] = replace(activity, status=status, progress=progress, end=end)


def _going(activities: dict[str, Activity], kind: str, instance: str) -> Activity | None:
    """Return the activity of this kind that is in progress for an instance, None if there is none.

    Such activities are among the newest.
    """
    for activity in reversed(activities.values()):
        if activity.end is None and (activity.kind, activity.instance) == (kind, instance):
            return activity
    return None


def _cancel(
    activities: dict[str, Activity], kind: str, instance: str, message: str, now: float
) -> None:
    activity = _going(activities, kind, instance)
    if activity is not None:
        reason = f".  Status Reason: {message}" if message else ""
        activities[activity.id] = replace(
            activity,
            description=activity.description + reason,
            message=message,
            status="Cancelled",
            progress=100,
            end=now,
        )


def _abandoned(fact: InstanceChanged) -> str:
    token = uuid5(OURS, f"hook/{fact.instance}")
    timed_out = fact.detail == TIMED_OUT
    why = "Heartbeat Timeout" if timed_out else "Lifecycle Action Completed with ABANDON Result"
    return ABANDONED.format(token=token, why=why)
