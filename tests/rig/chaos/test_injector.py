"""The injector of a rig: targets, times, and what the timeline gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from support.fakes.engines import HandClock

from tidemill.rig.chaos.injector import Injector
from tidemill.rig.errors import RigError
from tidemill.scaling.facts import Fact, FaultBegan, FaultEnded, Noted
from tidemill.scaling.fault_kinds import WorldKind
from tidemill.scaling.faults import Fault
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Instance

if TYPE_CHECKING:
    from tidemill.rig.instances import Instances

SERVING = LifecycleState.IN_SERVICE


def group(*instances: str) -> GroupMemory:
    """Return a group with these instances in service, the oldest first, and one that boots."""
    members = [
        Instance(name, SERVING, float(number), in_service_at=number + 60.0)
        for number, name in enumerate(instances)
    ]
    return GroupMemory(9, instances=(*members, Instance("i-new", LifecycleState.PENDING, 99.0)))


@dataclass
class Stage:
    """A world and an emulator that note their faults."""

    kind: WorldKind = WorldKind.PROCESSES
    clock: HandClock = field(default_factory=lambda: HandClock(1000.0, 10.0))
    facts: list[Fact] = field(default_factory=list)
    injected: list[tuple[str, Fault]] = field(default_factory=list)
    disturbed: list[tuple[Fault, float]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Create the injector."""
        me: Any = self
        self.injector = Injector(cast("Instances", me), self, self.clock, self.facts.append)

    def inject(self, instance: str, fault: Fault) -> None:
        """Take a fault of an instance."""
        self.injected.append((instance, fault))

    def disturb(self, fault: Fault, speed: float) -> None:
        """Take a fault of calls."""
        self.disturbed.append((fault, speed))

    def break_off(self, fault: Fault) -> None:
        """Take a fault of the rig."""
        self.broken.append(fault.kind)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        pytest.param(None, "i-1", id="oldest"),
        pytest.param("1", "i-1", id="first"),
        pytest.param("3", "i-3", id="third"),
        pytest.param("4", "i-1", id="counted-again"),
        pytest.param("i-2", "i-2", id="id"),
        pytest.param("i-new", "i-new", id="id-of-one-that-boots"),
    ],
)
def test_an_instance_is_found_by_its_rank_or_id(target: str | None, found: str) -> None:
    """An instance that boots has no rank."""
    stage = Stage()
    assert stage.injector.inject(Fault("kill", target), group("i-1", "i-2", "i-3")) == found
    assert stage.injected == [(found, Fault("kill", found, 1000.0))]
    assert stage.facts == [FaultBegan(1000.0, "kill", found, {})]


@pytest.mark.parametrize(
    ("target", "callers"),
    [
        pytest.param(None, None, id="all"),
        pytest.param("2", "i-2", id="rank"),
        pytest.param("producer", "producer", id="producer"),
    ],
)
def test_a_fault_of_calls_reaches_the_emulator_with_its_caller(
    target: str | None, callers: str | None
) -> None:
    """The emulator's door knows callers by the ids of instances."""
    stage = Stage()
    stage.injector.inject(Fault("sqs-slow", target), group("i-1", "i-2"))
    assert stage.disturbed == [(Fault("sqs-slow", callers, 1000.0), 10.0)]


def test_a_fault_that_lasts_ends_in_the_timeline() -> None:
    """Its end is noted once, at the time of the end."""
    stage = Stage()
    stage.injector.inject(Fault("freeze", parameters={"for_seconds": 30.0}), group("i-1"))
    for time in (1029.0, 1031.0, 1040.0):
        stage.clock.time = time
        stage.injector.inject_due(group("i-1"))
    assert stage.facts == [
        FaultBegan(1000.0, "freeze", "i-1", {"for_seconds": 30.0}),
        FaultEnded(1030.0, "freeze", "i-1"),
    ]


def test_a_planned_fault_happens_at_its_time() -> None:
    """Its target is chosen then; without one, the timeline says so."""
    stage = Stage()
    stage.injector.inject(Fault("kill", at=1010.0), group("i-1"))
    stage.injector.inject(Fault("kill", at=1020.0), group("i-1"))
    assert stage.injected == []
    stage.clock.time = 1010.0
    stage.injector.inject_due(group("i-7"))
    assert [name for name, _ in stage.injected] == ["i-7"]
    stage.clock.time = 1020.0
    stage.injector.inject_due(group())
    text = "the fault kill did not happen: no instance is in service: the fault needs one"
    assert stage.facts[-1] == Noted(1020.0, text)


def test_a_fault_of_the_rig_needs_no_instance() -> None:
    """What imitates AWS is broken off."""
    stage = Stage()
    assert stage.injector.inject(Fault("aws-restarts"), group()) == "the rig"
    assert stage.broken == ["aws-restarts"]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        pytest.param(Fault("kill", "i-9"), "the group has no instance i-9", id="id"),
        pytest.param(Fault("sqs-slow", "i-9"), "the group has no instance i-9", id="caller"),
        pytest.param(
            Fault("metadata-down"), "processes cannot imitate the fault metadata-down", id="world"
        ),
    ],
)
def test_what_is_not_there_cannot_have_a_fault(fault: Fault, problem: str) -> None:
    """The error says what is missing, and the timeline gets nothing."""
    stage = Stage()
    with pytest.raises(RigError, match=problem):
        stage.injector.inject(fault, group("i-1"))
    assert stage.facts == []
