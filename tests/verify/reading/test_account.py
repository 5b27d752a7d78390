"""Checks of quota, image and subscription: each agrees, differs, and can lack its observation."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders.verifications import find, row
from support.fakes.account import FakeAccount

from tidemill.verify.finding import Verdict
from tidemill.verify.reading.account import ON_DEMAND, PENDING, SPOT

ADDRESS = "ada@example.org"
QUOTA, IMAGES = "servicequotas:GetServiceQuota", "ecr:DescribeImages"
PEOPLE = "sns:ListSubscriptionsByTopic"


def quotas(**values: float) -> Any:  # noqa: ANN401 - a change of an answer
    """Return the change that gives every quota this value."""
    return lambda answer: {"Quota": answer["Quota"] | values}


@pytest.mark.parametrize(
    ("value", "verdict"), [(8.0, Verdict.AGREES), (7.0, Verdict.DIFFERS)], ids=["8", "7"]
)
def test_the_quota_has_to_hold_the_largest_fleet(value: float, verdict: Verdict) -> None:
    """Four instances of two vCPUs need eight."""
    account = FakeAccount()
    account.changes[QUOTA] = quotas(Value=value)
    finding = find("quota", account)
    assert finding.verdict is verdict
    assert finding.rows[0].expected.startswith("8 or more: 4 instances of 2 vCPUs")


def test_a_fleet_of_both_kinds_has_two_quotas() -> None:
    """Half of four instances are Spot."""
    account = FakeAccount(OnDemandPercentage="50")
    account.changes[QUOTA] = lambda answer: {
        "Quota": answer["Quota"] | {"Value": 3.0 if answer["Quota"]["QuotaCode"] == SPOT else 4.0}
    }
    finding = find("quota", account)
    assert row(finding, ON_DEMAND).verdict is Verdict.AGREES
    assert row(finding, SPOT).verdict is Verdict.DIFFERS


@pytest.mark.parametrize("action", [QUOTA, "ec2:DescribeInstanceTypes"])
def test_without_the_numbers_the_quota_is_not_observed(action: str) -> None:
    """An emulator has no quotas."""
    account = FakeAccount()
    account.refused[action] = "NotImplemented"
    assert find("quota", account).verdict is Verdict.NOT_OBSERVED


@pytest.mark.parametrize("types", ["g5g.xlarge", "inf2.xlarge", "trn1.2xlarge", "dl1.24xlarge"])
def test_types_with_another_quota_are_not_judged(types: str) -> None:
    """Such as accelerated instances."""
    account = FakeAccount(InstanceTypes=f"{types},t4g.small,t4g.small")
    finding = find("quota", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert f"{types} have a quota of their own" in finding.rows[0].note


def test_an_image_that_was_not_pushed_differs() -> None:
    """ECR refuses the tag, or answers with no image."""
    account = FakeAccount()
    assert find("image", account).verdict is Verdict.AGREES
    account.answers[IMAGES] = {"imageDetails": []}
    assert find("image", account).verdict is Verdict.DIFFERS
    account.refused[IMAGES] = "ImageNotFoundException"
    assert find("image", account).verdict is Verdict.DIFFERS
    account.refused[IMAGES] = "AccessDenied"
    assert find("image", account).verdict is Verdict.NOT_OBSERVED


@pytest.mark.parametrize(
    ("arn", "verdict"),
    [
        ("arn:aws:sns:eu-west-1:123456789012:people:6e1a", Verdict.AGREES),
        (PENDING, Verdict.DIFFERS),
        (None, Verdict.DIFFERS),
    ],
    ids=["confirmed", "pending", "absent"],
)
def test_the_address_has_to_be_confirmed(arn: str | None, verdict: Verdict) -> None:
    """Before that AWS sends nothing."""
    account = FakeAccount(NotificationEmail=ADDRESS)
    subscribed = [] if arn is None else [{"Endpoint": ADDRESS, "SubscriptionArn": arn}]
    account.answers[PEOPLE] = {"Subscriptions": subscribed}
    assert find("people", account).verdict is verdict


def test_without_an_address_nobody_is_asked() -> None:
    """That is no agreement: alarms reach nobody."""
    finding = find("people")
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert "reach nobody" in finding.rows[0].note
    account = FakeAccount(NotificationEmail=ADDRESS)
    account.refused[PEOPLE] = "AccessDenied"
    assert find("people", account).verdict is Verdict.NOT_OBSERVED
