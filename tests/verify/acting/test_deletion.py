"""Check of the deletion: what stays, and a drain that is cut off, are noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.verifications import find, row
from support.fakes.account import FakeAccount
from support.fakes.account_answers import STACK_ID

from tidemill.verify.finding import Verdict

if TYPE_CHECKING:
    from tidemill.verify.ports import Answer

STACKS, EVENTS = "cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"


def test_a_stack_that_goes_agrees() -> None:
    """Its instance drains first."""
    account = FakeAccount()
    assert find("delete", account).verdict is Verdict.AGREES
    assert account.world.stack_deleted is not None


def test_a_deletion_that_fails_differs() -> None:
    """The resources that stay are named with CloudFormation's reason."""
    account = FakeAccount()

    def failed(answer: Answer) -> Answer:
        if account.world.stack_deleted is None:
            return answer
        return {"Stacks": [answer["Stacks"][0] | {"StackStatus": "DELETE_FAILED"}]}

    account.changes[STACKS] = failed
    event = {
        "StackId": STACK_ID,
        "EventId": "1",
        "StackName": "tidemill",
        "Timestamp": account.clock().now(),
        "LogicalResourceId": "FleetInternetAttachment",
        "ResourceStatus": "DELETE_FAILED",
        "ResourceStatusReason": "has some mapped public address(es)",
    }
    account.answers[EVENTS] = {"StackEvents": [event]}
    finding = find("delete", account)
    assert row(finding, "status").observed == "DELETE_FAILED"
    assert row(finding, "could not be deleted").observed == (
        "FleetInternetAttachment: has some mapped public address(es)"
    )


def test_a_drain_that_is_cut_off_differs() -> None:
    """The instance lost its network, so the hook ended by its timeout."""
    account = FakeAccount()
    account.world.drains = False
    assert row(find("delete", account), "time in hook").verdict is Verdict.DIFFERS


@pytest.mark.long
def test_without_an_instance_nothing_is_deleted() -> None:
    """The check would show nothing, at the price of a stack."""
    account = FakeAccount()
    account.world.pending = 1e6
    finding = find("delete", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert "cloudformation:DeleteStack" not in account.calls
