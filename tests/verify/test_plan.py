"""The plan: every check says beforehand what it does and needs, and does no more than that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.builders.verifications import a_run, a_target, named
from support.fakes.account import FakeAccount, model_of

from tidemill.verify.check import Level
from tidemill.verify.plan import CHECKS, NAMES, chosen, left_out, permissions
from tidemill.verify.target import CALLS

if TYPE_CHECKING:
    from tidemill.verify.check import Check, Observation

READING = re.compile(r"(Describe|Get|List|Filter)[A-Z]")
OBSERVATIONS = {check.observation.name: check.observation for check in CHECKS}


@pytest.mark.parametrize("check", CHECKS, ids=NAMES)
def test_a_check_says_everything_before_it_is_run(check: Check) -> None:
    """Question, what it does, permissions, duration and remedy."""
    assert check.question.endswith("?")
    assert check.observation.does
    assert check.observation.calls
    assert check.remedy.endswith(".")
    assert check.observation.use(a_target(FakeAccount())).seconds > 0


@pytest.mark.parametrize("one", OBSERVATIONS.values(), ids=list(OBSERVATIONS))
def test_only_what_is_allowed_explicitly_sends_or_changes(one: Observation) -> None:
    """A check that reads has no action that could change anything, and costs no instance."""
    reads = all(READING.match(call.partition(":")[2]) for call in one.calls)
    assert reads is (one.level is Level.READ)
    costs = one.use(a_target(FakeAccount())).instance_seconds > 0
    assert costs is (one.level is not Level.READ)
    assert ("cloudformation:DeleteStack" in one.calls) is (one.level is Level.DELETE)


@pytest.mark.parametrize("call", permissions(CHECKS))
def test_every_announced_action_exists(call: str) -> None:
    """By its name in botocore's model; IAM has the same name for each of them."""
    service, _, operation = call.partition(":")
    assert operation in model_of(service).operation_names


@pytest.mark.long
@pytest.mark.parametrize("one", OBSERVATIONS.values(), ids=list(OBSERVATIONS))
def test_a_check_calls_exactly_the_actions_that_it_announces(one: Observation) -> None:
    """No permission is asked for that is not used."""
    account = FakeAccount(NotificationEmail="ada@example.org")
    if one.name == "published":
        account.world.send("{}")
        account.go(600)
    account.calls.clear()
    check = next(check for check in CHECKS if check.observation.name == one.name)
    a_run(account, (check,))
    unused = set(one.calls) - set(account.calls)
    assert unused == set()
    assert set(account.calls) <= {*one.calls, *CALLS}


def test_the_order_is_from_reading_to_deleting() -> None:
    """The stack must be whole first, and its deletion is last."""
    assert NAMES[0] == "stack"
    assert NAMES[-1] == "delete"
    assert len(set(NAMES)) == len(NAMES)
    order = list(Level)
    acting = [one.observation.level for one in CHECKS if one.name != "published"]
    assert acting == sorted(acting, key=order.index)


def test_levels_and_names_choose_checks() -> None:
    """Without a level only the checks that read are chosen."""
    assert {check.observation.level for check in chosen([Level.READ])} == {Level.READ}
    assert chosen([Level.READ], ["delay"]) == ()
    assert [one.name for one in left_out([Level.READ], ["delay"])] == ["delay"]
    assert chosen([Level.READ, Level.ACT], ["zero", "delay"]) == named("delay", "zero")
    assert set(chosen(list(Level))) == set(CHECKS)
    assert left_out(list(Level)) == ()
