"""The template keeps the rules of its house: chapters, purposes, names, described parameters."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.fleets import PRODUCT_TEMPLATE, product_template, product_text

from tidemill.scaling.intrinsics import Place, Resolver

if TYPE_CHECKING:
    from collections.abc import Iterator

CHAPTERS = [
    "Network",
    "Queue",
    "Producer identity",
    "Worker identity",
    "Images",
    "Fleet",
    "Scaling",
    "Fast signal",
    "Logs",
    "Alarms for people",
    "Dashboards",
    "Saved queries",
]

KINDS = {
    "AWS::AutoScaling::AutoScalingGroup": "Group",
    "AWS::AutoScaling::ScalingPolicy": "Policy",
    "AWS::CloudWatch::Alarm": "Alarm",
    "AWS::CloudWatch::Dashboard": "Dashboard",
    "AWS::EC2::LaunchTemplate": "LaunchTemplate",
    "AWS::EC2::SecurityGroup": "SecurityGroup",
    "AWS::EC2::VPCEndpoint": "Endpoint",
    "AWS::ECR::Repository": "Repository",
    "AWS::IAM::InstanceProfile": "InstanceProfile",
    "AWS::IAM::ManagedPolicy": "Policy",
    "AWS::IAM::Role": "Role",
    "AWS::Logs::LogGroup": "LogGroup",
    "AWS::Logs::MetricFilter": "MetricFilter",
    "AWS::Logs::QueryDefinition": "Query",
    "AWS::SNS::Topic": "Topic",
    "AWS::SNS::TopicPolicy": "Policy",
    "AWS::SQS::Queue": "Queue",
    "AWS::SQS::QueuePolicy": "Policy",
    "AWS::SSM::Parameter": "Parameter",
    "AWS::Serverless::Function": "Function",
}
"""How the logical id of a resource of a type ends, where its subject alone would not tell."""

TEMPLATE = product_template()
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
LINES = product_text().splitlines()


def of_type(kind: str) -> list[str]:
    """Return the logical ids of the resources of a type."""
    return [name for name, resource in RESOURCES.items() if resource["Type"] == kind]


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every policy statement of the template, with the resource that it is in."""

    def walk(part: object) -> Iterator[dict[str, Any]]:
        if isinstance(part, dict):
            if "Effect" in part:
                yield part
            for value in part.values():
                yield from walk(value)
        elif isinstance(part, list):
            for item in part:
                yield from walk(item)

    for name, resource in RESOURCES.items():
        for statement in walk(resource.get("Properties")):
            yield name, statement


def test_chapters_stand_in_their_order() -> None:
    """Each under a banner."""
    banners = [re.fullmatch(r"  # -{66} (.+)", line) for line in LINES]
    assert [banner.group(1) for banner in banners if banner] == CHAPTERS


@pytest.mark.parametrize("name", RESOURCES)
def test_a_sentence_above_each_resource_says_its_purpose(name: str) -> None:
    """And its logical id ends with what kind of thing it is."""
    above = LINES[LINES.index(f"  {name}:") - 1]
    assert re.match(r"  # .+\.$", above), above
    assert name.endswith(KINDS.get(RESOURCES[name]["Type"], ""))


def test_there_are_few_enough_parameters_to_read() -> None:
    """Fewer than 25, each in one group of the console's form."""
    assert len(PARAMETERS) < 25
    interface = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_each_parameter_is_described_and_bounded(name: str) -> None:
    """With a sentence for whoever gives a wrong value."""
    parameter = PARAMETERS[name]
    assert parameter["Description"].endswith(".")
    if name == "SubnetIds":  # a list that is empty where it is not used: a rule checks it
        return
    assert parameter["ConstraintDescription"].endswith(".")
    assert {"AllowedValues", "AllowedPattern", "MaxValue"} & parameter.keys()
    assert ("MinValue" in parameter) == ("MaxValue" in parameter)


@pytest.mark.parametrize("name", TEMPLATE["Outputs"])
def test_each_output_is_described(name: str) -> None:
    """So that the console explains itself."""
    assert TEMPLATE["Outputs"][name]["Description"].endswith(".")


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_each_alarm_says_what_missing_data_means_and_what_to_do(name: str) -> None:
    """The treatment is explained; an alarm for people leads to a section of the runbook."""
    properties = RESOURCES[name]["Properties"]
    assert properties["TreatMissingData"]
    own = LINES[LINES.index(f"  {name}:") :]
    setting = next(n for n, line in enumerate(own) if "TreatMissingData" in line)
    assert own[setting - 1].strip().startswith("# ")
    if properties["AlarmActions"] != [{"Ref": "PeopleTopic"}]:
        return
    found = re.search(r"See docs/runbook\.md#([a-z-]+)\.", properties["AlarmDescription"])
    assert found
    runbook = (PRODUCT_TEMPLATE.parent / "docs/runbook.md").read_text()
    headings = {
        line[3:].lower().replace(" ", "-") for line in runbook.splitlines() if line[:3] == "## "
    }
    assert found.group(1) in headings
    assert name in runbook


def test_no_allow_has_a_wildcard_action_or_an_unbound_wildcard_resource() -> None:
    """Where AWS knows no resource, a condition bounds the statement and a comment says why."""
    unbound = []
    for name, statement in statements():
        actions = statement["Action"]
        listed = actions if isinstance(actions, list) else [actions]
        if statement["Effect"] == "Allow":
            assert not [action for action in listed if "*" in action], name
            if statement.get("Resource") == "*" and "Condition" not in statement:
                unbound.append((name, actions))
    assert unbound == [("SignalFunction", "autoscaling:DescribeAutoScalingGroups")]
    for line in LINES:
        if re.search(r'Resource: "\*"|Principal: "\*"', line):
            assert re.search(r"# \w+", line), line


def test_every_suppression_has_its_reason() -> None:
    """Of checkov beside the resource, of cfn-lint in a comment."""
    for name, resource in RESOURCES.items():
        metadata = resource.get("Metadata", {})
        for skip in metadata.get("checkov", {}).get("skip", []):
            assert len(skip["comment"]) > 20, name
    for line in LINES:
        assert "ignore_checks" not in line or "#" in line


@pytest.mark.parametrize("fast", ["true", "false"])
def test_dashboards_are_valid_and_tidy(fast: str) -> None:
    """JSON, within 24 columns, no widget over another."""
    resolver = Resolver(TEMPLATE, {"FastSignal": fast}, Place())
    for name in of_type("AWS::CloudWatch::Dashboard"):
        taken: set[tuple[int, int]] = set()
        for widget in json.loads(resolver.properties(name)["DashboardBody"])["widgets"]:
            cells = {
                (widget["x"] + column, widget["y"] + row)
                for column in range(widget["width"])
                for row in range(widget["height"])
            }
            assert max(column for column, _ in cells) < 24
            assert not cells & taken, widget["properties"].get("title")
            taken |= cells


def test_saved_queries_stand_in_the_documentation() -> None:
    """To the letter, and each asks only for fields that the consumer writes."""
    written = (PRODUCT_TEMPLATE.parent / "docs/queries.md").read_text()
    for name in of_type("AWS::Logs::QueryDefinition"):
        assert RESOURCES[name]["Properties"]["QueryString"].rstrip() in written


def test_the_parameters_table_of_the_documentation_is_the_templates() -> None:
    """Names, defaults and descriptions."""
    written = (PRODUCT_TEMPLATE.parent / "docs/deploy.md").read_text()
    for name, parameter in PARAMETERS.items():
        default = f"`{parameter['Default']}`" if parameter["Default"] != "" else "none"
        assert f"| {name} | {default} | {parameter['Description']} |" in written


def test_the_costs_in_the_documentation_are_those_worked_out() -> None:
    """The sums and the prices that they are made of."""
    printed = subprocess.run(
        [sys.executable, "-m", "tidemill.cost"], capture_output=True, text=True, check=True
    ).stdout
    sums, _, prices = printed.strip().split("\n\n")
    written = (PRODUCT_TEMPLATE.parent / "docs/deploy.md").read_text()
    assert sums in written
    assert prices in written
