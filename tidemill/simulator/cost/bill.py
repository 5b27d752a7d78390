"""Bill of a run: dollars a day, by the prices of tidemill.simulator.cost.prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.quotas import MAX_BATCH
from tidemill.simulator.cost.fleet_prices import prices_of
from tidemill.simulator.cost.log_volume import logged_bytes
from tidemill.simulator.cost.prices import (
    COMPRESSED,
    HOST_METRICS,
    HOURS,
    PRICES,
    PUTS_AN_HOUR,
    VOLUME_GB,
    WORKLOAD_METRICS,
    Month,
    cost,
    usage,
)
from tidemill.simulator.worker_settings import read_worker_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.scaling.spec import Fleet
    from tidemill.simulator.cost.prices import Price
    from tidemill.simulator.result import Result

DAYS_OF_MONTH = HOURS / 24
SECONDS_OF_DAY = 86_400
FAST_PERIOD = 60
"""Alarms with a shorter period than this are charged as high-resolution alarms."""


def dollars_a_day(
    fleet: Fleet,
    result: Result,
    prices: Mapping[str, Price] | None = None,
    *,
    worker_metrics: int = 0,
) -> dict[str, float]:
    """Return dollars a day for each item that depends on how the fleet scales, without free tiers.

    Dashboards, images and the alarms for operators are left out: they cost the same under every
    policy. The bill includes the metrics of the scaling alarms, the signal, and the metrics of the
    workers; each metric is charged for every hour in which it has a datapoint.

    Args:
        fleet: the fleet.
        result: its run.
        prices: the price of each item; None for those of the fleet.
        worker_metrics: the custom metrics that the workers publish for a policy in addition, each
            with a request once a minute.
    """
    prices = prices_of(fleet) if prices is None else prices
    days = result.seconds / SECONDS_OF_DAY
    messages, instances = result.messages, result.instances
    hours = instances.billed_seconds / 3600
    logging = read_worker_settings(fleet.user_data).message_logging
    logs = logged_bytes(messages.attempts, messages.requests / 2, logging) / 1e9
    work = {
        "instances": hours,
        "volumes": hours * VOLUME_GB / HOURS,
        "addresses": hours,
        "requests": messages.sent / MAX_BATCH + messages.requests,
        "logs": logs,
        "archive": logs * COMPRESSED,
        "metrics": (WORKLOAD_METRICS + HOST_METRICS + worker_metrics)
        * len(instances.hours)
        / HOURS,
        "puts": hours * PUTS_AN_HOUR * (1 + worker_metrics),
    }
    daily = {item: dollars / days for item, dollars in _priced(work, prices).items()}
    monthly = _priced(_standing(fleet), prices)
    return daily | {
        item: daily.get(item, 0.0) + dollars / DAYS_OF_MONTH for item, dollars in monthly.items()
    }


def instance_seconds_dollars(seconds: float, prices: Mapping[str, Price] = PRICES) -> float:
    """Return the dollars for seconds of instances, including their volumes and addresses."""
    hours = seconds / 3600
    return sum(
        _priced(
            {"instances": hours, "volumes": hours * VOLUME_GB / HOURS, "addresses": hours}, prices
        ).values()
    )


def _standing(fleet: Fleet) -> dict[str, float]:
    """Return the quantities that scaling uses in a month even if no message is sent."""
    looks = [
        (alarm.period, sum(query.stat is not None for query in alarm.queries))
        for alarm in fleet.alarms
    ]
    standing = {
        "alarms": float(sum(metrics for period, metrics in looks if period >= FAST_PERIOD)),
        "fast alarms": float(sum(metrics for period, metrics in looks if period < FAST_PERIOD)),
    }
    if fleet.signal_period is not None:
        plain, signal = usage(Month()), usage(Month(fast_signal=True))
        for item in ("requests", "logs", "metrics", "duration", "runs", "schedule"):
            standing[item] = signal[item] - plain[item]
    return standing


def _priced(amounts: Mapping[str, float], prices: Mapping[str, Price]) -> dict[str, float]:
    return cost(dict(amounts), prices, allowances=False)
