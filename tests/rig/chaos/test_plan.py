"""Plans of faults: drawn from a seed, written and read again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemill.rig.chaos.plan import (
    RANKS,
    Plan,
    describe,
    draw_plan,
    kinds_of,
    read_plan,
    write_plan,
)
from tidemill.rig.errors import RigError
from tidemill.scaling.fault_kinds import KINDS, Target, WorldKind
from tidemill.scaling.faults import PRODUCER, Fault

ALL = tuple(KINDS)


def test_the_same_seed_makes_the_same_plan() -> None:
    """Another seed makes another one."""
    plans = [draw_plan(seed, 2000, 10, ALL) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]


@given(seed=st.integers(), every=st.floats(1, 100), rounds=st.floats(0, 100))
def test_a_plan_has_a_fault_of_a_known_kind_in_each_interval(
    seed: int, every: float, rounds: float
) -> None:
    """Its targets are ranks, the producer, or all."""
    plan = draw_plan(seed, every * rounds, every, ALL)
    assert len(plan.faults) == int(every * rounds // every)
    for number, fault in enumerate(plan.faults, 1):
        assert fault.at == every * number
        kind = KINDS[fault.kind]
        ranks = {str(rank) for rank in range(1, RANKS + 1)}
        allowed: dict[Target, set[str | None]] = {
            Target.INSTANCE: {*ranks},
            Target.CALLER: {*ranks, None, PRODUCER},
        }
        assert fault.target in allowed.get(kind.target, {None})
        assert fault.parameters.keys() <= {one.name for one in kind.parameters}


def test_every_kind_has_its_turn_before_one_comes_again() -> None:
    """So a plan of so many faults as there are kinds has each of them once."""
    plan = draw_plan(3, 10.0 * len(ALL) * 2, 10, ALL)
    first, second = plan.faults[: len(ALL)], plan.faults[len(ALL) :]
    assert {fault.kind for fault in first} == {fault.kind for fault in second} == set(ALL)


@given(seed=st.integers(0, 1 << 32))
def test_a_plan_is_read_as_it_was_written(seed: int) -> None:
    """So a run can be repeated from its file."""
    plan = draw_plan(seed, 500, 10, ALL)
    assert read_plan(write_plan(plan), "plan.json") == plan


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("[]", id="list"),
        pytest.param("{}", id="nothing"),
        pytest.param('{"seconds": 1, "faults": [{"kind": "meteor"}]}', id="unknown-kind"),
        pytest.param('{"seconds": 1, "faults": ["kill"]}', id="text"),
        pytest.param('{"seconds": "long", "faults": []}', id="seconds"),
    ],
)
def test_what_is_no_plan_is_refused_in_one_line(text: str) -> None:
    """The line names the file."""
    with pytest.raises(RigError, match=r"^my\.json is not a plan of faults: .") as caught:
        read_plan(text, "my.json")
    assert "\n" not in str(caught.value)


def test_a_file_may_have_faults_in_any_order() -> None:
    """They happen in the order of their times."""
    faults = [{"kind": "kill", "at": "30"}, {"kind": "spot", "at": "10"}]
    plan = read_plan(json.dumps({"seconds": 60, "faults": faults}), "plan.json")
    assert plan == Plan((Fault("spot", at=10.0), Fault("kill", at=30.0)), 60)


@pytest.mark.parametrize(
    ("kinds", "problem"),
    [
        pytest.param(["kill", "meteor"], "there is no fault meteor: choose from", id="unknown"),
        pytest.param([], "there is no fault to draw: choose from", id="none"),
    ],
)
def test_kinds_that_do_not_exist_cannot_be_drawn(kinds: list[str], problem: str) -> None:
    """The error lists those that exist."""
    with pytest.raises(RigError, match=problem):
        draw_plan(1, 100, 10, kinds)


def test_each_world_has_a_dozen_kinds_or_more() -> None:
    """Those that make no sense in a world are left out."""
    assert len(kinds_of(WorldKind.PROCESSES)) >= 12
    assert len(kinds_of(WorldKind.CONTAINERS)) >= 12
    assert "controller-killed" not in kinds_of(WorldKind.PROCESSES)
    assert "aws-restarts" not in kinds_of(WorldKind.CONTAINERS)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        pytest.param(
            Fault("freeze", "2", 120.0, {"for_seconds": 60.0}),
            "120 s: freeze of instance 2, for_seconds 60",
            id="rank",
        ),
        pytest.param(Fault("sqs-slow", at=5.0), "5 s: sqs-slow of every caller", id="all"),
        pytest.param(
            Fault("sqs-slow", "producer", 5.0), "5 s: sqs-slow of producer", id="producer"
        ),
    ],
)
def test_a_planned_fault_is_one_line(fault: Fault, line: str) -> None:
    """It has the time, the kind, the target and the values."""
    assert describe(fault) == line
