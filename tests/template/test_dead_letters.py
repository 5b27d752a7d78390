"""Dead letters: how often people are notified of them, by the alarms of template.yaml."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.builders.alarms import points
from support.builders.fleets import product_template

from tidemill.scaling.alarms.alarm import AlarmMemory
from tidemill.scaling.alarms.watching import AlarmWatch, watch_alarms
from tidemill.scaling.metrics.store import MetricStore
from tidemill.scaling.spec import AlarmState, Metric
from tidemill.scaling.template.fleet import read_fleet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidemill.scaling.spec import Fleet

ALARMS: Final = ("DeadLettersAlarm", "DeadLettersRisingAlarm")
METRIC: Final = Metric(
    "AWS/SQS",
    "ApproximateNumberOfMessagesVisible",
    (("QueueName", "tidemill-dead-letters"),),
)
START: Final = 1_800_000_000 // 86_400 * 86_400
"""The midnight at which every history here begins, in epoch seconds."""

HOURS: Final = 6


@cache
def fleet() -> Fleet:
    """Return the fleet with these alarms alone; the core reads those with a policy as action."""
    template = product_template()
    for name in ALARMS:
        template["Resources"][name]["Properties"]["AlarmActions"] = [{"Ref": "BacklogPolicy"}]
    whole = read_fleet(template, {})
    return replace(whole, alarms=tuple(a for a in whole.alarms if a.logical_id in ALARMS))


def notified(counts: Sequence[int | None], late: int = 0) -> dict[str, list[int]]:
    """Return the minutes in which each alarm notifies people: those in which it goes to ALARM.

    Args:
        counts: the dead letters in each minute; None while SQS publishes no datapoint.
        late: by how many minutes SQS publishes every datapoint late.
    """
    store = MetricStore()
    watches: Mapping[str, AlarmWatch] = {
        name: AlarmWatch(AlarmMemory.created(START)) for name in ALARMS
    }
    found: dict[str, list[int]] = {name: [] for name in ALARMS}
    for minute in range(1, len(counts) + 10):
        published = minute - 1 - late
        if 0 <= published < len(counts) and (count := counts[published]) is not None:
            store = store.record(points(METRIC, {START + 60 * published: count}), 86_400)
        now = START + 60 * minute + fleet().alarm_lag
        watched = watch_alarms(fleet(), watches, store, now - 60, now)
        for name in ALARMS:
            if (
                watched.watches[name].memory.state is AlarmState.ALARM
                and watches[name].memory.state is not AlarmState.ALARM
            ):
                found[name].append(minute)
        watches = watched.watches
    return found


def history(*arrivals: int, minutes: int = 60 * HOURS) -> list[int | None]:
    """Return the counts if one dead letter arrives in each of these minutes, and none leaves.

    Before the first one, nobody uses the queue, so that SQS publishes nothing.
    """
    counts = [sum(at <= minute for at in arrivals) for minute in range(minutes)]
    return [count or None for count in counts]


def test_one_burst_is_one_notification() -> None:
    """It comes within two minutes, and nothing follows while the messages lie there."""
    assert notified(history(25, 25, 26)) == {"DeadLettersAlarm": [26], "DeadLettersRisingAlarm": []}


@pytest.mark.parametrize("late", [0, 1, 3])
def test_each_further_burst_is_a_notification_at_the_end_of_its_hour(late: int) -> None:
    """Five bursts in five hours are five notifications, even if SQS's datapoints are late."""
    found = notified(history(25, 70, 71, 179, 205, 299), late)
    assert found["DeadLettersAlarm"] == [26 + late]
    assert [minute // 60 for minute in found["DeadLettersRisingAlarm"]] == [2, 3, 4, 5]
    assert all(minute % 60 < 5 for minute in found["DeadLettersRisingAlarm"])


def test_messages_that_keep_coming_are_one_notification_an_hour() -> None:
    """One more dead letter in each minute: an alarm that stays in ALARM would notify once."""
    found = notified(history(*range(10, 60 * HOURS)))
    assert found["DeadLettersAlarm"] == [11]
    assert found["DeadLettersRisingAlarm"] == [120, 180, 240, 300, 360]


def test_looking_at_the_messages_is_no_arrival() -> None:
    """A message that somebody receives is not visible for a while, and comes back."""
    counts = history(25, 25, 26)
    for minute in (100, 130, 200, 301):
        counts[minute] = 1
    assert notified(counts)["DeadLettersRisingAlarm"] == []


def test_messages_that_fail_again_after_a_redrive_are_first_ones() -> None:
    """The queue was empty for over five minutes, so that the first alarm went back to OK."""
    counts = [None] * 20 + [3] * 100 + [0] * 30 + [2] * 210
    found = notified(counts)
    assert found == {"DeadLettersAlarm": [21, 151], "DeadLettersRisingAlarm": []}


@pytest.mark.long
@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    arrivals=st.lists(st.integers(0, 60 * HOURS - 1), min_size=1, max_size=40),
    late=st.integers(0, 4),
)
def test_every_hour_with_an_arrival_is_told_and_there_is_no_flood(
    arrivals: list[int], late: int
) -> None:
    """After the first hour: at least one notification for such an hour, at most one in an hour."""
    found = notified(history(*arrivals), late)
    assert len(found["DeadLettersAlarm"]) == 1
    rising = found["DeadLettersRisingAlarm"]
    hours = [minute // 60 for minute in rising]
    assert len(hours) == len(set(hours))
    assert all(minute % 60 < 5 for minute in rising)
    first = min(arrivals) // 60
    assert {at // 60 + 1 for at in arrivals if at // 60 > first} <= set(hours)
