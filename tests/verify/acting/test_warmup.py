"""Check of the warm-up: a policy that does not wait for it is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.builders.verifications import find
from support.fakes.account import FakeAccount

from tidemill.verify.finding import Verdict

if TYPE_CHECKING:
    from tidemill.verify.ports import Answer

EXECUTE = "autoscaling:ExecutePolicy"


class Hasty(FakeAccount):
    """An account whose policies scale in at once."""

    def call(self, action: str, **parameters: Any) -> Answer:  # noqa: ANN401 - any action's own
        """Answer an action."""
        if action == EXECUTE:
            group = {"AutoScalingGroupName": self.fleet.group.name}
            return self.call("autoscaling:SetDesiredCapacity", **group, DesiredCapacity=0)
        return super().call(action, **parameters)


def is_untouched(account: FakeAccount) -> bool:
    """Return whether no instance is wanted and no process is suspended."""
    group = account.memory.group
    return (group.desired, dict(group.suspended)) == (0, {})


def test_a_policy_waits_for_the_warm_up() -> None:
    """While the instance is pending, and for WarmupSeconds from InService; then it scales in."""
    account = FakeAccount(WarmupSeconds="120")
    finding = find("warm-up", account)
    assert [one.observed for one in finding.rows] == ["1", "1", "0"]
    assert finding.verdict is Verdict.AGREES
    assert is_untouched(account)


def test_a_policy_that_scales_in_at_once_differs() -> None:
    """The instance goes while it boots."""
    account = Hasty()
    finding = find("warm-up", account)
    assert finding.verdict is Verdict.DIFFERS
    assert finding.rows[0].observed == "0"
    assert is_untouched(account)


def test_a_refused_policy_is_no_agreement() -> None:
    """The instance goes all the same."""
    account = FakeAccount()
    account.refused[EXECUTE] = "AccessDenied"
    finding = find("warm-up", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert is_untouched(account)
