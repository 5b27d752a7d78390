"""The target: the stack as deployed, and the fleet that the local template describes there."""

from __future__ import annotations

import pytest
from support.builders.fleets import product_template
from support.builders.verifications import a_target
from support.fakes.account import FakeAccount
from support.fakes.account_answers import ACCOUNT, REGION, STACK

from tidemill.verify.ports import VerifyError
from tidemill.verify.target import read_target


def test_the_fleet_has_the_stacks_parameters_and_names() -> None:
    """So that everything is expected of the deployed alarms, policies and queue."""
    target = a_target(FakeAccount(MaxInstances="3", HoldSeconds="300"))
    assert (target.region, target.account, target.group) == (REGION, ACCOUNT, f"{STACK}-workers")
    assert target.fleet.group.max_size == 3
    assert {alarm.period for alarm in target.fleet.alarms} == {300}
    assert all(alarm.name.endswith("1A2B3C4D5E6F") for alarm in target.fleet.alarms)
    assert all(policy.name.endswith("1A2B3C4D5E6F") for policy in target.fleet.policies)
    assert target.queue_url.endswith(f"/{ACCOUNT}/{STACK}-work")
    assert (target.dead_letter_url or "").endswith("-dead-letters")


def test_a_parameter_that_the_local_template_lacks_is_reported() -> None:
    """The stack is of another version; the check of the template shows it."""
    account = FakeAccount()
    template = product_template()
    del template["Parameters"]["DetailedMonitoring"]
    launch = template["Resources"]["WorkerLaunchTemplate"]["Properties"]["LaunchTemplateData"]
    del launch["Monitoring"]
    target = read_target(account, template, STACK, lambda _: None)
    assert target.unknown == ("DetailedMonitoring",)


def test_a_stack_that_does_not_exist_is_one_line() -> None:
    """The line says where it was looked for, and what to do."""
    account = FakeAccount()
    account.refused["cloudformation:DescribeStacks"] = "Stack with id x does not exist"
    with pytest.raises(VerifyError, match=f"no stack {STACK} in {REGION}: give --stack, or set"):
        a_target(account)


def test_a_refusal_at_the_beginning_ends_the_command() -> None:
    """Nothing can be expected of a stack that cannot be read."""
    account = FakeAccount()
    account.refused["cloudformation:ListStackResources"] = "AccessDenied"
    with pytest.raises(VerifyError, match=r"^cloudformation:ListStackResources: AccessDenied$"):
        a_target(account)


def test_a_stack_without_the_queue_is_one_line() -> None:
    """Such as one whose creation has failed."""
    account = FakeAccount()
    del account.physical["WorkQueue"]
    with pytest.raises(VerifyError, match="has no resource WorkQueue"):
        a_target(account)
