"""Controller of a fleet of containers: what it adopts, and the settings of its instances."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

import pytest
from support.builders.fleets import product_fleet, product_template
from support.builders.sessions import SESSION
from support.builders.times import MINUTE_BOOT
from support.fakes.engines import FakeEngine, HandClock
from support.fakes.groups import ONE, TWO

from tidemill.rig.containers.controller import ControllerOptions, _for_instances, _world, adopted
from tidemill.rig.containers.options import Depth
from tidemill.rig.containers.world import Adopted
from tidemill.rig.durations import shortened
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.template.user_data import container_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tidemill.rig.containers.engine import ContainerSpec, DockerEngine
    from tidemill.rig.rig import Rig

NOW: Final = 1_750_000_020.0
GROUP: Final = product_fleet().group


# ---- adoption


def test_instances_of_an_earlier_controller_are_the_groups() -> None:
    """Started instances are in service, the oldest first; the desired capacity counts all."""
    found = [Adopted(TWO, NOW - 10, booted=False), Adopted(ONE, NOW - 90, booted=True)]
    memory = adopted(GROUP, GroupMemory(0), NOW, found)
    assert [
        (item.id, item.state, item.launched_at, item.in_service_at) for item in memory.instances
    ] == [
        (ONE, LifecycleState.IN_SERVICE, NOW - 90, NOW),
        (TWO, LifecycleState.PENDING, NOW - 10, None),
    ]
    assert memory.desired == 2


def test_nothing_is_launched_or_ended_because_of_an_adoption() -> None:
    """The group has its desired capacity."""
    memory = adopted(GROUP, GroupMemory(0), NOW, [Adopted(ONE, NOW, booted=True)])
    step = reconcile(GROUP, memory, NOW)
    assert (step.launch, step.drain, step.terminate) == ((), (), ())


def test_a_group_that_needs_more_than_it_finds_launches_the_rest() -> None:
    """Their ids are new."""
    last = "i-0000000000000001f"
    memory = adopted(GROUP, GroupMemory(3), NOW, [Adopted(last, NOW, booted=True)])
    assert memory.desired == 3
    step = reconcile(GROUP, memory, NOW)
    assert step.launch == ("i-00000000000000020", "i-00000000000000021")


def test_a_group_that_finds_nothing_is_as_it_was() -> None:
    """An earlier controller left nothing."""
    memory = GroupMemory(1, launched=4)
    assert adopted(GROUP, memory, NOW, []) == memory


@pytest.mark.parametrize(
    ("scheduled", "desired", "going"),
    [pytest.param(None, 1, (ONE,), id="template"), pytest.param(2, 2, (), id="schedule")],
)
def test_a_group_that_finds_more_than_it_may_have_lets_the_rest_go(
    scheduled: int | None, desired: int, going: tuple[str, ...]
) -> None:
    """The limits may have changed with the template or by a scheduled action."""
    found = [Adopted(name, NOW, booted=True) for name in (ONE, TWO)]
    small = replace(GROUP, max_size=1)
    memory = adopted(small, GroupMemory(0, max_size=scheduled), NOW, found)
    assert memory.desired == desired
    step = reconcile(small, memory, NOW)
    assert (step.launch, step.drain) == ((), going)


def test_instances_are_adopted_with_the_protection_that_new_ones_have() -> None:
    """Protection begins in service."""
    found = [Adopted(TWO, NOW - 10, booted=False), Adopted(ONE, NOW - 90, booted=True)]
    memory = adopted(replace(GROUP, protects=True), GroupMemory(0), NOW, found)
    assert [item.protected for item in memory.instances] == [True, False]


# ---- settings of instances


def launched(folder: Path, depth: Depth) -> ContainerSpec:
    """Return what an instance of the product's fleet is created from."""
    fleet = product_fleet()
    speed = 20.0

    def consumer_settings(instance: str) -> dict[str, str]:
        given = container_environment(fleet.user_data, {"INSTANCE_ID": instance})
        return shortened(given, speed)

    rig = SimpleNamespace(
        fleet=fleet,
        clock=HandClock(speed=speed),
        queue_url="http://localstack:4566/queue/work",
        consumer_settings=consumer_settings,
    )
    options: dict[str, Any] = {
        "folder": folder,
        "template": product_template(),
        "endpoint": "http://localstack:4566",
        "session": SESSION,
        "stack": "a-stack",
        "name": "mill",
        "speed": speed,
        "times": MINUTE_BOOT,
        "autoscaling_port": 0,
        "depth": depth,
        "image": "the-consumer",
        "instance_image": "the-machine",
        "network": "the-network",
        "host": "fleet",
        "socket": "/var/run/docker.sock",
        "labels": {},
    }
    engine = FakeEngine()
    fleet_options = ControllerOptions(**options)
    world = _world(
        cast("Rig", rig),
        cast("DockerEngine", engine),
        fleet_options,
        lambda: _for_instances(fleet_options, "http://0.0.0.0:4567"),
    )
    world.launch(ONE)
    spec = engine.made[f"mill-{ONE}"].spec
    world.close()
    return spec


@pytest.mark.parametrize("depth", list(Depth))
def test_an_instance_has_no_credentials_but_those_of_its_role(tmp_path: Path, depth: Depth) -> None:
    """It reads them from its metadata, as on EC2, whose address is among its settings."""
    environment = launched(tmp_path, depth).environment
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        assert name not in environment
    assert environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"].startswith("http://fleet:")
    assert environment["AWS_ENDPOINT_URL"] == "http://localstack:4566"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-east-1"


def test_a_consumer_has_what_user_data_gives_at_the_rigs_speed(tmp_path: Path) -> None:
    """Its environment also has the settings for the local AWS."""
    environment = launched(tmp_path, Depth.DIRECT).environment
    assert environment["INSTANCE_ID"] == ONE
    given = container_environment(product_fleet().user_data, {"INSTANCE_ID": ONE})
    assert given.keys() <= environment.keys()
    assert float(environment["POLL_WAIT_SECONDS"]) == float(given["POLL_WAIT_SECONDS"]) / 20


def test_user_data_finds_the_auto_scaling_api(tmp_path: Path) -> None:
    """Its drain watcher needs the port of the API and the speed."""
    environment = launched(tmp_path, Depth.USER_DATA).environment
    assert environment["AWS_ENDPOINT_URL_AUTO_SCALING"] == "http://fleet:4567"
    assert environment["SPEED"] == "20"
    assert environment["QUEUE_URL"] == "http://localstack:4566/queue/work"
    assert "POLL_WAIT_SECONDS" not in environment, "its user data says that"
