"""Checks of the stack and its template: each agrees, and differs for every reason it has."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders.fleets import product_template
from support.builders.verifications import find, row
from support.fakes.account import FakeAccount

from tidemill.verify.finding import Verdict
from tidemill.verify.reading.stack import differing_paths

if TYPE_CHECKING:
    from collections.abc import Callable

STACKS, RESOURCES = "cloudformation:DescribeStacks", "cloudformation:ListStackResources"


def with_status(status: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return the change of the stack's status."""
    return lambda answer: {"Stacks": [answer["Stacks"][0] | {"StackStatus": status}]}


@pytest.mark.parametrize("fast", ["false", "true"])
def test_a_whole_stack_agrees(fast: str) -> None:
    """With all resources whose condition is true, of which SAM replaces one."""
    account = FakeAccount(FastSignal=fast, HoldSeconds="300")
    account.physical.pop("SignalFunction", None)
    assert find("stack", account).verdict is Verdict.AGREES


@pytest.mark.parametrize(
    "status",
    ["UPDATE_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_IN_PROGRESS"],
)
def test_a_stack_that_is_not_complete_differs(status: str) -> None:
    """One that was rolled back is complete by its name only."""
    account = FakeAccount()
    account.changes[STACKS] = with_status(status)
    finding = find("stack", account)
    assert row(finding, "status of the stack").observed == status
    assert finding.verdict is Verdict.DIFFERS


def test_a_missing_resource_differs() -> None:
    """Its logical id is shown."""
    account = FakeAccount()
    del account.physical["DeadLettersAlarm"]
    assert row(find("stack", account), "that the stack lacks").observed == "DeadLettersAlarm"


def test_a_resource_that_failed_differs() -> None:
    """Although the stack itself may be complete."""
    account = FakeAccount()

    def failed(answer: dict[str, Any]) -> dict[str, Any]:
        first, *rest = answer["StackResourceSummaries"]
        return {"StackResourceSummaries": [first | {"ResourceStatus": "UPDATE_FAILED"}, *rest]}

    account.changes[RESOURCES] = failed
    assert row(find("stack", account), "not complete").verdict is Verdict.DIFFERS


def test_a_stack_of_another_account_differs() -> None:
    """Such as one that is seen through an assumed role."""
    account = FakeAccount()
    account.changes["sts:GetCallerIdentity"] = lambda answer: answer | {"Account": "210987654321"}
    assert row(find("stack", account), "account and region").verdict is Verdict.DIFFERS


def test_the_deployed_template_is_compared_with_the_local_one() -> None:
    """`sam build` writes JSON or YAML and adds metadata, which decides nothing."""
    account = FakeAccount()
    built = product_template()
    built["Resources"]["WorkQueue"]["Metadata"] = {"SamResourceId": "WorkQueue"}
    account.answers["cloudformation:GetTemplate"] = {"TemplateBody": json.dumps(built)}
    assert find("template", account).verdict is Verdict.AGREES
    built["Resources"]["BacklogAlarm"]["Properties"]["Threshold"] = 7
    built["Resources"].pop("ErrorsQuery")
    account.answers["cloudformation:GetTemplate"] = {"TemplateBody": json.dumps(built)}
    finding = find("template", account)
    assert finding.verdict is Verdict.DIFFERS
    assert row(finding, "places").observed == (
        "Resources.BacklogAlarm.Properties.Threshold, Resources.ErrorsQuery"
    )


def test_a_template_that_cannot_be_read_is_no_agreement() -> None:
    """Without the permission nothing was observed; a body that is no template differs."""
    account = FakeAccount()
    account.answers["cloudformation:GetTemplate"] = {"TemplateBody": "[]"}
    assert find("template", account).verdict is Verdict.DIFFERS
    account.refused["cloudformation:GetTemplate"] = "AccessDenied"
    assert find("template", account).verdict is Verdict.NOT_OBSERVED


PATHS = [
    ("Resources", "BacklogPolicy", "Properties", "AdjustmentType"),
    ("Resources", "WorkQueue", "Properties", "ReceiveMessageWaitTimeSeconds"),
    ("Mappings", "WorkTimes", "30", "Hook"),
    ("Parameters", "MaxInstances", "Default"),
    ("Conditions", "OwnAmi"),
]


@settings(max_examples=20)  # each copies the whole template
@given(st.sampled_from(PATHS), st.one_of(st.text(min_size=1), st.integers(7, 9), st.none()))
def test_any_change_is_found_at_its_path(path: tuple[str, ...], value: object) -> None:
    """The path leads to the change, in whichever of the two it was made."""
    local, deployed = product_template(), copy.deepcopy(product_template())
    part: Any = deployed
    for key in path[:-1]:
        part = part[key]
    if str(part[path[-1]]) == str(value):
        return
    part[path[-1]] = value
    assert differing_paths(local, deployed) == [".".join(path)]
    assert differing_paths(deployed, local) == [".".join(path)]


def test_numbers_written_as_text_are_the_same() -> None:
    """CloudFormation passes both on as text; a text of another number is not."""
    local = {"Resources": {"A": {"Type": "T", "Properties": {"n": 60, "b": True, "l": [1]}}}}
    same = {"Resources": {"A": {"Type": "T", "Properties": {"n": "60", "b": "true", "l": ["1"]}}}}
    other = {"Resources": {"A": {"Type": "T", "Properties": {"n": "61", "b": "true", "l": [1, 2]}}}}
    assert differing_paths(local, same) == []
    assert differing_paths(local, other) == [
        "Resources.A.Properties.l",
        "Resources.A.Properties.n",
    ]
