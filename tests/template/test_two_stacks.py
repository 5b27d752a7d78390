"""Two stacks with every optional part, side by side in one account and region of an emulator.

What the emulator lets pass and AWS does not, such as two schedules with one name, and what it does
not support, such as alarms on metric math, is in test_names.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.sam import SAM, ministack_emulator, require
from support.stack.deployment import physical_ids, run, write_template
from support.stack.inventory import inventory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.emulators.sam import Emulator
    from support.stack.inventory import Item

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(600)]

PRIVATE, PUBLIC = "tidemill-local", "Tidemill--Local"
NETWORKS: Final = {PRIVATE: "private", PUBLIC: "public"}
"""Stacks and their networks; the second stack's name has capitals and a double hyphen."""

SENT: Final = {PRIVATE: 3, PUBLIC: 1}
"""Messages that each stack's queue gets."""

KEY: Final = "arn:aws:kms:eu-west-1:000000000000:key/0a1b2c3d"
MADE_AGAIN: Final = {
    ("logs", "describe_log_groups", f"/tidemill/{name}/signal") for name in NETWORKS
}
"""Log groups that a function which still runs may create again after the deletion. On AWS its role
does not allow that (test_iam.py), but the emulator enforces no permissions."""

PEOPLE: Final = "people@example.com"


@dataclass
class Pair:
    """Both stacks: what they consist of, how they worked, and what their deletion left."""

    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    endpoints: dict[str, int] = field(default_factory=dict)
    subscribers: dict[str, list[str]] = field(default_factory=dict)
    sampled: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: set[Item] = field(default_factory=set)
    alone: set[Item] = field(default_factory=set)
    left: set[Item] = field(default_factory=set)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Deploy both stacks, use them, delete the private one first, then the other one."""
    require(SAM, "make validate")
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("project")
    write_template(folder, "ministack")
    pair = Pair()
    with ministack_emulator(home) as emulator:
        run(emulator, folder, "build", "--template-file", "template.json")
        before, _ = inventory(emulator.client)
        deploy(emulator, folder, PUBLIC)
        kept, _ = inventory(emulator.client)
        pair.kept = kept - before
        deploy(emulator, folder, PRIVATE)
        for name in NETWORKS:
            use(emulator, name, pair)
        run(emulator, folder, "delete", "--no-prompts", "--stack-name", PRIVATE)
        alone, _ = inventory(emulator.client)
        pair.alone = alone - before
        run(emulator, folder, "delete", "--no-prompts", "--stack-name", PUBLIC)
        after, _ = inventory(emulator.client)
        pair.left = after - before
        yield pair


def deploy(emulator: Emulator, folder: Path, name: str) -> None:
    """Deploy a stack of this name with every optional part."""
    parameters = {
        "FastSignal": "true",
        "HoldSeconds": "300",
        "KmsKeyArn": KEY,
        "NotificationEmail": PEOPLE,
        "DetailedMonitoring": "true",
        "OnDemandPercentage": "50",
        "Network": NETWORKS[name],
    }
    run(
        emulator, folder, "deploy", "--stack-name", name, "--parameter-overrides",
        *(f"{key}={value}" for key, value in parameters.items()),
    )  # fmt: skip


def use(emulator: Emulator, name: str, pair: Pair) -> None:
    """Note what a stack has, send messages to its queue, and run its function if there is one."""
    ids = pair.ids[name] = physical_ids(emulator, name)
    sqs, sns, ec2 = (emulator.client(service) for service in ("sqs", "sns", "ec2"))
    asked = sqs.get_queue_attributes(QueueUrl=ids["WorkQueue"], AttributeNames=["KmsMasterKeyId"])
    pair.keys[name] = asked["Attributes"]["KmsMasterKeyId"]
    found = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    pair.endpoints[name] = sum(item["VpcId"] == ids["FleetVpc"] for item in found)
    listed = sns.list_subscriptions_by_topic(TopicArn=ids["PeopleTopic"])["Subscriptions"]
    pair.subscribers[name] = [item["Endpoint"] for item in listed]
    for _ in range(SENT[name]):
        sqs.send_message(QueueUrl=ids["WorkQueue"], MessageBody="{}")
    pair.sampled[name] = newest_sample(emulator, ids)


def newest_sample(emulator: Emulator, ids: Mapping[str, str]) -> dict[str, Any]:
    """Run the function, and return the last line of embedded metrics that it printed."""
    answer = emulator.client("lambda").invoke(FunctionName=ids["SignalFunction"])
    assert "FunctionError" not in answer
    events = emulator.client("logs").filter_log_events(logGroupName=ids["SignalLogGroup"])
    lines = [
        json.loads(event["message"])
        for event in events["events"]
        if event["message"].startswith('{"_aws"')
    ]
    assert len(lines) >= 6  # the schedule may have run it as well
    return dict(lines[-1])


def test_both_stacks_have_resources_of_their_own(pair: Pair) -> None:
    """No physical id is in both; the private one has endpoints, the public one a route."""
    first, second = (set(pair.ids[name].values()) - {"unknown"} for name in NETWORKS)
    assert first & second == set()
    assert pair.endpoints == {PRIVATE: 10, PUBLIC: 0}
    assert "FleetInternetRoute" in pair.ids[PUBLIC]
    assert "FleetInternetRoute" not in pair.ids[PRIVATE]


def test_every_optional_part_is_there(pair: Pair) -> None:
    """The key encrypts both queues, and each topic has its subscriber."""
    assert pair.keys == {PRIVATE: KEY, PUBLIC: KEY}
    assert pair.subscribers == {PRIVATE: [PEOPLE], PUBLIC: [PEOPLE]}
    assert all("SignalLogGroup" in ids for ids in pair.ids.values())


def test_each_stacks_signal_is_about_its_own_queue(pair: Pair) -> None:
    """The metrics differ in the queue's name."""
    for name, sample in pair.sampled.items():
        (metrics,) = sample["_aws"]["CloudWatchMetrics"]
        assert metrics["Namespace"] == "Tidemill"
        assert metrics["Dimensions"] == [["QueueName"]]
        assert (sample["QueueName"], sample["Backlog"]) == (f"{name}-work", SENT[name])
        assert sample["DesiredCapacity"] == 0
    assert pair.sampled.keys() == NETWORKS.keys()


def test_deleting_one_stack_leaves_the_other_one_complete(pair: Pair) -> None:
    """What the account had before the private stack, it has after that stack's deletion."""
    assert len(pair.kept) > 20
    assert pair.alone - MADE_AGAIN == pair.kept - MADE_AGAIN


def test_nothing_is_left_when_both_are_deleted(pair: Pair) -> None:
    """Messages, log lines and names included."""
    assert pair.left - MADE_AGAIN == set()
