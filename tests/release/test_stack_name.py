"""Stack names: which ones are refused, and that the others fit the names in template.yaml."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.fleets import product_template

from tidemill.release.errors import ReleaseError
from tidemill.release.stack_name import ALLOWED, LONGEST, refuse_impossible_name

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each property that contains the stack's name and names something, with AWS's rule for it: the
# API references of SQS (CreateQueue), DynamoDB (CreateTable), EC2 Auto Scaling, CloudWatch
# (PutDashboard), CloudWatch Logs (CreateLogGroup, PutQueryDefinition), Systems Manager
# (PutParameter).
RULES: Final = {
    ("AWS::SQS::Queue", "QueueName"): r"(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?",
    ("AWS::DynamoDB::Table", "TableName"): r"[A-Za-z0-9_.-]{3,255}",
    ("AWS::AutoScaling::AutoScalingGroup", "AutoScalingGroupName"): r"[ -~]{1,255}",
    ("AWS::CloudWatch::Dashboard", "DashboardName"): r"[A-Za-z0-9_-]{1,255}",
    ("AWS::Logs::LogGroup", "LogGroupName"): r"[.\-_/#A-Za-z0-9]{1,512}",
    ("AWS::Logs::QueryDefinition", "Name"): r"[^*]{1,255}",
    ("AWS::SSM::Parameter", "Name"): r"[A-Za-z0-9_.-]{1,2048}",
}
NAMES: Final = {
    *("Name", "QueueName", "AutoScalingGroupName", "DashboardName", "LogGroupName", "TopicName"),
    *("AlarmName", "RepositoryName", "RoleName", "FunctionName", "ManagedPolicyName", "PolicyName"),
    *("InstanceProfileName", "LaunchTemplateName", "GroupName", "TableName"),
}
STACK_NAMES: Final = st.from_regex(ALLOWED, fullmatch=True).map(
    lambda name: name[:LONGEST].rstrip("-")
)


def named() -> Iterator[tuple[tuple[str, str], str]]:
    """Yield type and property of everything in template.yaml that has a name, and the name."""
    for resource in product_template()["Resources"].values():
        for key, value in resource.get("Properties", {}).items():
            if key in NAMES:
                choices = value["Fn::If"][1:] if "Fn::If" in value else [value]
                texts = [choice["Fn::Sub"] for choice in choices if "Fn::Sub" in choice]
                yield from (((resource["Type"], key), text) for text in texts)


def test_every_name_in_the_template_has_a_rule_here() -> None:
    """A new resource with a name of its own needs its rule."""
    assert {key for key, _ in named()} == RULES.keys()


@given(stack=STACK_NAMES)
def test_a_name_that_is_not_refused_fits_every_resource(stack: str) -> None:
    """Every name made from it keeps the rules of its service."""
    refuse_impossible_name(stack)
    for key, text in named():
        assert re.fullmatch(RULES[key], text.replace("${AWS::StackName}", stack)), (key, text)


def test_one_character_more_than_the_longest_name_does_not_fit() -> None:
    """The limit is that of the queues' names, not a smaller one."""
    texts = [text for key, text in named() if key[0] == "AWS::SQS::Queue"]
    longest = max(len(text.replace("${AWS::StackName}", "s" * LONGEST)) for text in texts)
    assert longest == 80


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("tidemill", id="default"),
        pytest.param("Tidemill-Prod2", id="capitals"),
        pytest.param("shop--eu", id="double-hyphen"),
        pytest.param("t" * LONGEST, id="longest"),
    ],
)
def test_a_name_that_works_is_not_refused(name: str) -> None:
    """CloudFormation makes the repositories' names, the only ones with a stricter rule."""
    refuse_impossible_name(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("shop-", "no hyphen last", id="hyphen-last"),
        pytest.param("1shop", "a letter first", id="digit-first"),
        pytest.param("my_shop", "letters, digits", id="underscore"),
        pytest.param("", "letters, digits", id="empty"),
        pytest.param("t" * (LONGEST + 1), "has 63 characters: use at most 62", id="too-long"),
    ],
)
def test_a_name_that_cannot_work_is_refused_in_a_sentence(name: str, message: str) -> None:
    """The error says what is allowed."""
    with pytest.raises(ReleaseError, match=message):
        refuse_impossible_name(name)
