"""Check of the steps: every probe is tried, nothing stays changed, and another rule is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders.verifications import VEHICLE, a_run, find, named
from support.fakes.account import FakeAccount

from tidemill.verify.expectation import REFUSED, probes
from tidemill.verify.finding import Verdict
from tidemill.verify.ports import RefusedError

if TYPE_CHECKING:
    from tidemill.verify.ports import Answer

EXECUTE = "autoscaling:ExecutePolicy"


class OtherRule(FakeAccount):
    """An account whose policies have another effect, by the value that they are executed with."""

    def __init__(self, effects: dict[float, int]) -> None:
        """Set the desired capacity to these numbers instead."""
        super().__init__()
        self.effects = effects

    def call(self, action: str, **parameters: Any) -> Answer:  # noqa: ANN401 - any action's own
        """Answer an action."""
        value = parameters.get("MetricValue")
        if action == EXECUTE and value in self.effects:
            self.calls.append(action)
            group = {"AutoScalingGroupName": self.fleet.group.name}
            desired = {"DesiredCapacity": self.effects[value], "HonorCooldown": False}
            return super().call("autoscaling:SetDesiredCapacity", **group, **desired)
        return super().call(action, **parameters)


def is_untouched(account: FakeAccount) -> bool:
    """Return whether the group is as before: at 0, and no process suspended."""
    group = account.memory.group
    return (group.desired, group.instances, dict(group.suspended)) == (0, (), {})


def test_every_probe_is_tried_and_nothing_stays_changed() -> None:
    """No instance is launched, because Launch is suspended meanwhile."""
    account = FakeAccount()
    finding = find("steps", account)
    assert finding.verdict is Verdict.AGREES
    assert len(finding.rows) == len(list(probes(account.fleet)))
    assert account.calls.count(EXECUTE) == len(finding.rows)
    assert is_untouched(account)
    assert account.activities == ()


def test_another_step_at_a_bound_differs() -> None:
    """AWS chooses another step for one message's value."""
    account = OtherRule({1.0: 3})
    finding = find("steps", account)
    assert finding.verdict is Verdict.DIFFERS
    assert {one.observed for one in finding.rows if one.verdict is Verdict.DIFFERS} == {"3"}
    assert is_untouched(account)


def test_a_value_that_aws_refuses_is_compared_too() -> None:
    """A value in no step is expected to be refused, another one is not."""
    account = FakeAccount()
    account.refused[EXECUTE] = "ValidationError"
    finding = find("steps", account)
    assert finding.verdict is Verdict.DIFFERS
    assert {one.observed for one in finding.rows if one.observed} == {REFUSED}
    assert is_untouched(account)


class OnlyWhileNothingIsSuspended(FakeAccount):
    """An account in which ExecutePolicy does nothing while a process is suspended."""

    def call(self, action: str, **parameters: Any) -> Answer:  # noqa: ANN401 - any action's own
        """Answer an action."""
        if action == EXECUTE and self.memory.group.suspended:
            self.calls.append(action)
            return {}
        return super().call(action, **parameters)


def test_without_an_effect_while_suspended_the_small_probes_are_repeated() -> None:
    """Those that ask for one instance are compared; the others were not observed."""
    account = OnlyWhileNothingIsSuspended()
    finding = find("steps", account)
    verdicts = {one.verdict for one in finding.rows}
    assert verdicts == {Verdict.AGREES, Verdict.NOT_OBSERVED}
    assert {one.expected for one in finding.rows if one.verdict is Verdict.AGREES} <= {"1", REFUSED}
    account.go(600)
    assert is_untouched(account)


@pytest.mark.parametrize("number", [1, 3, 7])
def test_an_interruption_restores_the_group(number: int) -> None:
    """Ctrl-C in the middle of the probes, and what was tried until then is kept."""
    account = FakeAccount()

    def interrupt(answer: Answer) -> Answer:
        if account.calls.count(EXECUTE) == number:
            raise KeyboardInterrupt
        return answer

    account.changes[EXECUTE] = interrupt
    with pytest.raises(KeyboardInterrupt):
        a_run(account, named("steps"))
    assert is_untouched(account)


def test_a_refused_action_restores_the_group() -> None:
    """Without the permission nothing was observed."""
    account = FakeAccount()
    account.refused[EXECUTE] = "AccessDenied"
    finding = find("steps", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert finding.rows[0].note == f"{EXECUTE}: AccessDenied"
    assert is_untouched(account)


def test_a_group_at_work_is_left_alone() -> None:
    """Other people's messages would be disturbed."""
    account = FakeAccount()
    account.world.works = False
    account.world.send(VEHICLE)
    account.go(120)
    finding = find("steps", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert "run this on an idle stack" in finding.rows[0].note
    assert EXECUTE not in account.calls


def test_the_account_of_these_tests_refuses_like_aws() -> None:
    """The rig's API answers with AWS's error code for a value in no step."""
    account = FakeAccount()
    (policy, *_) = account.fleet.policies
    with pytest.raises(RefusedError) as error:
        account.call(
            EXECUTE,
            AutoScalingGroupName=account.fleet.group.name,
            PolicyName=f"{policy.name}-other",
            MetricValue=1.0,
            BreachThreshold=1.0,
        )
    assert error.value.code == "ValidationError"
