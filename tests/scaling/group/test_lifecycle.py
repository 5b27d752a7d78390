"""The table of an instance's lifecycle, and a group that follows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.fleets import DRAIN, a_group
from support.builders.histories import EVENTS, HistoryEvent, history

from tidemill.scaling.facts import InstanceChanged
from tidemill.scaling.group.hooks import ABANDON, CONTINUE, LAUNCHING
from tidemill.scaling.group.lifecycle import (
    TRANSITIONS,
    Event,
    LifecycleState,
    after,
    diagram,
    target_state,
)
from tidemill.scaling.group.memory import GroupMemory, Step
from tidemill.scaling.spec import LifecycleHook, WarmPool

ENDS = {LifecycleState.TERMINATED, LifecycleState.DETACHED}
BEGINNINGS = {LifecycleState.PENDING, LifecycleState.WARMED_PENDING}
HOLD = LifecycleHook("hold", LAUNCHING, heartbeat_timeout=60, default_result=ABANDON)
CHECK = replace(HOLD, name="check", default_result=CONTINUE)


def test_a_state_and_an_event_lead_to_one_state() -> None:
    """No line of the table contradicts another one."""
    counted = Counter((line.before, line.event) for line in TRANSITIONS)
    assert set(counted.values()) == {1}


def test_every_state_is_reached_and_all_but_the_last_are_left() -> None:
    """The table has no dead end and no unreachable state."""
    assert {line.after for line in TRANSITIONS} | BEGINNINGS == set(LifecycleState)
    assert {line.before for line in TRANSITIONS} == set(LifecycleState) - ENDS


def test_what_is_not_in_the_table_is_no_transition() -> None:
    """A terminating instance never enters service again."""
    with pytest.raises(KeyError):
        after(LifecycleState.TERMINATING_WAIT, Event.BOOTS)


def test_the_diagram_has_every_line_of_the_table() -> None:
    """The diagram is in Mermaid's language, for the documentation."""
    lines = diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert sum(": it has booted" in line for line in lines) == 3
    assert any(line.endswith("and the group retains it") for line in lines)
    arrows = [line for line in lines if "-->" in line and "[*]" not in line]
    assert len(arrows) == len({(line.before, line.after) for line in TRANSITIONS})
    assert '    state "Terminating:Wait" as s5' in lines


GIVE_UP = replace(DRAIN, name="give-up", default_result=ABANDON)
STEADY = {
    "Detached",
    "InService",
    "Standby",
    "Terminated",
    "Warmed:Hibernated",
    "Warmed:Running",
    "Warmed:Stopped",
    "Warmed:Terminated",
}
"""The values that AWS lists ("Retrieve the target lifecycle state through instance metadata")."""


@pytest.mark.parametrize(
    ("states", "target"),
    [
        ("Pending Pending:Wait InService", "InService"),
        ("Standby", "Standby"),
        ("Detached", "Detached"),
        ("Terminating:Wait Terminating:Proceed Terminating:Retained Terminated", "Terminated"),
        ("Warmed:Pending Warmed:Pending:Wait Warmed:Running", "Warmed:Running"),
        ("Warmed:Terminating:Wait Warmed:Terminating:Retained", "Warmed:Terminated"),
        ("Warmed:Stopped", "Warmed:Stopped"),
    ],
)
def test_an_instance_moves_to_a_steady_state(states: str, target: str) -> None:
    """In a pool that keeps instances running, a launch leads to Warmed:Running."""
    for state in states.split():
        assert target_state(LifecycleState(state), LifecycleState.WARMED_RUNNING) == target


def test_every_target_is_one_of_awss() -> None:
    """The target of every state is in the user guide's list."""
    prepared = LifecycleState.WARMED_HIBERNATED
    assert {target_state(state, prepared) for state in LifecycleState} <= STEADY


HOOKS = st.sampled_from([(), (DRAIN,), (HOLD,), (HOLD, CHECK, DRAIN), (GIVE_UP,)])
POOLS = st.sampled_from([None, WarmPool(), WarmPool(2, 3, "Running"), WarmPool(state="Hibernated")])


@given(EVENTS, HOOKS, POOLS, st.booleans())
def test_whatever_happens_an_instance_goes_by_the_table(
    events: list[HistoryEvent],
    hooks: tuple[LifecycleHook, ...],
    pool: WarmPool | None,
    retains: bool,  # noqa: FBT001 - a generated argument
) -> None:
    """From each reported state to the next one there is a transition in the table."""
    group = a_group(hooks=hooks, warm_pool=pool, retains=retains)
    start = step = Step(GroupMemory(desired=0))
    for _, _, step in history(group, start, events, 0.0):
        assert len(step.memory.wanted()) == step.memory.desired
    pairs = {(line.before, line.after) for line in TRANSITIONS}
    lives: dict[str, LifecycleState] = {}
    for fact in step.facts:
        if isinstance(fact, InstanceChanged):
            state = LifecycleState(fact.state)
            before = lives.get(fact.instance)
            assert (before, state) in pairs if before else state in BEGINNINGS
            lives[fact.instance] = state
