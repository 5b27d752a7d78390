"""Costs of the stack per month: quantities follow from messages, dollars from prices."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from consumer.setting_table import (
    MESSAGE_LOGGING,
    MESSAGES_PER_POLL,
    POLL_WAIT_SECONDS,
    RECEIVE_WAIT_SECONDS,
)
from shared.quotas import MAX_BATCH
from tidemill.simulator.cost.log_volume import EVENT_BYTES, logged_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

HOURS: Final = 730
"""Hours in a month, as in AWS's own price examples."""

ALARM_METRICS: Final = 12
"""Metrics that the template's alarms read without the fast signal; each one is charged."""

SIGNAL_METRICS: Final = 2
"""Metrics that one more alarm reads with the fast signal; it is a high-resolution alarm, because
it is evaluated every ten seconds."""

DASHBOARDS: Final = 2
ENDPOINTS: Final = 9
"""Interface endpoints of a private network; each is in two zones."""

WORKLOAD_METRICS: Final = 5
"""The consumer's four metrics and the one made from its errors; they have values while an instance
runs. LogLinesDropped, which has values only when lines are dropped, is left out."""

HOST_METRICS: Final = 2
"""Metrics of the agent for the group (memory, disk), which have values while an instance runs."""

PUTS_AN_HOUR: Final = 60
"""Requests of one instance's agent in an hour; it publishes every minute."""

COMPRESSED: Final = 0.15
"""Size of a stored log as a share of its bytes, as in AWS's price examples (from memory)."""

VOLUME_GB: Final = 30
IMAGES_GB: Final = 1.0
"""Ten images are kept in each of the two repositories, about 50 MB each when compressed."""

SAMPLES_A_MINUTE: Final = 6
SIGNAL_SECONDS: Final = 48
"""Seconds of each minute in which the signal's function runs: five pauses of 9.5 s, and calls."""

SIGNAL_MEMORY_GB: Final = 0.125
SAMPLE_BYTES: Final = 330
REPORT_BYTES: Final = 350
"""Bytes of the three lines that Lambda writes about each run."""

RISE_MINUTES: Final = 5
"""Minutes of an instance in each rise without work: boot, late metrics and drain; HoldSeconds is
added to them."""

Usage: TypeAlias = dict[str, float]


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one item.

    Attributes:
        item: what is paid for.
        unit: what is counted.
        usd: dollars for `per` units.
        per: how many units `usd` pays for.
        free: units that cost an account nothing each month.
        source: the text with the price; empty for a price from memory.
    """

    item: str
    unit: str
    usd: float
    per: float = 1
    free: float = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """A month's work; `rises` is how often the group scales from 0 to `max_instances` and back."""

    messages: int = 0
    fast_signal: bool = False
    messages_per_poll: int = MESSAGES_PER_POLL.default
    poll_wait_seconds: float = POLL_WAIT_SECONDS.default
    max_instances: int = 4
    hold_seconds: int = 120
    rises: int = 30
    message_logging: str = MESSAGE_LOGGING.default


CLOUDBURN: Final = "cloudburn.io, March 2026"
FACTUALMINDS: Final = "factualminds.com, June 2026"
SIGNOZ: Final = "signoz.io, February 2026"
C3X: Final = "c3x.dev, undated"
LAMBDA_NOTES: Final = "a developer's notes on Lambda, May 2026"

PRICES: Final[Mapping[str, Price]] = {
    "instances": Price("t4g.small, On-Demand", "hour", 0.0168, source="a price list, June 2026"),
    "volumes": Price("EBS gp3", "GB-month", 0.08),
    "addresses": Price("public IPv4 addresses", "hour", 0.005, source=FACTUALMINDS),
    "requests": Price("SQS requests", "request", 0.40, 1e6, 1e6, CLOUDBURN),
    "logs": Price("logs taken in", "GB", 0.50, free=5, source=FACTUALMINDS),
    "archive": Price("logs stored", "GB-month", 0.03),
    "metrics": Price("custom metrics", "metric-month", 0.30, free=10, source=SIGNOZ),
    "puts": Price("PutMetricData requests", "request", 0.01, 1e3, 1e6),
    "alarms": Price("alarm metrics", "metric-month", 0.10, free=10, source=C3X),
    "fast alarms": Price("alarm metrics, high resolution", "metric-month", 0.30, source=C3X),
    "dashboards": Price("dashboards", "dashboard-month", 3.00, free=3, source=FACTUALMINDS),
    "images": Price("images in ECR", "GB-month", 0.10),
    "duration": Price("Lambda, arm64", "GB-second", 0.0000133334, 1, 4e5, LAMBDA_NOTES),
    "runs": Price("Lambda runs", "run", 0.20, 1e6, 1e6, LAMBDA_NOTES),
    "schedule": Price("EventBridge Scheduler", "run", 1.00, 1e6, 14e6, CLOUDBURN),
}
ENDPOINT_HOUR: Final = Price("interface endpoints", "hour", 0.01, source=FACTUALMINDS)

MONTHS: Final = {
    "idle": Month(),
    "1 million": Month(1_000_000),
    "10 million": Month(10_000_000, messages_per_poll=100),
    "idle, fast signal": Month(fast_signal=True),
    "1 million, fast signal": Month(1_000_000, fast_signal=True),
    "10 million, fast signal": Month(10_000_000, fast_signal=True, messages_per_poll=100),
}
WITH_MESSAGES: Final = {name: MONTHS[name] for name in ("1 million", "10 million")}


def usage(month: Month) -> Usage:
    """Return the quantity of each item of PRICES that the month uses."""
    rises = month.rises if month.messages else 0
    polls = month.messages / month.messages_per_poll
    lingering = month.hold_seconds / 60 + RISE_MINUTES
    hours = polls * month.poll_wait_seconds / 3600 + rises * month.max_instances * lingering / 60
    empty_poll_minutes = (RECEIVE_WAIT_SECONDS.default + month.poll_wait_seconds) / 60
    empty = rises * month.max_instances * lingering / empty_poll_minutes
    busy = hours / month.max_instances
    minutes = HOURS * 60 if month.fast_signal else 0
    samples = minutes * SAMPLES_A_MINUTE
    signal = samples * (SAMPLE_BYTES + EVENT_BYTES) + minutes * (REPORT_BYTES + 3 * EVENT_BYTES)
    taken_in = logged_bytes(month.messages, polls + empty, month.message_logging) / 1e9
    return {
        "instances": hours,
        "volumes": hours * VOLUME_GB / HOURS,
        "addresses": hours,
        "requests": 3 * month.messages / MAX_BATCH + empty + samples,  # send, receive, delete
        "logs": taken_in + signal / 1e9,
        "archive": taken_in * COMPRESSED,
        "metrics": (WORKLOAD_METRICS + HOST_METRICS) * busy / HOURS
        + (SIGNAL_METRICS if month.fast_signal else 0),
        "puts": hours * PUTS_AN_HOUR,
        "alarms": ALARM_METRICS,
        "fast alarms": SIGNAL_METRICS if month.fast_signal else 0,
        "dashboards": DASHBOARDS,
        "images": IMAGES_GB,
        "duration": minutes * SIGNAL_SECONDS * SIGNAL_MEMORY_GB,
        "runs": minutes,
        "schedule": minutes,
    }


def cost(used: Usage, prices: Mapping[str, Price], *, allowances: bool) -> dict[str, float]:
    """Return the dollars for each item, with or without an account's monthly free tier."""
    return {
        item: max(amount - (prices[item].free if allowances else 0), 0)
        * prices[item].usd
        / prices[item].per
        for item, amount in used.items()
    }


def price_table(prices: Mapping[str, Price], others: tuple[Price, ...] = (ENDPOINT_HOUR,)) -> str:
    """Return the prices and their sources as a table in Markdown."""
    rows = [
        [price.item, _dollars(price), _per(price), _free(price), price.source or "from memory"]
        for price in [*prices.values(), *others]
    ]
    return table(["price of", "USD", "for", "free a month", "read in"], rows)


def usage_table(months: Mapping[str, Month], prices: Mapping[str, Price]) -> str:
    """Return the quantities of each month as a table in Markdown."""
    columns = [usage(month) for month in months.values()]
    rows = [
        [price.item, _plural(price.unit), *(_amount(column[item]) for column in columns)]
        for item, price in prices.items()
    ]
    return table(["a month", "in", *months], rows)


def cost_table(months: Mapping[str, Month], prices: Mapping[str, Price]) -> str:
    """Return the dollars for each month as a table in Markdown, with two totals."""
    columns = [cost(usage(month), prices, allowances=False) for month in months.values()]
    least = [cost(usage(month), prices, allowances=True) for month in months.values()]
    rows = [
        [price.item, *(f"{column[item]:.2f}" for column in columns)]
        for item, price in prices.items()
    ]
    rows.append(["**all**", *(f"**{sum(column.values()):.2f}**" for column in columns)])
    rows.append(
        [
            "**all, less what is free**",
            *(f"**{sum(column.values()):.2f}**" for column in least),
        ]
    )
    return table(["USD a month", *months], rows)


def logging_table(messages: Mapping[str, Month], prices: Mapping[str, Price]) -> str:
    """Return the dollars for logs in each month, by who sends the messages' content."""
    rows = [
        [
            f"`{choice}`",
            *(f"{_log_dollars(month, choice, prices):.2f}" for month in messages.values()),
        ]
        for choice in MESSAGE_LOGGING.allowed
    ]
    return table(["MessageLogging, logs in USD a month", *messages], rows)


def _log_dollars(month: Month, choice: str, prices: Mapping[str, Price]) -> float:
    dollars = cost(usage(replace(month, message_logging=choice)), prices, allowances=False)
    return dollars["logs"] + dollars["archive"]


def private_network_usd() -> float:
    """Return the dollars per month for a private network's interface endpoints, without traffic."""
    return ENDPOINTS * 2 * HOURS * ENDPOINT_HOUR.usd


def report() -> str:
    """Return all tables, as they are in docs/deploy.md."""
    tables = [
        cost_table(MONTHS, PRICES),
        logging_table(WITH_MESSAGES, PRICES),
        usage_table(MONTHS, PRICES),
        price_table(PRICES),
    ]
    return "\n\n".join(tables) + "\n"


def _dollars(price: Price) -> str:
    digits = f"{price.usd:.10f}".rstrip("0")
    whole, _, cents = digits.partition(".")
    return f"{whole}.{cents:0<2}"


def _per(price: Price) -> str:
    return price.unit if price.per == 1 else f"{price.per:,.0f} {_plural(price.unit)}"


def _plural(unit: str) -> str:
    return unit if unit == "GB" else f"{unit}s"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"  # noqa: PLR2004 - two digits matter


def _free(price: Price) -> str:
    return f"{price.free:,.0f}" if price.free else "none"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])


if __name__ == "__main__":
    sys.stdout.write(report())
