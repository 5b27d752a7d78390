"""Kinds of published limits and prices that our constants must match."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws
from support.builders.fleets import product_template
from support.emulators.ministack import local_client
from support.examples.kind import Expected, Given, Kind, Place, fields

from consumer.logs.backlog import (
    LARGEST_BATCH,
    LARGEST_EVENT,
    LONGEST_SPAN,
    MOST_EVENTS,
    OVERHEAD,
)
from consumer.logs.cloudwatch import refused_events
from tidemill.simulator.cost.log_volume import EVENT_BYTES
from tidemill.simulator.cost.options import FIFO_REQUESTS
from tidemill.simulator.cost.prices import PRICES

if TYPE_CHECKING:
    from collections.abc import Mapping

MILLION = 1e6
REGION = "us-east-1"
UNITS: Mapping[str, set[str]] = {
    "million requests after the first million a month": {"requests"},
    "million requests": {"fifo requests"},
    "GB, us-east-1 Standard class": {"logs"},
    "dashboard-month after 3 free": {"dashboards"},
    "metric-month, first 10,000": {"metrics"},
    "alarm metric-month": {"alarms", "fast alarms"},
    "GB-month compressed": {"archive"},
}
"""The names in our price list of published units of price."""

FREE: Mapping[str, str] = {
    "alarms_standard_resolution": "alarms",
    "dashboards": "dashboards",
    "logs_gb": "logs",
    "custom_metrics": "metrics",
    "api_requests": "puts",
}
SIZE = "sum of UTF-8 message bytes + 26 each"


def check_price(given: Given, expected: Expected) -> None:
    """Find the price in our list."""
    known = {**PRICES, "fifo requests": FIFO_REQUESTS}
    ours = [known[item] for item in UNITS[given["unit"]]]
    per = MILLION if "million" in given["unit"] else 1
    assert expected["usd"] in [pytest.approx(price.usd * per / price.per) for price in ours]


def check_free(_: Given, expected: Expected) -> None:
    """Compare the monthly free amount of an account."""
    assert {name: PRICES[FREE[name]].free for name in expected} == dict(expected)


def check_log_batch(_: Given, expected: Expected) -> None:
    """Compare the limits of a call that sends log events."""
    assert (expected["max_bytes"], expected["overhead_per_event"]) == (LARGEST_BATCH, OVERHEAD)
    assert OVERHEAD == EVENT_BYTES
    assert expected.get("size", SIZE) == SIZE


def check_log_size(given: Given, expected: Expected) -> None:
    """Compute the size of a batch of log events, as it is charged."""
    size = given["events"] * (given["bytes_each"] + EVENT_BYTES)
    assert size == expected["size"]
    assert (size <= LARGEST_BATCH) is expected["accepted"]


def check_rejections(_: Given, expected: Expected) -> None:
    """Count the refused events of an answer to ten of them."""
    inclusive = {"tooNewLogEventStartIndex": 7}
    exclusive = {"tooOldLogEventEndIndex": 3, "expiredLogEventEndIndex": 3}
    assert set(expected) == {*inclusive, *exclusive}
    assert expected["tooNewLogEventStartIndex"] == "inclusive"
    assert expected["tooOldLogEventEndIndex"] == "exclusive"
    assert expected["expiredLogEventEndIndex"] is True
    for name, index in (*inclusive.items(), *exclusive.items()):
        assert refused_events({"rejectedLogEventsInfo": {name: index}}, 10) == 3


def check_retention(_: Given, expected: Expected) -> None:
    """Compare the periods among which the template lets a user choose."""
    parameter = product_template()["Parameters"]["LogRetentionDays"]
    assert parameter["AllowedValues"] == expected["days"]


def check_log_quota(_: Given, expected: Expected) -> None:
    """Compare a limit with the one by which the consumer cuts its batches."""
    ours = {
        "max_events": MOST_EVENTS,
        "max_bytes": LARGEST_BATCH,
        "max_event_bytes": LARGEST_EVENT,
        "max_span_h": LONGEST_SPAN / 3600,
    }
    assert {name: ours[name] for name in expected} == dict(expected)


def check_ages(_: Given, expected: Expected) -> None:
    """Send log events at these distances from now, a minute less and a minute more."""
    distances = {
        "rejected_if_more_than_h_ahead": timedelta(hours=1),
        "rejected_if_older_than_days": -timedelta(days=1),
    }
    with mock_aws():
        logs = local_client("logs", "https://logs.eu-west-1.amazonaws.com")
        logs.create_log_group(logGroupName="group")
        logs.create_log_stream(logGroupName="group", logStreamName="stream")
        for name, amount in expected.items():
            limit = amount * distances[name]
            minute = timedelta(minutes=1) if limit > timedelta() else -timedelta(minutes=1)
            for distance, accepted in ((limit - minute, True), (limit + minute, False)):
                at = datetime.now(UTC) + distance
                event = {"timestamp": int(at.timestamp() * 1000), "message": "line"}
                answer = logs.put_log_events(
                    logGroupName="group", logStreamName="stream", logEvents=[event]
                )
                assert ("rejectedLogEventsInfo" not in answer) is accepted, name
        logs.close()


def check_instance_price(_: Given, expected: Expected) -> None:
    """Find the price among those of our instance's family, which double with the size."""
    ours = PRICES["instances"].usd
    family = [ours * 2.0**step for step in range(-2, 5)]
    assert expected["usd_per_hour"] in [pytest.approx(price) for price in family]


LIMIT_KINDS: tuple[Kind, ...] = (
    Kind(
        "a price",
        fields("unit", "region"),
        fields("usd"),
        check_price,
        fits=lambda given, _: given["unit"] in list(UNITS),
        aside={"chunk_kb": "messages here are far smaller than 64 KB, so each is one request"},
    ),
    Kind(
        "an instance's price",
        fields("", "region os"),
        fields("usd_per_hour"),
        check_instance_price,
        fits=lambda given, _: (
            given.get("region", REGION) == REGION and given.get("os", "Linux") == "Linux"
        ),
    ),
    Kind(
        "what is free",
        fields(),
        fields("", " ".join(FREE)),
        check_free,
        any_of=frozenset(FREE),
        aside={"metrics_per_dashboard": "the price list counts dashboards only"},
    ),
    Kind(
        "a batch of log events",
        fields(),
        fields("max_bytes overhead_per_event", "size"),
        check_log_batch,
    ),
    Kind(
        "a quota of log events",
        fields(),
        fields("", "max_events max_bytes max_event_bytes max_span_h"),
        check_log_quota,
        any_of=frozenset({"max_events", "max_bytes", "max_event_bytes", "max_span_h"}),
        aside={"else": "a batch of ours never spans more"},
    ),
    Kind(
        "the size of a batch of log events",
        fields("events bytes_each"),
        fields("size accepted"),
        check_log_size,
    ),
    Kind(
        "log events at other times than now",
        fields(),
        fields("", "rejected_if_more_than_h_ahead rejected_if_older_than_days"),
        check_ages,
        any_of=frozenset({"rejected_if_more_than_h_ahead", "rejected_if_older_than_days"}),
        place=Place.SERVER,
    ),
    Kind(
        "what an answer says about rejected log events",
        fields(),
        fields("tooNewLogEventStartIndex tooOldLogEventEndIndex expiredLogEventEndIndex"),
        check_rejections,
    ),
    Kind(
        "how long logs may be kept",
        fields(),
        fields("days[]"),
        check_retention,
        aside={"deletion_lag_h": "nothing here waits for the deletion"},
    ),
)
