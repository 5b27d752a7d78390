"""Containers as instances, over an engine in memory."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

import pytest
from support.fakes.engines import FakeEngine, HandClock

from tidemill.rig.containers.options import (
    FLEET_LABEL,
    INSTANCE_LABEL,
    LAUNCHED_LABEL,
    METADATA_LABEL,
    ROLE_LABEL,
    SOCKET,
    ContainerOptions,
    Depth,
)
from tidemill.rig.containers.world import ContainerWorld
from tidemill.rig.errors import RigError
from tidemill.rig.lifetime import RECLAIMED
from tidemill.scaling.faults import SPOT, Fault
from tidemill.scaling.loop import Booted, HookCompleted, Vanished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.fakes.engines import FakeContainer

    from tidemill.scaling.loop import InstanceEvent

    Stages = Callable[..., "Stage"]

ONE: Final = "i-00000000000000001"
TWO: Final = "i-00000000000000002"
PATIENCE: Final = 20.0
SPOT_FAULT: Final = Fault(SPOT.name)


class Stage:
    """A world over an engine in memory; times are AWS's seconds."""

    def __init__(
        self, folder: Path, depth: Depth, engine: FakeEngine, fleet: str = "mill", speed: float = 1
    ) -> None:
        """Create a world whose instances boot for a minute."""
        self.engine = engine
        self.clock = HandClock(1000.0, speed)
        options = ContainerOptions(
            fleet=fleet,
            depth=depth,
            image="the-consumer",
            instance_image="the-machine",
            network="the-network",
            host="controller",
            region="eu-west-1",
            socket="/run/the-engine.sock",
            labels={"project": "tests"},
            user_data="#!/bin/sh\n",
            boot_seconds=60,
            stop_seconds=0.2,
        )
        self.world = ContainerWorld(
            engine,
            options,
            folder,
            self.clock,
            lambda instance: {"NAME_TAG": instance},
        )
        self.fleet = fleet

    def events(self, after: float = 0) -> list[InstanceEvent]:
        """Let so many seconds pass, and return the events."""
        self.clock.time += after
        return list(self.world.events())

    def boot(self, instance: str = ONE) -> None:
        """Launch an instance, and let it start its work."""
        self.world.launch(instance)
        assert self.events(after=60) == [Booted(instance)]
        assert self.made(instance).state == "running"

    def name(self, instance: str = ONE) -> str:
        """Return the name of an instance's container."""
        return f"{self.fleet}-{instance}"

    def made(self, instance: str = ONE) -> FakeContainer:
        """Return an instance's container."""
        return self.engine.made[self.name(instance)]

    def metadata(self, path: str, instance: str = ONE) -> str | None:
        """Return an instance's metadata at a path, None if it is not found."""
        port = self.made(instance).spec.labels[METADATA_LABEL]
        base = f"http://127.0.0.1:{port}/latest"
        asked = urllib.request.Request(  # noqa: S310 - our own server
            f"{base}/api/token",
            method="PUT",
            headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"},
        )
        with urllib.request.urlopen(asked) as answer:  # noqa: S310 - our own server
            headers = {"X-aws-ec2-metadata-token": answer.read().decode()}
        asked = urllib.request.Request(f"{base}/meta-data/{path}", headers=headers)  # noqa: S310 - our own server
        try:
            with urllib.request.urlopen(asked) as answer:  # noqa: S310 - our own server
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            error.close()
            return None if error.code == 404 else f"status {error.code}"

    def leave(self) -> None:
        """End like a controller that is killed: its containers keep running."""
        for service in self.world._services.values():
            service.close()
        self.world._services.clear()
        self.world._lifetimes.clear()


@pytest.fixture
def stage_of(tmp_path: Path) -> Iterator[Stages]:
    """Provide a function that creates stages; close them at the end."""
    stages: list[Stage] = []

    def make(
        depth: Depth = Depth.DIRECT,
        engine: FakeEngine | None = None,
        fleet: str = "mill",
        speed: float = 1,
    ) -> Stage:
        stages.append(Stage(tmp_path, depth, engine or FakeEngine(), fleet, speed))
        return stages[-1]

    yield make
    for stage in stages:
        stage.world.close()


both = pytest.mark.parametrize("depth", list(Depth))


# ---- what an instance is made of


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


# ---- boot


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


# ---- the end of an instance


def test_draining_asks_the_consumer_to_stop_and_completes_the_hook(stage_of: Stages) -> None:
    """Its end is the hook's completion; the instance is gone when it is terminated."""
    stage = stage_of()
    stage.boot()
    stage.world.drain(ONE)
    assert stage.made().signals == ["SIGTERM"]
    assert stage.metadata("autoscaling/target-lifecycle-state") == "Terminated"
    assert stage.events() == []
    stage.engine.end(stage.name())
    assert stage.events() == [HookCompleted(ONE)]
    stage.world.terminate(ONE)
    assert stage.engine.made == {}
    assert stage.events() == [Vanished(ONE)]
    assert stage.events() == []


def test_an_instance_that_has_not_started_its_consumer_drains_at_once(stage_of: Stages) -> None:
    """It has no work to finish, and its consumer is not started any more."""
    stage = stage_of()
    stage.world.launch(ONE)
    stage.world.drain(ONE)
    assert stage.events() == [HookCompleted(ONE)]
    assert stage.events(after=60) == [Booted(ONE), HookCompleted(ONE)]
    assert stage.made().state == "created"


def test_user_data_completes_its_hook_itself(stage_of: Stages) -> None:
    """Its drain watcher reads the target state; its containers get no signal."""
    stage = stage_of(Depth.USER_DATA)
    stage.boot()
    stage.world.drain(ONE)
    assert stage.made().signals == []
    assert stage.metadata("autoscaling/target-lifecycle-state") == "Terminated"
    assert stage.events() == []


def test_terminating_removes_the_instance_and_its_consumer(stage_of: Stages) -> None:
    """The other instance keeps running."""
    stage = stage_of(Depth.USER_DATA)
    stage.world.launch(TWO)
    stage.world.launch(ONE)
    labels = {FLEET_LABEL: "mill", INSTANCE_LABEL: ONE, ROLE_LABEL: "consumer"}
    stage.engine.add(f"mill-{ONE}-consumer", labels)
    stage.world.terminate(ONE)
    assert list(stage.engine.made) == [stage.name(TWO)]
    assert stage.events() == [Vanished(ONE)]


@both
def test_an_instance_that_the_engine_is_still_removing_is_not_gone(
    stage_of: Stages, depth: Depth
) -> None:
    """It is not started either, although its start is due."""
    stage = stage_of(depth, FakeEngine(slow=True))
    stage.world.launch(ONE)
    stage.world.terminate(ONE)
    assert stage.events(after=60) == []
    assert stage.made().state == "removing"
    del stage.engine.made[stage.name()]
    assert stage.events() == [Vanished(ONE)]


@both
def test_a_container_that_vanishes_takes_its_instance_along(stage_of: Stages, depth: Depth) -> None:
    """Its consumer's container is removed too."""
    stage = stage_of(depth)
    stage.boot()
    stage.engine.remove(stage.name())
    if depth is Depth.USER_DATA:
        labels = {FLEET_LABEL: "mill", INSTANCE_LABEL: ONE, ROLE_LABEL: "consumer"}
        stage.engine.add(f"mill-{ONE}-consumer", labels)
    assert stage.events() == [Vanished(ONE, "its container no longer exists")]
    assert stage.engine.made == {}
    assert stage.events() == []


@both
@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        pytest.param(2, b"no\nconsumer: no queue\n", "consumer: no queue", id="words"),
        pytest.param(137, b"", "it wrote no output", id="killed"),
        pytest.param(1, b"\xff\n", "\N{REPLACEMENT CHARACTER}", id="no-text"),
    ],
)
def test_a_container_that_ends_by_itself_takes_its_instance_along(
    stage_of: Stages, depth: Depth, code: int, said: bytes, words: str
) -> None:
    """The event has its exit code and the last line of its output."""
    stage = stage_of(depth)
    stage.boot()
    stage.made().out.append(b"contents of a message\n" if depth is Depth.DIRECT else said)
    stage.engine.end(stage.name(), code, said if depth is Depth.DIRECT else b"")
    assert stage.events() == [Vanished(ONE, f"its container ended with exit code {code}: {words}")]
    assert stage.engine.made == {}
    assert not stage.world.polled()


def test_an_instance_whose_user_data_ends_while_it_drains_is_gone(stage_of: Stages) -> None:
    """User data completes the hook before it ends, if at all."""
    stage = stage_of(Depth.USER_DATA)
    stage.boot()
    stage.world.drain(ONE)
    stage.engine.end(stage.name())
    assert stage.events() == [
        Vanished(ONE, "its container ended with exit code 0: it wrote no output")
    ]


def test_orders_for_an_instance_that_is_gone_do_nothing(stage_of: Stages) -> None:
    """The group may not have noticed yet."""
    stage = stage_of()
    stage.world.stop(ONE)
    stage.world.drain(ONE)
    stage.world.terminate(ONE)
    assert stage.events() == []


# ---- the warm pool


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


# ---- Spot


def test_a_spot_instance_has_two_minutes_from_its_notice(stage_of: Stages) -> None:
    """Its consumer ends in order; the instance stays for the two minutes."""
    stage = stage_of()
    stage.boot()
    stage.world.inject(ONE, SPOT_FAULT)
    assert stage.made().signals == ["SIGTERM"]
    assert stage.metadata("spot/instance-action") is not None
    assert stage.events() == []
    stage.engine.end(stage.name())
    assert stage.events(after=119.9) == []
    assert stage.events(after=0.1) == [Vanished(ONE, RECLAIMED)]
    assert stage.engine.made == {}


def test_a_spot_instance_is_taken_whatever_its_consumer_does(stage_of: Stages) -> None:
    """A consumer that still runs after two minutes is removed."""
    stage = stage_of()
    stage.boot()
    stage.world.inject(ONE, SPOT_FAULT)
    assert stage.events(after=120) == [Vanished(ONE, RECLAIMED)]
    assert stage.engine.made == {}


def test_user_data_finds_the_notice_in_its_metadata(stage_of: Stages) -> None:
    """Its containers get no signal."""
    stage = stage_of(Depth.USER_DATA)
    stage.boot()
    assert stage.metadata("spot/instance-action") is None
    stage.world.inject(ONE, SPOT_FAULT)
    assert stage.metadata("spot/instance-action") == (
        '{"action": "terminate", "time": "1970-01-01T00:19:40Z"}'
    )
    assert stage.made().signals == []
    assert stage.events(after=120) == [Vanished(ONE, RECLAIMED)]


def test_another_notice_changes_nothing(stage_of: Stages) -> None:
    """The instance still ends at the time of the first notice."""
    stage = stage_of()
    stage.boot()
    stage.world.inject(ONE, SPOT_FAULT)
    assert stage.events(after=60) == []
    stage.world.inject(ONE, SPOT_FAULT)
    assert stage.made().signals == ["SIGTERM"]
    assert stage.events(after=60) == [Vanished(ONE, RECLAIMED)]


def test_an_instance_that_is_gone_gets_no_notice(stage_of: Stages) -> None:
    """The group may not have noticed that it is gone."""
    with pytest.raises(RigError, match=f"{ONE} no longer exists"):
        stage_of().world.inject(ONE, SPOT_FAULT)


def test_an_instance_that_drains_still_does_when_it_is_taken_back(stage_of: Stages) -> None:
    """It completes its hook if its consumer ends before the two minutes."""
    stage = stage_of()
    stage.boot()
    stage.world.inject(ONE, SPOT_FAULT)
    stage.world.drain(ONE)
    stage.engine.end(stage.name())
    assert stage.events() == [HookCompleted(ONE)]


# ---- another controller


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


# ---- the end of the fleet


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
