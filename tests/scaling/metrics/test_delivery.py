"""Delivery of the queue's datapoints, with and without faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemill.scaling.fault_kinds import METRICS
from tidemill.scaling.faults import Fault
from tidemill.scaling.metrics.delivery import (
    NAMES,
    DelayedDatapoint,
    as_counted,
    at_once,
    send,
    split_arrived,
)
from tidemill.scaling.metrics.queue import (
    NOT_VISIBLE,
    VISIBLE,
    QueueActivity,
    QueueSample,
    queue_datapoints,
)
from tidemill.scaling.times.catalogue import USUAL

if TYPE_CHECKING:
    from tidemill.scaling.metrics.store import Datapoint

NOON = 43_200.0
EMPTY = QueueSample(0, 0)
EVER = {"for_minutes": 0.0}


def points(minute: float = NOON) -> list[Datapoint]:
    """Return the datapoints of a queue with 7 visible messages and 2 in flight."""
    sample, now = QueueSample(7, 2), minute + 60
    activity = QueueActivity.of_new_queue(0, USUAL.wake_up.mean, kept_awake=True)
    return list(queue_datapoints("jobs", activity, sample, minute, now))


def arrivals(*faults: Fault) -> dict[str, tuple[float, float]]:
    """Return (arrival, timestamp) of each metric's datapoint of 12:00, in minutes after 12:00."""
    return {
        one.datapoint.metric.name: (
            (one.arrives_at - NOON) / 60,
            (one.datapoint.timestamp - NOON) / 60,
        )
        for one in send(points(), faults)
    }


def test_every_metric_of_the_queue_may_be_the_target_of_a_fault() -> None:
    """The table of targets and the names at SQS have the same entries."""
    assert tuple(NAMES.values()) == METRICS


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(None, {VISIBLE: (1, 0), NOT_VISIBLE: (1, 0)}, id="none"),
        pytest.param(
            Fault("metrics-late", parameters={**EVER, "late_minutes": 15.0}),
            {VISIBLE: (16, 0), NOT_VISIBLE: (16, 0)},
            id="late",
        ),
        pytest.param(
            Fault("metrics-late", "visible", parameters=EVER),
            {VISIBLE: (6, 0), NOT_VISIBLE: (1, 0)},
            id="one-metric-late",
        ),
        pytest.param(Fault("metrics-missing", parameters=EVER), {}, id="missing"),
        pytest.param(
            Fault("metrics-missing", "in-flight", parameters=EVER),
            {VISIBLE: (1, 0)},
            id="one-metric-missing",
        ),
        pytest.param(
            Fault("metrics-irregular", parameters={**EVER, "share": 1.0}),
            {VISIBLE: (1, 1), NOT_VISIBLE: (1, 1)},
            id="irregular",
        ),
        pytest.param(
            Fault("metrics-missing", at=NOON + 61),
            {VISIBLE: (1, 0), NOT_VISIBLE: (1, 0)},
            id="before",
        ),
        pytest.param(
            Fault("metrics-missing", parameters={"for_minutes": (NOON + 60) / 60}),
            {VISIBLE: (1, 0), NOT_VISIBLE: (1, 0)},
            id="after",
        ),
    ],
)
def test_a_fault_changes_when_a_datapoint_arrives_and_for_which_minute(
    fault: Fault | None, expected: dict[str, tuple[float, float]]
) -> None:
    """Only the datapoints that are published while it is on are concerned."""
    assert arrivals(*([fault] if fault else [])) == expected


def test_two_faults_of_a_metric_both_have_their_effect() -> None:
    """The longest delay counts; an irregular datapoint may be late as well."""
    late = [Fault("metrics-late", parameters={**EVER, "late_minutes": n}) for n in (5.0, 1.0)]
    moved = Fault("metrics-irregular", "visible", parameters={**EVER, "share": 1.0})
    assert arrivals(*late, moved) == {VISIBLE: (6, 1), NOT_VISIBLE: (6, 0)}


@given(share=st.floats(0, 1), seed=st.integers(0, 9).map(float))
def test_the_share_of_irregular_datapoints_is_the_one_that_is_given(
    share: float, seed: float
) -> None:
    """The same seed moves the same datapoints; none is lost."""
    fault = Fault("metrics-irregular", parameters={**EVER, "share": share, "seed": seed})
    minutes = [NOON + 60 * number for number in range(500)]
    sent = [one for minute in minutes for one in send(points(minute), (fault,))]
    again = [one for minute in minutes for one in send(points(minute), (fault,))]
    assert sent == again
    assert len(sent) == 1000
    moved = sum(one.datapoint.timestamp == one.arrives_at for one in sent)
    assert moved / 1000 == pytest.approx(share, abs=0.08)


def test_another_seed_moves_other_datapoints() -> None:
    """The metrics of one minute do not move together either."""
    faults = [Fault("metrics-irregular", parameters={**EVER, "seed": n}) for n in (1.0, 2.0)]
    minutes = [NOON + 60 * number for number in range(100)]
    moves = [
        [
            [point.datapoint.timestamp == point.arrives_at for point in send(points(at), (fault,))]
            for at in minutes
        ]
        for fault in faults
    ]
    assert moves[0] != moves[1]
    assert [True, False] in moves[0]
    assert [False, True] in moves[0]


@pytest.mark.parametrize(
    ("sample", "counted"),
    [
        pytest.param(EMPTY, 1, id="empty"),
        pytest.param(QueueSample(3, 0), 0, id="visible"),
        pytest.param(QueueSample(0, 2), 2, id="in-flight"),
        pytest.param(QueueSample(0, 0, delayed=1), 0, id="delayed"),
    ],
)
def test_a_phantom_message_is_in_flight_only_in_an_empty_queue(
    sample: QueueSample, counted: int
) -> None:
    """Other faults and other times leave the count as it is."""
    phantom = Fault("phantom-in-flight", at=NOON)
    assert as_counted(sample, [phantom], NOON).in_flight == counted
    assert as_counted(sample, [phantom], NOON - 1) == sample
    assert as_counted(sample, [Fault("metrics-missing", at=NOON)], NOON) == sample


def test_a_datapoint_arrives_at_its_time_and_not_before() -> None:
    """Those without a fault arrive in the turn that publishes them."""
    late, usual = points()[:2]
    waiting = [DelayedDatapoint(NOON + 360, late), *at_once([usual])]
    assert split_arrived(waiting, NOON + 60) == ((usual,), (waiting[0],))
    assert split_arrived(waiting[:1], NOON + 360) == ((late,), ())
