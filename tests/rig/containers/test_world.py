"""Containers as instances, over an engine in memory: their parts, their boot and their logs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest
from support.builders.containers import ONE, TWO

from tidemill.rig.containers.options import (
    FLEET_LABEL,
    INSTANCE_LABEL,
    LAUNCHED_LABEL,
    METADATA_LABEL,
    ROLE_LABEL,
    SOCKET,
    Depth,
)
from tidemill.scaling.loop import Booted, Vanished

if TYPE_CHECKING:
    from support.builders.containers import Stages

PATIENCE: Final = 20.0


both = pytest.mark.parametrize("depth", list(Depth))


def test_an_instance_is_the_consumers_container_with_its_settings(stage_of: Stages) -> None:
    """It has few rights, the address of its metadata, and the instance's id as its host name."""
    stage = stage_of()
    stage.world.launch(ONE)
    spec = stage.made().spec
    assert (spec.name, spec.hostname) == (f"mill-{ONE}", ONE)
    assert (spec.image, spec.network) == ("the-consumer", "the-network")
    assert (dict(spec.volumes), spec.writable) == ({}, False)
    port = spec.labels[METADATA_LABEL]
    assert spec.environment == {
        "NAME_TAG": ONE,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://controller:{port}",
    }


def test_an_instance_that_runs_user_data_has_a_docker_command(
    stage_of: Stages,
) -> None:
    """It may write, and its environment describes the consumer's container."""
    stage = stage_of(Depth.USER_DATA)
    stage.world.launch(ONE)
    spec = stage.made().spec
    assert (spec.image, spec.hostname, spec.writable) == ("the-machine", ONE, True)
    assert spec.volumes == {SOCKET: "/run/the-engine.sock"}
    labels = dict(word.split("=") for word in spec.environment["CONSUMER_LABELS"].split(" "))
    assert labels == {
        "project": "tests",
        FLEET_LABEL: "mill",
        INSTANCE_LABEL: ONE,
        ROLE_LABEL: "consumer",
    }
    given = {name: text for name, text in spec.environment.items() if name != "CONSUMER_LABELS"}
    assert given == {
        "NAME_TAG": ONE,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://controller:{spec.labels[METADATA_LABEL]}",
        "CONSUMER_IMAGE": "the-consumer",
        "CONSUMER_NAME": f"mill-{ONE}-consumer",
        "CONSUMER_NETWORK": "the-network",
    }


@both
def test_every_container_is_labelled(stage_of: Stages, depth: Depth) -> None:
    """The labels name the fleet, and hold what a later controller needs."""
    stage = stage_of(depth)
    before = time.time()
    stage.world.launch(ONE)
    labels = stage.made().spec.labels
    assert labels.keys() == {
        "project",
        FLEET_LABEL,
        INSTANCE_LABEL,
        ROLE_LABEL,
        LAUNCHED_LABEL,
        METADATA_LABEL,
    }
    assert (labels[FLEET_LABEL], labels[INSTANCE_LABEL]) == ("mill", ONE)
    assert labels[ROLE_LABEL] == "instance"
    assert before <= float(labels[LAUNCHED_LABEL]) <= time.time()


def test_each_instance_has_metadata_of_its_own(stage_of: Stages) -> None:
    """Each metadata service has its own port."""
    stage = stage_of()
    for instance in (ONE, TWO):
        stage.world.launch(instance)
        assert stage.metadata("instance-id", instance) == instance
        assert stage.metadata("placement/region", instance) == "eu-west-1"
        assert stage.metadata("autoscaling/target-lifecycle-state", instance) == "InService"


def test_an_instance_is_running_before_its_consumer_works(stage_of: Stages) -> None:
    """In AWS's time: running after 20 s, the consumer started after 60 s."""
    stage = stage_of()
    stage.world.launch(ONE)
    assert stage.events(after=19.9) == []
    assert stage.events(after=0.1) == [Booted(ONE)]
    assert stage.events(after=39.9) == []
    assert (stage.made().state, stage.world.polled()) == ("created", False)
    assert stage.events(after=0.1) == []
    assert stage.made().state == "running"
    assert stage.events() == []
    assert stage.world.polled()


def test_user_data_starts_when_the_instance_has_booted(stage_of: Stages) -> None:
    """User data itself decides what happens then."""
    stage = stage_of(Depth.USER_DATA)
    stage.world.launch(ONE)
    assert stage.events(after=19.9) == []
    assert stage.made().state == "created"
    assert stage.events(after=0.1) == [Booted(ONE)]
    assert stage.made().state == "running"


def test_a_queue_is_polled_by_consumers_not_by_user_data(stage_of: Stages) -> None:
    """Only a container with the consumer's role counts."""
    stage = stage_of(Depth.USER_DATA)
    stage.boot()
    assert stage.events() == []
    assert not stage.world.polled()
    labels = {FLEET_LABEL: "mill", INSTANCE_LABEL: ONE, ROLE_LABEL: "consumer"}
    stage.engine.add(f"mill-{ONE}-consumer", labels)
    assert stage.events() == []
    assert stage.world.polled()
    stage.engine.end(f"mill-{ONE}-consumer")
    assert stage.events() == []
    assert not stage.world.polled()


def test_the_output_of_consumers_is_kept_in_the_logs(stage_of: Stages) -> None:
    """Each instance has its own file."""
    stage = stage_of()
    stage.boot(ONE)
    stage.made(ONE).out.append(b'{"time": 1}\n')
    assert stage.events() == []
    file = stage.world.logs / f"{ONE}.jsonl"
    deadline = time.monotonic() + PATIENCE
    while not file.exists() or not file.read_text():
        assert time.monotonic() < deadline, "nothing was kept"
        time.sleep(0.01)
    assert file.read_text() == '{"time": 1}\n'


def test_the_last_output_of_a_consumer_is_kept_before_it_is_removed(stage_of: Stages) -> None:
    """This holds for output that was written after the last look."""
    stage = stage_of()
    stage.boot(ONE)
    stage.made(ONE).out.append(b'{"time": 1}\n')
    stage.engine.end(stage.name())
    assert isinstance(stage.events()[0], Vanished)
    assert (stage.world.logs / f"{ONE}.jsonl").read_text() == '{"time": 1}\n'
