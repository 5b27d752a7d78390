"""Kinds of AWS's published examples of scaling activities: their texts and their times."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from support.builders.alarms import an_alarm
from support.builders.fleets import a_fleet, a_group, a_policy
from support.examples.kind import Expected, Given, Kind, fields

from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Instance
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import booted, vanished
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.requests.activities import Activity, record_activities
from tidemill.scaling.spec import StepAdjustment

NOW: Final = 1_750_000_020.0
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ID: Final = re.compile(r"\bi-[0-9a-f]+\b")


def seconds(text: str) -> float:
    """Return a time of an activity in epoch seconds."""
    return datetime.fromisoformat(text).timestamp()


def activity_after(given: Given, decided: float, acted: float, ended: float) -> Activity:
    """Return the last activity of a group that an alarm's policy has changed by one instance."""
    before, after = given["from"], given["to"]
    policy = a_policy(
        logical_id=given["policy"],
        name=given["policy"],
        steps=(StepAdjustment(0, None, after - before),),
    )
    alarm = an_alarm(
        logical_id=given["alarm"], name=given["alarm"], threshold=0.0, actions=(given["policy"],)
    )
    fleet = a_fleet((policy,), (alarm,), a_group(max_size=100))
    instances = tuple(
        Instance(f"i-{number:017x}", LifecycleState.IN_SERVICE, number, 0)
        for number in range(before)
    )
    memory = GroupMemory(before, instances, launched=before)
    memory = decide(fleet, memory, {}, [DueAlarm(alarm, 1.0, {})], decided).group
    step = reconcile(fleet.group, memory, acted)
    (one,) = step.launch or step.terminate
    end = booted(fleet.group, step.memory, one, ended) if step.launch else None
    end = end or vanished(step.memory, one, "", ended)
    return record_activities((), (*step.facts, *end.facts))[-1]


def check_activity(given: Given, expected: Expected) -> None:
    """Compare an activity's texts, with the ids of instances left out, its times and its status."""
    cause = expected.get("Cause", "")
    moments = [seconds(found[0]) for found in TIME.finditer(cause)] or [NOW]
    ended = seconds(expected["EndTime"]) if "EndTime" in expected else moments[-1] + 1
    activity = activity_after(given, moments[0], moments[-1], ended)
    results = {
        "Cause": activity.cause,
        "Description": activity.description,
        "StatusCode": activity.status,
        "Progress": activity.progress,
    }
    for name in results.keys() & expected.keys():
        assert without_ids(results[name]) == without_ids(expected[name]), name
    if "StartTime" in expected:
        assert int(activity.start) == int(seconds(expected["StartTime"]))
    if "EndTime" in expected:
        assert activity.end == seconds(expected["EndTime"])


def without_ids(value: object) -> object:
    """Return a text with every instance's id replaced by one word, anything else as it is."""
    return ID.sub("<instance>", value) if isinstance(value, str) else value


ACTIVITY_KINDS: tuple[Kind, ...] = (
    Kind(
        "the scaling activity after an alarm",
        fields("alarm policy from to"),
        fields("", "Cause Description StatusCode Progress StartTime EndTime"),
        check_activity,
    ),
)
