"""Check of a reboot: a worker that does not come back is noticed, and the alarms act again."""

from __future__ import annotations

import pytest
from support.builders.verifications import find, row
from support.fakes.account import FakeAccount

from tidemill.verify.finding import Verdict

REBOOT = "ec2:RebootInstances"


def test_a_worker_that_comes_back_agrees() -> None:
    """The same instance processes the next message, and the group is at 0 in the end."""
    account = FakeAccount()
    finding = find("reboot", account)
    assert finding.verdict is Verdict.AGREES
    assert account.memory.group.desired == 0
    assert dict(account.memory.group.suspended) == {}


def test_a_worker_that_does_not_come_back_differs() -> None:
    """Its instance counts as in service and does nothing."""
    account = FakeAccount()
    account.world.survives = False
    finding = find("reboot", account)
    assert row(finding, "starts again").observed == "no line of it"
    assert row(finding, "after the reboot").observed == "no"
    assert dict(account.memory.group.suspended) == {}


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidInstanceID.NotFound"])
def test_a_reboot_that_is_refused_is_no_agreement(code: str) -> None:
    """An emulator has no instances to reboot; the alarms act again."""
    account = FakeAccount()
    account.refused[REBOOT] = code
    finding = find("reboot", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert finding.rows[0].note == f"{REBOOT}: {code}"
    assert dict(account.memory.group.suspended) == {}
