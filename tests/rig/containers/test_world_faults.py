"""Faults of instances that are containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from support.builders.containers import ONE

from tidemill.rig.chaos.injections import FAILED
from tidemill.rig.containers.disk import limit_command
from tidemill.rig.containers.options import Depth
from tidemill.scaling.faults import Fault
from tidemill.scaling.loop import Vanished

if TYPE_CHECKING:
    from support.builders.containers import Stages

SECONDS: Final = {"for_seconds": 30.0}


@pytest.mark.parametrize("depth", list(Depth))
def test_a_frozen_instance_is_paused_until_its_time_is_over(stage_of: Stages, depth: Depth) -> None:
    """It stays an instance meanwhile."""
    stage = stage_of(depth)
    stage.boot()
    stage.world.inject(ONE, Fault("freeze", parameters=SECONDS))
    assert stage.made().state == "paused"
    assert stage.events(after=29) == []
    assert stage.made().state == "paused"
    assert stage.events(after=1) == []
    assert stage.made().state == "running"


def test_an_instance_that_fails_is_gone_with_its_containers(stage_of: Stages) -> None:
    """The report says what happened."""
    stage = stage_of()
    stage.boot()
    stage.world.inject(ONE, Fault("kill"))
    assert stage.made().signals == ["SIGKILL"]
    stage.engine.end(stage.name(), 137)
    assert stage.events(after=1) == [Vanished(ONE, FAILED)]
    assert stage.engine.made == {}


def test_an_instance_that_restarts_starts_its_container_again(stage_of: Stages) -> None:
    """It is the same instance."""
    stage = stage_of()
    stage.boot()
    stage.world.inject(ONE, Fault("reboot"))
    stage.engine.end(stage.name(), 137)
    assert stage.events(after=1) == []
    assert stage.made().state == "exited"
    assert stage.events(after=60) == []
    assert stage.made().state == "running"


def test_a_full_disk_concerns_every_container_of_the_instance(stage_of: Stages) -> None:
    """The room is taken by a command in it, and given back by another one."""
    stage = stage_of()
    stage.boot()
    stage.world.inject(ONE, Fault("disk-full", parameters=SECONDS))
    stage.events(after=30)
    assert stage.made().commands == [limit_command(full=True), limit_command(full=False)]


def test_a_metadata_service_that_is_down_answers_with_errors(stage_of: Stages) -> None:
    """Even tokens are refused; at the end of the fault it answers again."""
    stage = stage_of()
    stage.boot()
    assert stage.metadata("instance-id") == ONE
    stage.world.inject(ONE, Fault("metadata-down", parameters=SECONDS))
    with pytest.raises(OSError, match="503"):
        stage.metadata("instance-id")
    stage.events(after=30)
    assert stage.metadata("instance-id") == ONE
