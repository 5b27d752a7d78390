"""Decisions of several policies together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.alarms import an_alarm
from support.builders.fleets import a_fleet, a_group, a_policy

from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.facts import DesiredChanged, PolicyHeld
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Instance
from tidemill.scaling.policies.decision import Decision, decide
from tidemill.scaling.policies.dispatch import warmup
from tidemill.scaling.spec import AdjustmentType, AlarmState, OtherAction, StepAdjustment

if TYPE_CHECKING:
    from tidemill.scaling.spec import StepScalingPolicy

NOW = 1_750_000_020.0
EXACT, CHANGE, PERCENT = AdjustmentType.EXACT, AdjustmentType.CHANGE, AdjustmentType.PERCENT


def settled(count: int) -> GroupMemory:
    """Return a group of so many instances, all long in service."""
    instances = tuple(
        Instance(f"i-{number}", LifecycleState.IN_SERVICE, 0, in_service_at=0)
        for number in range(count)
    )
    return GroupMemory(desired=count, instances=instances, launched=count)


def policies_of(*asked: tuple[AdjustmentType, int]) -> tuple[StepScalingPolicy, ...]:
    """Return a policy for each of these adjustments, named A, B and so on."""
    return tuple(
        a_policy(
            logical_id=chr(65 + number),
            adjustment_type=kind,
            steps=(StepAdjustment(0, None, adjustment),),
        )
        for number, (kind, adjustment) in enumerate(asked)
    )


def decided(group: GroupMemory, *asked: tuple[AdjustmentType, int], value: float = 10) -> Decision:
    """Return what these policies decide, each triggered by an alarm of its own."""
    policies = policies_of(*asked)
    due_alarms = [
        DueAlarm(
            an_alarm(logical_id=f"Alarm{p.logical_id}", threshold=0.0, actions=(p.logical_id,)),
            value,
            {"visible": value},
        )
        for p in policies
    ]
    fleet = a_fleet(policies, tuple(due_alarm.alarm for due_alarm in due_alarms))
    return decide(fleet, group, {}, due_alarms, NOW)


@pytest.mark.parametrize(
    ("count", "asked", "desired", "winner"),
    [
        pytest.param(8, [(CHANGE, -3), (PERCENT, -25)], 6, "B", id="in-the-guides-example"),
        pytest.param(2, [(CHANGE, 1), (EXACT, 5), (PERCENT, 100)], 5, "B", id="out"),
        pytest.param(4, [(EXACT, 1), (CHANGE, 2)], 6, "B", id="in-against-out"),
        pytest.param(4, [(EXACT, 4), (EXACT, 1)], 4, None, id="in-against-content"),
        pytest.param(4, [(CHANGE, 0), (EXACT, 1)], 4, None, id="in-against-no-change"),
        pytest.param(10, [(CHANGE, 5), (EXACT, 1)], 10, None, id="in-against-out-at-the-limit"),
        pytest.param(4, [(EXACT, 2)], 2, "A", id="one-alone"),
    ],
)
def test_the_largest_capacity_wins(
    count: int, asked: list[tuple[AdjustmentType, int]], desired: int, winner: str | None
) -> None:
    """It wins for scale-out and scale-in, also where it is the present capacity."""
    decision = decided(settled(count), *asked)
    assert decision.group.desired == desired
    changes = [fact for fact in decision.facts if isinstance(fact, DesiredChanged)]
    assert [change.policy for change in changes] == ([winner] if winner else [])


def test_a_policy_that_loses_against_one_that_is_content_says_so() -> None:
    """The policy that asks for the present capacity makes no fact."""
    decision = decided(settled(4), (EXACT, 4), (EXACT, 1))
    assert decision.held == {"B": "another policy asks for 4"}
    assert [fact.policy for fact in decision.facts if isinstance(fact, PolicyHeld)] == ["B"]


def test_a_change_has_alarm_policy_value_and_inputs() -> None:
    """They are in the fact, and in the cause of later activities."""
    decision = decided(settled(1), (EXACT, 3))
    assert decision.facts == (
        DesiredChanged(NOW, "AlarmA", "A", "", 10, {"visible": 10}, before=1, after=3),
    )
    assert decision.group.cause == (
        "At 2025-06-15T15:07:00Z a monitor alarm backlog-high in state ALARM triggered policy out "
        "changing the desired capacity from 1 to 3."
    )


def test_an_alarm_triggers_the_policies_of_its_state() -> None:
    """An alarm in OK runs the policies in OKActions, and the cause says so."""
    policies = policies_of((EXACT, 3), (EXACT, 5))
    alarm = an_alarm(threshold=0.0, actions=("A",), ok_actions=("B",))
    due_alarm = DueAlarm(alarm, 1.0, {}, state=AlarmState.OK)
    decision = decide(a_fleet(policies, (alarm,)), settled(1), {}, [due_alarm], NOW)
    assert decision.group.desired == 5
    assert "alarm backlog-high in state OK triggered policy out changing" in decision.group.cause


def test_an_action_that_is_no_policy_changes_no_capacity() -> None:
    """A topic beside a policy is data: the policy alone is run, and nothing is raised."""
    topic = OtherAction("arn:aws:sns:us-east-1:123456789012:people")
    alarm = an_alarm(threshold=0.0, actions=(topic, "A"), ok_actions=(topic,))
    fleet = a_fleet(policies_of((EXACT, 3)), (alarm,))
    decision = decide(fleet, settled(1), {}, [DueAlarm(alarm, 1.0, {})], NOW)
    assert decision.group.desired == 3
    assert alarm.policies_in(AlarmState.OK) == ()


def test_a_value_in_no_step_changes_nothing() -> None:
    """That happens if an alarm of M of N goes to ALARM by older datapoints."""
    decision = decided(settled(1), (EXACT, 3), value=-5)
    assert (decision.group.desired, decision.held) == (1, {"A": "the alarm's value is in no step"})


def test_without_a_due_alarm_nothing_changes_and_reasons_stay() -> None:
    """The reasons that were reported before stay."""
    held = {"A": "it had to wait"}
    group = settled(2)
    assert decide(a_fleet(), group, held, [], NOW) == Decision(group, held)


def test_a_reason_is_reported_again_only_when_it_changes() -> None:
    """The same reason in the next minute makes no fact."""
    fleet = a_fleet(policies_of((EXACT, 2)))
    due_alarm = DueAlarm(an_alarm(threshold=0.0, actions=("A",)), -1.0, {})
    first = decide(fleet, settled(2), {}, [due_alarm], NOW)
    second = decide(fleet, settled(2), first.held, [due_alarm], NOW)
    assert (len(first.facts), second.facts) == (1, ())


@pytest.mark.parametrize(
    ("own", "default", "cooldown", "expected"),
    [
        pytest.param(10, 20, 300, 10, id="the-policys"),
        pytest.param(0, 20, 300, 0, id="the-policys-zero"),
        pytest.param(None, 20, 300, 20, id="the-groups"),
        pytest.param(None, None, 300, 300, id="the-cooldown"),
    ],
)
def test_the_warm_up_is_the_most_special_one(
    own: int | None, default: int | None, cooldown: int, expected: int
) -> None:
    """It is the policy's, else the group's, else the default cooldown."""
    group = a_group(default_warmup=default, default_cooldown=cooldown)
    assert warmup(a_fleet(group=group), a_policy(warmup=own)) == expected


ASKED = st.lists(
    st.tuples(st.sampled_from(list(AdjustmentType)), st.integers(-200, 200)),
    min_size=1,
    max_size=4,
)


@given(st.integers(0, 10), ASKED)
def test_together_no_less_than_any_one_alone(
    count: int, asked: list[tuple[AdjustmentType, int]]
) -> None:
    """The capacity decided together is the largest of those decided alone, and in bounds."""
    asked = [(kind, abs(size) if kind is EXACT else size) for kind, size in asked]
    alone = [decided(settled(count), one).group.desired for one in asked]
    together = decided(settled(count), *asked).group.desired
    assert together == max(alone)
    assert 0 <= together <= 10
