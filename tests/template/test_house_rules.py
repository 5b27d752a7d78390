"""House rules of the template: chapters, purposes, names, described parameters."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE, product_template, product_text
from support.stack.policies import statements_in

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
    "AWS::DynamoDB::Table": "Table",
    "AWS::EC2::InternetGateway": "InternetGateway",
    "AWS::EC2::LaunchTemplate": "LaunchTemplate",
    "AWS::EC2::Route": "Route",
    "AWS::EC2::RouteTable": "RouteTable",
    "AWS::EC2::SecurityGroup": "SecurityGroup",
    "AWS::EC2::Subnet": "Subnet[A-Z]",
    "AWS::EC2::SubnetRouteTableAssociation": "Routes",
    "AWS::EC2::VPC": "Vpc",
    "AWS::EC2::VPCEndpoint": "Endpoint",
    "AWS::EC2::VPCGatewayAttachment": "Attachment",
    "AWS::ECR::Repository": "Repository",
    "AWS::IAM::InstanceProfile": "InstanceProfile",
    "AWS::IAM::ManagedPolicy": "Policy",
    "AWS::IAM::Role": "Role",
    "AWS::Logs::LogGroup": "LogGroup",
    "AWS::Logs::MetricFilter": "MetricFilter",
    "AWS::Logs::QueryDefinition": "Query",
    "AWS::SNS::Topic": "Topic",
    "AWS::SNS::TopicPolicy": "TopicPolicy",
    "AWS::SQS::Queue": "Queue",
    "AWS::SQS::QueuePolicy": "QueuePolicy",
    "AWS::SSM::Parameter": "Parameter",
    "AWS::Scheduler::Schedule": "Schedule",
    "AWS::Serverless::Function": "Function",
}
"""How the logical id of a resource of a type ends: with the kind of thing it is."""

TEMPLATE = product_template()
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
LINES = product_text().splitlines()


def of_type(kind: str) -> list[str]:
    """Return the logical ids of the resources of a type."""
    return [name for name, resource in RESOURCES.items() if resource["Type"] == kind]


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every policy statement of the template, with the resource that it is in."""
    for name, resource in RESOURCES.items():
        for statement in statements_in(resource.get("Properties")):
            yield name, statement


@pytest.mark.parametrize("name", ["template.yaml", "ami.yaml"])
def test_no_line_needs_scrolling(name: str) -> None:
    """At most 120 characters; YAML, JSON and the shell all have ways to break a longer line."""
    lines = PRODUCT_TEMPLATE.with_name(name).read_text(encoding="utf-8").splitlines()
    assert [n for n, line in enumerate(lines, start=1) if len(line) > 120] == []


def test_a_header_says_what_the_stack_is_and_where_to_read_on() -> None:
    """The first 15 to 25 lines are a comment that names the chapters and pages that exist."""
    header = list(itertools.takewhile(lambda line: line.startswith("#"), LINES))
    assert 15 <= len(header) <= 25
    assert [chapter for chapter in CHAPTERS if chapter not in "\n".join(header)] == []
    pages = re.findall(r"docs/\w+\.md", "\n".join(header))
    assert pages
    assert [page for page in pages if not (PRODUCT_TEMPLATE.parent / page).exists()] == []


def test_chapters_stand_in_their_order() -> None:
    """Each chapter is below a banner comment."""
    banners = [re.fullmatch(r"  # -{66} (.+)", line) for line in LINES]
    assert [banner.group(1) for banner in banners if banner] == CHAPTERS


@pytest.mark.parametrize("name", RESOURCES)
def test_a_sentence_above_each_resource_says_its_purpose(name: str) -> None:
    """Its logical id also ends with the kind of the resource."""
    above = LINES[LINES.index(f"  {name}:") - 1]
    assert re.match(r"  # .+\.$", above), above
    assert re.fullmatch(rf"([A-Z][a-z0-9]*)+{KINDS[RESOURCES[name]['Type']]}", name)


def test_there_are_few_enough_parameters_to_read() -> None:
    """At most 30, each in one group of the console's form."""
    assert len(PARAMETERS) <= 30
    interface = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_each_parameter_is_described_and_bounded(name: str) -> None:
    """Each parameter also has a sentence for a value that is refused."""
    parameter = PARAMETERS[name]
    assert parameter["Description"].endswith(".")
    assert parameter["ConstraintDescription"].endswith(".")
    assert {"AllowedValues", "AllowedPattern", "MaxValue"} & parameter.keys()
    assert ("MinValue" in parameter) == ("MaxValue" in parameter)


@pytest.mark.parametrize("name", TEMPLATE["Outputs"])
def test_each_output_is_described(name: str) -> None:
    """The console shows the description of each output."""
    assert TEMPLATE["Outputs"][name]["Description"].endswith(".")


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_each_alarm_says_what_missing_data_means_and_what_to_do(name: str) -> None:
    """A comment explains the treatment; an alarm for people names a section of the runbook."""
    properties = RESOURCES[name]["Properties"]
    assert properties["TreatMissingData"]
    own = LINES[LINES.index(f"  {name}:") :]
    setting = next(n for n, line in enumerate(own) if "TreatMissingData" in line)
    assert own[setting - 1].strip().startswith("# ")
    if properties["AlarmActions"] != [{"Ref": "PeopleTopic"}]:
        return
    why, _, todo = properties["AlarmDescription"].partition(". ")
    assert len(why) > 20
    assert len(todo.partition("See ")[0]) > 20
    found = re.search(r"See docs/runbook\.md#([a-z-]+)\.", todo)
    assert found
    runbook = (PRODUCT_TEMPLATE.parent / "docs/runbook.md").read_text()
    headings = {
        line[3:].lower().replace(" ", "-") for line in runbook.splitlines() if line[:3] == "## "
    }
    assert found.group(1) in headings
    assert name in runbook


def test_no_allow_has_a_wildcard_action_or_an_unbound_wildcard_resource() -> None:
    """Where AWS defines no resource, a condition bounds the statement and a comment says why."""
    unbound = []
    for name, statement in statements():
        actions = statement["Action"]
        listed = actions if isinstance(actions, list) else [actions]
        if statement["Effect"] == "Allow":
            assert not [action for action in listed if "*" in action], name
            if statement.get("Resource") == "*" and "Condition" not in statement:
                unbound.append((name, actions))
    assert unbound == [("SignalRole", "autoscaling:DescribeAutoScalingGroups")]
    for line in LINES:
        if re.search(r'Resource: "\*"|Principal: "\*"', line):
            assert re.search(r"# \w+", line), line


def test_every_suppression_has_its_reason() -> None:
    """Checkov's reasons are in the metadata of a resource, cfn-lint's are in a comment."""
    for name, resource in RESOURCES.items():
        metadata = resource.get("Metadata", {})
        for skip in metadata.get("checkov", {}).get("skip", []):
            assert len(skip["comment"]) > 20, name
    for line in LINES:
        assert "ignore_checks" not in line or "#" in line


def test_the_parameters_table_of_the_documentation_is_the_templates() -> None:
    """The table has the name, default and description of each parameter."""
    written = (PRODUCT_TEMPLATE.parent / "docs/deploy.md").read_text()
    for name, parameter in PARAMETERS.items():
        default = f"`{parameter['Default']}`" if parameter["Default"] != "" else "none"
        assert f"| {name} | {default} | {parameter['Description']} |" in written


@pytest.mark.impure
def test_the_costs_in_the_documentation_are_those_worked_out() -> None:
    """The page has the sums and the prices behind them."""
    printed = subprocess.run(
        [sys.executable, "-m", "tidemill.simulator.cost.prices"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    sums, logs, _, prices = printed.strip().split("\n\n")
    written = (PRODUCT_TEMPLATE.parent / "docs/deploy.md").read_text()
    assert sums in written
    assert logs in written
    assert prices in written


@pytest.mark.impure
def test_the_costs_of_options_in_the_documentation_are_those_worked_out() -> None:
    """The page has what FIFO queues and the table of processed messages add."""
    printed = subprocess.run(
        [sys.executable, "-m", "tidemill.simulator.cost.options"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    written = (PRODUCT_TEMPLATE.parent / "docs/deploy.md").read_text()
    assert all(table in written for table in printed.strip().split("\n\n"))
