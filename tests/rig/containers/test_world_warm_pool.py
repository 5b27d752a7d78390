"""Containers of a warm pool: instances that are stopped and launched again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from support.builders.containers import ONE

from tidemill.rig.containers.options import (
    FLEET_LABEL,
    INSTANCE_LABEL,
    METADATA_LABEL,
    ROLE_LABEL,
    Depth,
)
from tidemill.scaling.facts import InstanceChanged
from tidemill.scaling.fault_kinds import SPOT
from tidemill.scaling.faults import Fault
from tidemill.scaling.loop import Booted, Vanished
from tidemill.scaling.spec import WarmPool

if TYPE_CHECKING:
    from support.builders.containers import Stages

SPOT_FAULT: Final = Fault(SPOT.name)

both = pytest.mark.parametrize("depth", list(Depth))


def test_a_stopped_instance_stays_and_boots_again_when_it_is_launched_again(
    stage_of: Stages,
) -> None:
    """Its container ends and is started once more, 30 s after the launch."""
    stage = stage_of()
    stage.boot()
    port = stage.made().spec.labels[METADATA_LABEL]
    stage.world.stop(ONE)
    assert stage.made().signals == ["SIGTERM"]
    stage.engine.end(stage.name())
    assert stage.events(after=3600) == []
    stage.world.launch(ONE)
    assert stage.events(after=20) == [Booted(ONE)]
    assert stage.events(after=9.9) == []
    assert stage.made().state == "exited"
    assert stage.events(after=0.1) == []
    assert stage.made().state == "running"
    assert stage.metadata("instance-id") == ONE
    assert stage.made().spec.labels[METADATA_LABEL] == port
    stage.engine.end(stage.name(), code=1)
    assert stage.events() == [
        Vanished(ONE, "its container ended with exit code 1: it wrote no output")
    ]


def test_an_instance_that_was_stopped_before_it_worked_has_all_its_boot_before_it(
    stage_of: Stages,
) -> None:
    """Its user data had not finished."""
    stage = stage_of()
    stage.world.launch(ONE)
    assert stage.events(after=20) == [Booted(ONE)]
    stage.world.stop(ONE)
    assert stage.events(after=100) == []
    stage.world.launch(ONE)
    assert stage.events(after=59.9) == [Booted(ONE)]
    assert stage.made().state == "created"
    assert stage.events(after=0.1) == []
    assert stage.made().state == "running"


def test_a_stopped_instance_stops_its_consumer_and_runs_its_user_data_again(
    stage_of: Stages,
) -> None:
    """It starts when it has booted."""
    stage = stage_of(Depth.USER_DATA)
    stage.boot()
    labels = {FLEET_LABEL: "mill", INSTANCE_LABEL: ONE, ROLE_LABEL: "consumer"}
    stage.engine.add(f"mill-{ONE}-consumer", labels)
    stage.world.stop(ONE)
    for container in stage.engine.made.values():
        assert container.signals == ["SIGTERM"]
        container.state = "exited"
    assert stage.events() == []
    assert not stage.world.polled()
    stage.world.launch(ONE)
    assert stage.events(after=20) == [Booted(ONE)]
    assert stage.made().state == "running"


@both
def test_an_instance_that_is_launched_again_starts_a_new_life(
    stage_of: Stages, depth: Depth
) -> None:
    """Its metadata keeps neither the target state nor the notice of its earlier one."""
    stage = stage_of(depth)
    stage.boot()
    stage.world.drain(ONE)
    stage.world.inject(ONE, SPOT_FAULT)
    stage.world.stop(ONE)
    stage.engine.end(stage.name())
    stage.world.launch(ONE)
    assert stage.metadata("autoscaling/target-lifecycle-state") == "InService"
    assert stage.metadata("spot/instance-action") is None
    assert stage.events(after=120) == [Booted(ONE)]
    assert stage.made().state == "running"


@both
def test_a_stopped_instance_ends_what_does_not_listen(stage_of: Stages, depth: Depth) -> None:
    """It is killed after 90 s, and when the instance is launched again."""
    stage = stage_of(depth)
    stage.boot()
    stage.world.stop(ONE)
    assert stage.events(after=89.9) == []
    assert stage.made().signals == ["SIGTERM"]
    assert stage.events(after=0.1) == []
    assert stage.made().signals == ["SIGTERM", "SIGKILL"]
    stage.world.launch(ONE)
    assert stage.made().signals == ["SIGTERM", "SIGKILL", "SIGKILL"]


def test_a_stopped_instance_completes_no_hook_and_can_be_terminated(stage_of: Stages) -> None:
    """Nothing on it could complete the hook, which has to time out."""
    stage = stage_of()
    stage.boot()
    stage.world.stop(ONE)
    stage.engine.end(stage.name())
    stage.world.drain(ONE)
    assert stage.events() == []
    stage.world.terminate(ONE)
    assert stage.events() == [Vanished(ONE)]


def test_an_instance_reads_whether_it_is_for_the_pool_or_for_the_group(stage_of: Stages) -> None:
    """The target state is the pool's while it is prepared, and InService when it is needed."""
    stage = stage_of()
    stage.boot()
    read = []
    for state in ("Warmed:Pending", "Warmed:Stopped", "Pending", "InService", "Standby"):
        stage.world.show_states((InstanceChanged(0, ONE, state),), WarmPool())
        read.append(stage.metadata("autoscaling/target-lifecycle-state"))
    assert read == ["Warmed:Stopped", "Warmed:Stopped", "InService", "InService", "Standby"]
    stage.world.drain(ONE)
    assert stage.metadata("autoscaling/target-lifecycle-state") == "Terminated"
    stage.world.show_states((InstanceChanged(0, ONE, "Warmed:Terminating:Wait"),), WarmPool())
    assert stage.metadata("autoscaling/target-lifecycle-state") == "Warmed:Terminated"
    stage.world.show_states((InstanceChanged(0, "i-other", "Pending"),), None)
