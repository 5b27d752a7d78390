"""Parameters: the values that the template refuses, and the messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from support.builders.fleets import product_fleet, product_template

from tidemill.scaling.errors import ParameterError

if TYPE_CHECKING:
    from support.emulators.ministack import Ministack

TEMPLATE = product_template()
PARAMETERS = TEMPLATE["Parameters"]
DOOR = json.dumps(
    {
        "Parameters": PARAMETERS,
        "Rules": TEMPLATE["Rules"],
        "Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
    }
)
"""The part of the template that CloudFormation checks values against before all else."""


def wrong_values() -> list[tuple[str, str]]:
    """Return values outside the bounds of each parameter."""
    wrong: list[tuple[str, str]] = []
    for name, parameter in PARAMETERS.items():
        if "MinValue" in parameter:
            wrong += [(name, str(parameter["MinValue"] - 1)), (name, "ten")]
            wrong.append((name, str(parameter["MaxValue"] + 1)))
        if "AllowedValues" in parameter:
            wrong.append((name, "77"))
    wrong += [
        ("ImageTag", "no spaces"),
        ("Handler", "module"),
        ("Workers", "all"),
        ("Workers", "129"),
        ("Workers", "01"),
        ("KmsKeyArn", "alias/mine"),
        ("InstanceTypes", "large"),
        ("InstanceTypes", "t4g.small,t4g.medium"),
        ("InstanceTypes", "t4g.small,t4g.medium,c7g.medium,c7g.large"),
        ("Ami", "my-image"),
        ("Network", "my-vpc"),
        ("SubnetIds", "my-subnet"),
        ("NotificationEmail", "somebody"),
    ]
    return wrong


def refusal(server: Ministack, values: dict[str, str]) -> str:
    """Ask CloudFormation for a stack with these values; return why it refuses, or nothing."""
    with server.client("cloudformation") as client:
        try:
            client.create_change_set(
                StackName="door",
                ChangeSetName="door",
                ChangeSetType="CREATE",
                TemplateBody=DOOR,
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": value}
                    for name, value in values.items()
                ],
            )
        except ClientError as error:
            return str(error.response["Error"].get("Message", ""))
        client.delete_stack(StackName="door")
        return ""


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_has_a_value_that_is_tried(name: str) -> None:
    """A new parameter needs wrong values in this module."""
    assert name in {tried for tried, _ in wrong_values()}


@pytest.mark.parametrize(("name", "value"), wrong_values())
def test_a_value_out_of_bounds_is_refused_in_the_templates_words(name: str, value: str) -> None:
    """The rig refuses the value before it starts anything, and says which values are right."""
    with pytest.raises(ParameterError) as caught:
        product_fleet(**{name: value})
    assert str(caught.value) == (
        f"parameter {name}={value}: {PARAMETERS[name]['ConstraintDescription']}"
    )


@pytest.mark.parametrize(("name", "value"), wrong_values())
def test_cloudformation_refuses_it_too(ministack: Ministack, name: str, value: str) -> None:
    """CloudFormation refuses the value before it creates anything."""
    message = refusal(ministack, {name: value})
    assert f"'{name}'" in message
    # The emulator has words of its own for AllowedValues, and for text that is no number.
    if "AllowedValues" not in PARAMETERS[name] and value != "ten":
        assert PARAMETERS[name]["ConstraintDescription"] in message


@pytest.mark.parametrize("name", PARAMETERS)
def test_defaults_are_within_their_own_bounds(name: str) -> None:
    """A stack without given parameters is valid."""
    default = PARAMETERS[name]["Default"]
    assert product_fleet(**{name: str(default)}) == product_fleet()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param(
            {"Network": "vpc-1"},
            "Network is a VPC that exists, so give SubnetIds.",
            id="no-subnet",
        ),
        pytest.param(
            {"Network": "vpc-1", "SubnetIds": "subnet-1,"},
            "Network is a VPC that exists, so give SubnetIds.",
            id="an-empty-subnet",
        ),
        pytest.param(
            {"Architecture": "x86_64"},
            "Architecture is x86_64, so give InstanceTypes of that kind, such as "
            "t3a.small,t3a.medium,c7a.medium.",
            id="types-of-another-architecture",
        ),
        pytest.param(
            {"InstanceTypes": "t3a.small,t3a.medium,c7a.medium"},
            "Architecture is arm64, so give InstanceTypes of that kind, such as "
            "t4g.small,t4g.medium,c7g.medium.",
            id="types-of-x86-for-arm",
        ),
        pytest.param(
            {"FastSignal": "true", "HoldSeconds": "60"},
            "FastSignal is true, so give HoldSeconds of 120 or more, such as 300.",
            id="a-hold-that-ends-before-the-boot",
        ),
        pytest.param(
            {"QueueKind": "fifo", "Envelope": "s3"},
            "S3 does not send to FIFO queues, so give QueueKind standard or another Envelope.",
            id="notifications-of-s3-in-order",
        ),
    ],
)
def test_values_that_do_not_go_together_are_refused(
    ministack: Ministack, values: dict[str, str], sentence: str
) -> None:
    """The template's rules refuse them, with a sentence about what is missing."""
    assert refusal(ministack, values).endswith(sentence)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({}, id="defaults"),
        pytest.param({"Network": "private"}, id="private"),
        pytest.param(
            {"Network": "vpc-1", "SubnetIds": "subnet-1,subnet-2"},
            id="existing-network",
        ),
        pytest.param(
            {"Architecture": "x86_64", "InstanceTypes": "t3a.small,t3a.medium,c7a.medium"},
            id="types-of-the-architecture",
        ),
        pytest.param({"FastSignal": "true"}, id="the-fast-signal"),
        pytest.param({"QueueKind": "fifo", "Envelope": "sns"}, id="messages-of-sns-in-order"),
        pytest.param({"Envelope": "s3"}, id="notifications-of-s3"),
        pytest.param({"HoldSeconds": "60"}, id="a-short-hold-without-the-fast-signal"),
    ],
)
def test_values_that_go_together_are_taken(ministack: Ministack, values: dict[str, str]) -> None:
    """Otherwise a rule that refuses everything would pass the test above."""
    assert refusal(ministack, values) == ""


@pytest.mark.parametrize(
    "assertion",
    [
        pytest.param(assertion, id=assertion["AssertDescription"])
        for rule in TEMPLATE["Rules"].values()
        for assertion in rule["Assertions"]
    ],
)
def test_each_rule_has_its_sentence(assertion: dict[str, str]) -> None:
    """The sentence names the parameter to give."""
    assert assertion["AssertDescription"].endswith(".")
    assert [name for name in PARAMETERS if f"give {name}" in assertion["AssertDescription"]]
