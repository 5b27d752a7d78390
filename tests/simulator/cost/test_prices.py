"""The month's cost: what is counted in the template is counted right, and so is the arithmetic."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE, product_template

from consumer.attempt import Attempt, AttemptResult
from consumer.delivery import Delivery
from consumer.logs.counts import Counts, MetricLabels, cycle_line
from consumer.logs.message_log import content_lines
from shared.logs import encode_line, timestamp
from shared.queue import ReceivedMessage
from tidemill.simulator.cost import log_volume
from tidemill.simulator.cost import prices as cost

TEMPLATE = product_template()
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
VEHICLE = (
    '{"vehicleId":"VH3633000001","make":"Volkswagen","model":"ID.3","year":2023,'
    '"color":"Red","mileage":68549}'
)


def of_type(kind: str) -> list[dict[str, Any]]:
    """Return the resources of a type."""
    return [resource for resource in RESOURCES.values() if resource["Type"] == kind]


def periods_of(alarm: dict[str, Any]) -> list[int]:
    """Return the periods of the metrics that an alarm looks at, by the template's defaults."""
    properties = alarm["Properties"]
    stats = [item["MetricStat"] for item in properties.get("Metrics", []) if "MetricStat" in item]
    return [
        TEMPLATE["Parameters"][period["Ref"]]["Default"] if isinstance(period, dict) else period
        for period in (stat["Period"] for stat in stats or [properties])
    ]


@pytest.mark.parametrize("fast_signal", [False, True], ids=["without-signal", "with-signal"])
def test_alarm_metrics_are_as_many_as_the_template_has(fast_signal: bool) -> None:  # noqa: FBT001 - a case
    """Each metric that an alarm reads is charged, at high resolution as a fast alarm."""
    alarms = of_type("AWS::CloudWatch::Alarm")
    periods = [
        period
        for alarm in alarms
        for period in periods_of(alarm)
        if fast_signal or alarm.get("Condition") != "FastSignalOn"
    ]
    used = cost.usage(cost.Month(fast_signal=fast_signal))
    assert used["alarms"] == sum(period >= 60 for period in periods)
    assert used["fast alarms"] == sum(period < 60 for period in periods)


def test_everything_else_that_is_counted_is_in_the_template() -> None:
    """Dashboards, endpoints, volume and the signal's memory are as in the template."""
    endpoints = [r["Properties"]["VpcEndpointType"] for r in of_type("AWS::EC2::VPCEndpoint")]
    launch = RESOURCES["WorkerLaunchTemplate"]["Properties"]["LaunchTemplateData"]
    assert len(of_type("AWS::CloudWatch::Dashboard")) == cost.DASHBOARDS
    assert endpoints.count("Interface") == cost.ENDPOINTS
    assert launch["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == cost.VOLUME_GB
    assert RESOURCES["SignalFunction"]["Properties"]["MemorySize"] == cost.SIGNAL_MEMORY_GB * 1024
    assert len(of_type("AWS::ECR::Repository")) == 2


def test_a_month_has_the_templates_defaults() -> None:
    """A month has the template's defaults, and the price is that of the first instance type."""
    defaults = {name: given["Default"] for name, given in TEMPLATE["Parameters"].items()}
    month = cost.Month()
    assert (month.messages_per_poll, month.poll_wait_seconds) == (
        defaults["MessagesPerPoll"],
        defaults["PollWaitSeconds"],
    )
    assert (month.max_instances, month.hold_seconds) == (
        defaults["MaxInstances"],
        defaults["HoldSeconds"],
    )
    assert cost.PRICES["instances"].item.split(",")[0] == defaults["InstanceTypes"].split(",")[0]


def test_log_lines_are_as_long_as_the_consumer_writes_them() -> None:
    """The constants are within a tenth of real lines, with and without Docker's fields."""
    received = ReceivedMessage("f5839094-187a-45a8-9d00-7480afe6ec6f", "receipt", VEHICLE, 1, 1.8e9)
    delivery = Delivery(1, received, 1.8e9 + 3.737, VEHICLE)
    outcome = Attempt(delivery, AttemptResult.PROCESSED, None, 0.001176, 1.8e9)
    (message,) = content_lines("i-0123456789abcdef0", [outcome])
    source = MetricLabels("Tidemill", "tidemill-work", "i-0123456789abcdef0")
    cycle = encode_line(cycle_line(source, Counts(10, 10, deleted=10), 0.25, 1.8e9))
    assert len(message) == pytest.approx(log_volume.MESSAGE_BYTES, rel=0.1)
    assert len(cycle) == pytest.approx(log_volume.CYCLE_BYTES, rel=0.1)
    deleted = encode_line(
        {
            "time": timestamp(1.8e9),
            "level": "INFO",
            "event": "messages deleted",
            "instance_id": "i-0123456789abcdef0",
            "message_ids": [received.message_id] * 10,
        }
    )
    ids = 10 * log_volume.DELETED_ID_BYTES
    assert len(deleted) == pytest.approx(log_volume.DELETE_BYTES + ids, rel=0.1)
    content = len(message) - len(message.partition(b',"body"')[0]) - 1
    assert content == pytest.approx(log_volume.CONTENT_BYTES, rel=0.1)
    wrapped = {
        "log": f"{message.decode()}\n",
        "stream": "stdout",
        "time": "2026-11-24T09:34:02.818123456Z",
    }
    longer = len(json.dumps(wrapped, separators=(",", ":"))) - len(message)
    assert longer == pytest.approx(log_volume.WRAPPING_BYTES, rel=0.1)


def test_ten_messages_a_minute_and_instance_take_their_hours() -> None:
    """A million messages take 1,667 hours, and each rise adds boot, drain and HoldSeconds."""
    used = cost.usage(cost.Month(1_000_000, rises=0))
    assert used["instances"] == pytest.approx(1_000_000 / 10 / 60)
    risen = cost.usage(cost.Month(1_000_000, rises=30))
    assert risen["instances"] - used["instances"] == pytest.approx(30 * 4 * 7 / 60)


@pytest.mark.parametrize("name", cost.MONTHS)
def test_the_fleet_can_do_the_months_work(name: str) -> None:
    """The month needs no more hours than all instances have."""
    month = cost.MONTHS[name]
    assert cost.usage(month)["instances"] <= month.max_instances * cost.HOURS


def test_three_requests_move_ten_messages() -> None:
    """Ten messages need a send, a receive and a delete; the signal adds six requests a minute."""
    used = cost.usage(cost.Month(1_000_000, rises=0))
    assert used["requests"] == 300_000
    assert cost.usage(cost.Month(fast_signal=True))["requests"] == 6 * 60 * 730


def test_an_idle_month_takes_no_instance_and_no_request() -> None:
    """Alarms, dashboards and images are the only quantities of an idle month."""
    used = cost.usage(cost.Month())
    assert {item for item, amount in used.items() if amount} == {"alarms", "dashboards", "images"}


def test_allowances_lower_a_price_and_never_below_nothing() -> None:
    """With 3 free dashboards, 2 cost nothing; with 10 free metrics, 13 cost as much as 3."""
    used = cost.usage(cost.Month()) | {"metrics": 13}
    gross = cost.cost(used, cost.PRICES, allowances=False)
    least = cost.cost(used, cost.PRICES, allowances=True)
    assert gross["dashboards"] == pytest.approx(6)
    assert least["dashboards"] == 0
    assert least["metrics"] == pytest.approx(0.9)
    assert all(least[item] <= gross[item] for item in gross)


def test_prices_are_inputs() -> None:
    """A changed price changes the dollars of its own item only."""
    used = cost.usage(cost.Month(1_000_000))
    dearer = {
        **cost.PRICES,
        "instances": replace(cost.PRICES["instances"], usd=2 * cost.PRICES["instances"].usd),
    }
    before = cost.cost(used, cost.PRICES, allowances=False)
    after = cost.cost(used, dearer, allowances=False)
    assert after["instances"] == pytest.approx(2 * before["instances"])
    assert {**after, "instances": 0} == {**before, "instances": 0}


def test_the_documentation_says_what_a_private_network_costs() -> None:
    """docs/deploy.md has the cost of a private network in its text."""
    text = (PRODUCT_TEMPLATE.parent / "docs/deploy.md").read_text(encoding="utf-8")
    assert f"which cost {cost.private_network_usd():.2f} USD a month" in text


def test_a_price_has_its_source() -> None:
    """Each row has its source, or says that the price is from memory."""
    table = cost.price_table(cost.PRICES)
    assert "| EBS gp3 | 0.08 | GB-month | none | from memory |" in table
    assert "| Lambda, arm64 | 0.0000133334 | GB-second | 400,000 |" in table
