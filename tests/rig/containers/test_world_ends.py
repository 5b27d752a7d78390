"""The end of instances that are containers: drained, terminated, lost or taken back by Spot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from support.builders.containers import ONE, TWO
from support.fakes.engines import FakeEngine

from tidemill.rig.containers.options import FLEET_LABEL, INSTANCE_LABEL, ROLE_LABEL, Depth
from tidemill.rig.errors import RigError
from tidemill.rig.lifetime import RECLAIMED
from tidemill.scaling.fault_kinds import SPOT
from tidemill.scaling.faults import Fault
from tidemill.scaling.loop import Booted, HookCompleted, Vanished

if TYPE_CHECKING:
    from support.builders.containers import Stages

PATIENCE: Final = 20.0
SPOT_FAULT: Final = Fault(SPOT.name)
both = pytest.mark.parametrize("depth", list(Depth))


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
