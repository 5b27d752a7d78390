"""Containers and their controllers: one continues with another's fleet, and one deletes its own."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Final

import pytest
from support.builders.containers import ONE, TWO
from support.fakes.engines import FakeEngine

from tidemill.rig.containers.disk import limit_command
from tidemill.rig.containers.options import (
    FLEET_LABEL,
    INSTANCE_LABEL,
    LAUNCHED_LABEL,
    METADATA_LABEL,
    ROLE_LABEL,
    Depth,
)
from tidemill.rig.errors import RigError
from tidemill.scaling.faults import Fault
from tidemill.scaling.loop import Booted, Vanished

if TYPE_CHECKING:
    from support.builders.containers import Stages

PATIENCE: Final = 20.0
both = pytest.mark.parametrize("depth", list(Depth))


@both
def test_a_controller_continues_with_what_another_left_running(
    stage_of: Stages, depth: Depth
) -> None:
    """Their metadata keeps its port; they count as booted, and are not started again."""
    first = stage_of(depth)
    first.boot(ONE)
    port = first.made().spec.labels[METADATA_LABEL]
    first.leave()
    second = stage_of(depth, first.engine)
    (adopted,) = second.world.adopt()
    assert (adopted.instance, adopted.booted) == (ONE, True)
    assert second.made().spec.labels[METADATA_LABEL] == port
    assert second.metadata("instance-id") == ONE
    assert second.events(after=60) == []
    assert second.made().state == "running"
    second.world.drain(ONE)
    assert second.made().signals == (["SIGTERM"] if depth is Depth.DIRECT else [])


def test_faults_of_instances_end_with_the_controller_that_injected_them(stage_of: Stages) -> None:
    """Otherwise a frozen instance would stay frozen, and a full disk full."""
    first = stage_of()
    first.boot(ONE)
    first.world.inject(ONE, Fault("disk-full"))
    first.world.inject(ONE, Fault("freeze"))
    first.leave()
    second = stage_of(engine=first.engine)
    (adopted,) = second.world.adopt()
    assert adopted.booted
    assert second.made().state == "running"
    assert second.made().commands[-1] == limit_command(full=False)


def test_an_adopted_instances_age_is_in_awss_time(stage_of: Stages) -> None:
    """At speed 60, ten seconds ago is ten minutes ago in AWS's time."""
    stage = stage_of(speed=60)
    port = free_port()
    labels = {
        FLEET_LABEL: "mill",
        INSTANCE_LABEL: ONE,
        ROLE_LABEL: "instance",
        LAUNCHED_LABEL: str(time.time() - 10),
        METADATA_LABEL: str(port),
    }
    stage.engine.add(stage.name(), labels)
    (adopted,) = stage.world.adopt()
    assert adopted.launched_at <= 1000 - 600
    assert adopted.launched_at == pytest.approx(1000 - 600, abs=60 * PATIENCE)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_controller_boots_what_another_only_launched(stage_of: Stages) -> None:
    """It was not started, so it is started when that is due."""
    first = stage_of()
    first.world.launch(ONE)
    first.leave()
    second = stage_of(engine=first.engine)
    (adopted,) = second.world.adopt()
    assert not adopted.booted
    assert second.made().state == "created"
    assert second.events(after=60) == [Booted(ONE)]
    assert second.made().state == "running"


@both
def test_a_controller_removes_what_does_not_run_any_more(stage_of: Stages, depth: Depth) -> None:
    """Ended instances are removed, and consumers without an instance."""
    first = stage_of(depth)
    first.world.launch(ONE)
    first.world.launch(TWO)
    first.engine.end(first.name(ONE))
    first.leave()
    for instance in (ONE, "i-00000000000000009"):
        labels = {FLEET_LABEL: "mill", INSTANCE_LABEL: instance, ROLE_LABEL: "consumer"}
        first.engine.add(f"mill-{instance}-consumer", labels)
    second = stage_of(depth, first.engine)
    assert [adopted.instance for adopted in second.world.adopt()] == [TWO]
    assert list(second.engine.made) == [second.name(TWO)]


def test_a_metadata_port_that_is_taken_is_an_error(stage_of: Stages) -> None:
    """The instance knows only this port, so it cannot be adopted."""
    first = stage_of()
    first.boot()
    port = first.made().spec.labels[METADATA_LABEL]
    first.leave()
    second = stage_of(engine=first.engine)
    with (
        socket.create_server(("", int(port))),
        pytest.raises(RigError, match=f"{ONE} cannot listen on port {port}"),
    ):
        second.world.adopt()


@both
def test_closing_removes_the_whole_fleet_and_nothing_of_another(
    stage_of: Stages, depth: Depth
) -> None:
    """This includes consumers that user data created."""
    stage = stage_of(depth, FakeEngine(obedient=True))
    stage.boot()
    stage.world.launch(TWO)
    labels = {FLEET_LABEL: "mill", INSTANCE_LABEL: ONE, ROLE_LABEL: "consumer"}
    stage.engine.add("somehow", labels)
    stage.engine.add("theirs", labels | {FLEET_LABEL: "other"})
    stage.engine.add("anybodys", {})
    running = stage.made()
    stage.world.close()
    assert list(stage.engine.made) == ["theirs", "anybodys"]
    assert running.signals == ["SIGTERM"]
    stage.world.close()


def test_closing_lets_consumers_end_in_order(stage_of: Stages) -> None:
    """They get SIGTERM and are removed when they have ended."""
    stage = stage_of(engine=FakeEngine(obedient=True))
    stage.boot(ONE)
    stage.world.launch(TWO)
    stage.world.close()
    assert stage.engine.removed == [(stage.name(ONE), "exited"), (stage.name(TWO), "created")]


def test_closing_removes_a_consumer_that_does_not_listen(stage_of: Stages) -> None:
    """It is removed after `stop_seconds`."""
    stage = stage_of()
    stage.boot()
    stage.world.close()
    assert stage.engine.removed == [(stage.name(), "running")]


def test_fleets_of_different_names_share_an_engine(stage_of: Stages) -> None:
    """Their instances may have the same ids."""
    engine = FakeEngine()
    here, there = stage_of(engine=engine), stage_of(engine=engine, fleet="other")
    here.boot()
    there.boot()
    assert here.events() == there.events() == []
    here.world.terminate(ONE)
    assert here.events() == [Vanished(ONE)]
    assert there.events() == []
    assert list(engine.made) == [there.name()]


def test_closing_stops_the_metadata(stage_of: Stages) -> None:
    """The ports are free again."""
    stage = stage_of()
    stage.world.launch(ONE)
    port = int(stage.made().spec.labels[METADATA_LABEL])
    stage.world.close()
    with socket.create_server(("", port)):
        pass
