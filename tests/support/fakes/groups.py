"""An Auto Scaling group in memory, for tests of the API and of its clients."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from support.builders.fleets import product_fleet
from support.builders.sessions import KEYS

from tidemill.rig.autoscaling.ports import GroupView
from tidemill.rig.errors import RigError
from tidemill.scaling.group.memory import GroupMemory
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import booted
from tidemill.scaling.requests.activities import record_activities
from tidemill.scaling.requests.apply import apply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_autoscaling import AutoScalingClient

    from tidemill.rig.door.credentials import Keys
    from tidemill.scaling.faults import Fault
    from tidemill.scaling.group.memory import Step
    from tidemill.scaling.requests.activities import Activity
    from tidemill.scaling.requests.apply import Applied
    from tidemill.scaling.requests.commands import Command

NOW: Final = 1_750_000_020.0
NAME: Final = "tidemill-workers"
ONE: Final = "i-00000000000000001"
TWO: Final = "i-00000000000000002"


@contextmanager
def autoscaling_client(url: str, keys: Keys = KEYS) -> Iterator[AutoScalingClient]:
    """Provide a client of the API at this URL that also sends what boto3 would refuse."""
    client = boto3.client(
        "autoscaling",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )
    try:
        yield client
    finally:
        client.close()


class GroupInMemory:
    """The product's group over the core, without a world; a turn boots what was launched."""

    def __init__(self) -> None:
        """Begin without an instance."""
        self.fleet = product_fleet()
        self.memory = GroupMemory(0)
        self.activities: tuple[Activity, ...] = ()
        self.faults: list[Fault] = []
        self.lock = Lock()

    def view(self) -> GroupView:
        """Return the group."""
        return GroupView(self.fleet, self.memory, self.activities[::-1], NOW)

    def request(self, command: Command) -> Applied:
        """Apply a command."""
        with self.lock:
            applied = apply(self.fleet, self.memory, command, NOW)
            self.fleet, self.memory = applied.fleet, applied.memory
            self.activities = record_activities(self.activities, applied.facts)
            return applied

    def inject(self, fault: Fault) -> str:
        """Note a fault with its target, by default the first instance."""
        chosen = fault.target or ONE
        if self.memory.find(chosen) is None:
            raise RigError(f"the group has no instance {chosen}")
        self.faults.append(replace(fault, target=chosen))
        return chosen

    def turn(self) -> None:
        """Reconcile the group, and move every new instance to InService."""
        step = reconcile(self.fleet.group, self.memory, NOW)
        for instance in step.launch:
            step = step.then(booted(self.fleet.group, step.memory, instance, NOW))
        self.take(step)

    def take(self, step: Step) -> None:
        """Apply an event to the group."""
        self.memory = step.memory
        self.activities = record_activities(self.activities, step.facts)


def group_of_two() -> GroupInMemory:
    """Return a group of two instances in service."""
    group = GroupInMemory()
    group.memory = GroupMemory(2)
    group.turn()
    return group
