"""Check of a burst: a dip, a lower peak and a lost message are noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.verifications import find, row
from support.fakes.account import FakeAccount

from tidemill.scaling.requests.commands import SetDesiredCapacity
from tidemill.verify.acting.burst import rises_after_falls
from tidemill.verify.finding import Verdict


def test_a_burst_as_predicted_agrees() -> None:
    """Forty-one messages need three instances."""
    account = FakeAccount(BacklogPerInstance="20", MaxInstances="4")
    finding = find("burst", account)
    assert finding.verdict is Verdict.AGREES
    assert account.world.sent == 41
    assert row(finding, "largest capacity").expected == "3 to 4"


class Dipping(FakeAccount):
    """An account whose group is set to 1 in the middle of the work, as by a late metric."""

    def go(self, seconds: float) -> None:
        """Let time pass."""
        super().go(seconds)
        if self.memory.group.serving() and not self.dipped:
            self.dipped = True
            self.request(SetDesiredCapacity(1))

    dipped = False


def test_a_dip_differs() -> None:
    """The note has the capacities in their order."""
    finding = find("burst", Dipping())
    dip = row(finding, "increased again")
    assert (dip.verdict, dip.observed) == (Verdict.DIFFERS, "1")
    assert ", 1, 4" in dip.note


def test_a_lower_peak_differs() -> None:
    """Somebody lowered the group's maximum after the deployment."""
    account = FakeAccount()
    policies = account.fleet
    account.call(
        "autoscaling:UpdateAutoScalingGroup",
        AutoScalingGroupName=policies.group.name,
        MaxSize=2,
    )
    assert row(find("burst", account), "largest capacity").observed == "2"


def test_without_lines_the_messages_are_not_counted() -> None:
    """An empty queue alone does not prove that each message was processed."""
    account = FakeAccount()
    account.world.logs = False
    finding = find("burst", account)
    assert row(finding, "messages processed").verdict is Verdict.NOT_OBSERVED
    assert finding.verdict is Verdict.NOT_OBSERVED


def test_a_burst_that_would_be_too_large_is_not_sent() -> None:
    """With a thousand messages for each instance."""
    account = FakeAccount(BacklogPerInstance="1000")
    finding = find("burst", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert account.world.sent == 0


@pytest.mark.parametrize(
    ("sizes", "rises"),
    [([], 0), ([0, 3, 0], 0), ([0, 3, 1, 3, 0], 1), ([0, 1, 3, 2, 1, 0], 0), ([0, 2, 1, 2, 3], 2)],
    ids=str,
)
def test_rises_are_counted_after_the_first_fall(sizes: list[int], rises: int) -> None:
    """The first way up has no fall before it."""
    assert rises_after_falls(sizes) == rises


@given(st.lists(st.integers(0, 5)))
def test_up_and_then_down_has_no_rise_after_a_fall(sizes: list[int]) -> None:
    """Whatever the numbers are."""
    assert rises_after_falls([*sorted(sizes), *sorted(sizes, reverse=True)]) == 0
