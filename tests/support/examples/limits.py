"""Forms of published limits and prices that our constants must match."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.builders.fleets import product_template
from support.examples.shape import Expected, Given, Shape, has

from consumer.logs.cloudwatch import LARGEST_EVENT
from shared.queue_errors import ABSENT
from shared.quotas import MAX_BATCH, MAX_BYTES, MAX_LONG_POLL, MAX_VISIBILITY
from tidemill.simulator.cost.prices import EVENT_BYTES, PRICES

if TYPE_CHECKING:
    from collections.abc import Mapping

MILLION = 1e6
UNITS: Mapping[str, set[str]] = {
    "million requests after the first million a month": {"requests"},
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
BOUNDS: Mapping[str, tuple[str, int]] = {
    "MaxNumberOfMessages": (r"between 1 and (\d+)", MAX_BATCH),
    "WaitTimeSeconds": (r"<= (\d+)", MAX_LONG_POLL),
    "bytes": (r"shorter than (\d+) bytes", MAX_BYTES),
}
"""The words of each limit in errors, and our constant for it, by the input of the call."""


def check_price(given: Given, expected: Expected) -> None:
    """Find the price in our list."""
    ours = [PRICES[item] for item in UNITS[given["unit"]]]
    per = MILLION if "million" in given["unit"] else 1
    assert expected["usd"] in [pytest.approx(price.usd * per / price.per) for price in ours]


def check_free(_: Given, expected: Expected) -> None:
    """Compare the monthly free amount of an account."""
    assert {name: PRICES[item].free for name, item in FREE.items()} == {
        name: amount for name, amount in expected.items() if name in FREE
    }


def check_log_batch(_: Given, expected: Expected) -> None:
    """Compare the limits of a call that sends log events."""
    assert (expected["max_bytes"], expected["overhead_per_event"]) == (LARGEST_EVENT, EVENT_BYTES)


def check_log_size(given: Given, expected: Expected) -> None:
    """Compute the size of a batch of log events, as it is charged."""
    size = given["events"] * (given["bytes_each"] + EVENT_BYTES)
    assert size == expected["size"]
    assert (size <= LARGEST_EVENT) is expected["accepted"]


def check_retention(_: Given, expected: Expected) -> None:
    """Compare the periods among which the template lets a user choose."""
    parameter = product_template()["Parameters"]["LogRetentionDays"]
    assert parameter["AllowedValues"] == expected["days"]


def check_hops(_: Given, expected: Expected) -> None:
    """Compare the template's hop limit with the one that a container needs."""
    (template,) = (
        resource["Properties"]["LaunchTemplateData"]
        for resource in product_template()["Resources"].values()
        if resource["Type"] == "AWS::EC2::LaunchTemplate"
    )
    hops = template["MetadataOptions"]["HttpPutResponseHopLimit"]
    assert hops == expected["containers_recommended"]


def check_longest_hiding(given: Given, expected: Expected) -> None:
    """Hide a message for longer than SQS allows, counted from its first receive."""
    hidden = given["extended_to_s"] - given["first_received_at_s"]
    assert (hidden > MAX_VISIBILITY) is expected["error"]


def bounded(given: Given) -> str | None:
    """Return the name of our limit to which a refused call refers."""
    case = given.get("case")
    names = [name for name in BOUNDS if isinstance(case, dict) and isinstance(case.get(name), int)]
    if isinstance(case, dict) and "WaitTimeSeconds" in case:
        names = ["WaitTimeSeconds"]
    return names[0] if len(names) == 1 else None


def check_bound(given: Given, expected: Expected) -> None:
    """Find our limit in the text with which SQS refuses a higher value."""
    wording, ours = BOUNDS[bounded(given) or ""]
    found = re.search(wording, expected["Message"])
    assert found is not None
    assert int(found[1]) == ours


def check_absent_queue(_: Given, expected: Expected) -> None:
    """Recognize a missing queue by either of its error codes."""
    assert {expected["Code"], expected["QueryErrorCode"]} <= ABSENT


def check_code(given: Given, expected: Expected) -> None:
    """Recognize an error by its name and by the code of the query protocol."""
    assert {given["shape"], expected["query_code"]} <= ABSENT


ERROR = {"Code", "Message", "QueryErrorCode", "http_status"}

LIMIT_SHAPES: tuple[Shape, ...] = (
    Shape(
        "a price",
        lambda given, expected: (
            has({"unit"})(given) and given["unit"] in UNITS and has({"usd"}, {"chunk_kb"})(expected)
        ),
        check_price,
    ),
    Shape(
        "what is free",
        lambda given, expected: not given and FREE.keys() <= expected.keys(),
        check_free,
    ),
    Shape(
        "a batch of log events",
        lambda given, expected: (
            not given and has({"max_bytes", "overhead_per_event"}, {"size"})(expected)
        ),
        check_log_batch,
    ),
    Shape(
        "the size of a batch of log events",
        lambda given, expected: (
            has({"events", "bytes_each"})(given) and has({"size", "accepted"})(expected)
        ),
        check_log_size,
    ),
    Shape(
        "how long logs may be kept",
        lambda given, expected: not given and has({"days"}, {"deletion_lag_h"})(expected),
        check_retention,
    ),
    Shape(
        "how far metadata may travel",
        lambda given, expected: (
            not given
            and has({"default", "containers_recommended"}, {"ami_imds_support_v2"})(expected)
        ),
        check_hops,
    ),
    Shape(
        "how long a message may be hidden",
        lambda given, expected: (
            has({"first_received_at_s", "extended_to_s"})(given)
            and has({"error"}, {"rule"})(expected)
        ),
        check_longest_hiding,
    ),
    Shape(
        "a limit in the words of an error",
        lambda given, expected: (
            has({"op", "case"}, {"recorded_step"})(given)
            and bounded(given) is not None
            and "MaximumMessageSize" not in given["case"]
            and has({"Code", "Message"}, ERROR)(expected)
        ),
        check_bound,
    ),
    Shape(
        "a queue that is not there",
        lambda given, expected: (
            has({"op", "case"}, {"recorded_step"})(given)
            and isinstance(given["case"], dict)
            and given["case"].get("queue") == "does not exist"
            and has({"Code", "Message", "QueryErrorCode"}, ERROR)(expected)
        ),
        check_absent_queue,
    ),
    Shape(
        "the code of an error",
        lambda given, expected: (
            has({"shape"})(given)
            and given["shape"] in ABSENT
            and has({"query_code"}, {"http_status"})(expected)
        ),
        check_code,
    ),
)
