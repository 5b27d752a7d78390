"""Names: two stacks in one account and region have no name of a resource or metric in common.

Emulators are of little help here: they accept a second schedule with the same name, for example.
So the template is transformed by SAM's own translator, which makes the resources and names that
CloudFormation gets, and AWS's schemas of the resources say which properties are names.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from cfnlint.schema.manager import (  # type: ignore[import-untyped] # without its stubs
    PROVIDER_SCHEMA_MANAGER,
)
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped] # without its stubs
from samtranslator.translator.translator import (  # type: ignore[import-untyped] # the same
    Translator,
)
from support.builders.fleets import product_template

from tidemill.scaling.template.place import Place
from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REGION: Final = "eu-west-1"
ACCOUNT: Final = "111122223333"
KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d"
FIRST: Final = {
    "FastSignal": "true",
    "HoldSeconds": "300",
    "KmsKeyArn": KEY,
    "NotificationEmail": "people@example.com",
    "DetailedMonitoring": "true",
    "Network": "private",
    "QueueKind": "fifo",
    "IdempotencyTable": "true",
}
SECOND: Final = {**FIRST, "Network": "public"}

NO_NAMES: Final = {
    ("AWS::EC2::VPCEndpoint", "ServiceName"): "the name of a service of AWS",
    ("AWS::EC2::InstanceProfile", "Path"): "a folder of names",
}
"""Properties that end like names and are none."""


def transformed(template: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the template as SAM passes it on to CloudFormation."""
    defaults = {name: value.get("Default") for name, value in template["Parameters"].items()}
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    return dict(translator.translate(template, {**defaults, **parameters}))


def stack(name: str, parameters: Mapping[str, str], template: dict[str, Any]) -> Resolver:
    """Return the values of a stack of this template."""
    return Resolver(template, parameters, Place(name, REGION, ACCOUNT))


def present(values: Resolver) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the logical id and the definition of every resource that the stack has."""
    for logical_id, resource in values.template["Resources"].items():
        if values.exists(logical_id):
            yield logical_id, resource


def name_properties(kind: str) -> tuple[tuple[str, ...], ...]:
    """Return the groups of properties that together name a resource of this type.

    A resource is named by its primary identifier, unless AWS chooses that, and by a name that
    cannot be changed.
    """
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    chosen_by_aws = set(schema.get("readOnlyProperties", []))
    identifier = schema["primaryIdentifier"]
    groups = [] if chosen_by_aws & {*identifier} else [tuple(map(last, identifier))]
    fixed = (last(path) for path in schema.get("createOnlyProperties", []) if path.count("/") == 2)
    groups += [(name,) for name in fixed if name.endswith("Name") and (kind, name) not in NO_NAMES]
    return tuple(dict.fromkeys(groups))


def last(path: str) -> str:
    """Return the property's name of a path such as /properties/QueueName."""
    return path.rpartition("/")[2]


def names(values: Resolver) -> set[tuple[str, ...]]:
    """Return all names that the stack gives to its resources: type, property and value."""
    found = set()
    for logical_id, resource in present(values):
        given = resource.get("Properties", {})
        for group in name_properties(resource["Type"]):
            if all(key in given for key in group):  # otherwise CloudFormation makes a name
                parts = [
                    json.dumps(values.resolve(given[key], f"{logical_id}.{key}")) for key in group
                ]
                found.add((resource["Type"], *group, *parts))
    return found


def metrics(values: Resolver) -> set[str]:
    """Return the metrics that the stack's alarms read and that its metric filters publish."""
    found = set()
    for logical_id, resource in present(values):
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            alarm = values.properties(logical_id)
            queries = [
                item["MetricStat"]["Metric"]
                for item in alarm.get("Metrics", [])
                if "MetricStat" in item
            ]
            found |= {series(query) for query in (queries or [alarm])}
        if resource["Type"] == "AWS::Logs::MetricFilter":
            for made in values.properties(logical_id)["MetricTransformations"]:
                found.add(series({"Namespace": made["MetricNamespace"], **made}))
    return found


def series(metric: Mapping[str, Any]) -> str:
    """Return a metric's identity: namespace, name and dimensions."""
    return json.dumps([metric["Namespace"], metric["MetricName"], metric.get("Dimensions", [])])


@pytest.fixture(scope="module")
def stacks() -> tuple[Resolver, Resolver]:
    """Return two stacks with every optional part."""
    return (
        stack("shop", FIRST, transformed(product_template(), FIRST)),
        stack("shop-dev", SECOND, transformed(product_template(), SECOND)),
    )


def test_two_stacks_have_no_name_in_common(stacks: tuple[Resolver, Resolver]) -> None:
    """A name that both gave would fail the creation of the second stack."""
    first, second = map(names, stacks)
    assert first & second == set()
    assert len(first) == len(second) >= 11


def test_two_stacks_have_no_metric_in_common(stacks: tuple[Resolver, Resolver]) -> None:
    """One stack's alarm would follow the other one's queue."""
    first, second = map(metrics, stacks)
    assert first & second == set()
    assert len(first) == len(second) >= 8


def test_every_optional_part_is_in_one_of_the_two(stacks: tuple[Resolver, Resolver]) -> None:
    """A resource with a condition that is true in neither would not be looked at."""
    seen = {logical_id for values in stacks for logical_id, _ in present(values)}
    assert set(stacks[0].template["Resources"]) - seen == set()


def test_no_stack_exports_a_name(stacks: tuple[Resolver, Resolver]) -> None:
    """An exported name is unique in an account and region, too."""
    assert [name for name, out in stacks[0].template["Outputs"].items() if "Export" in out] == []


def test_the_schedule_of_the_fast_signal_would_be_found(stacks: tuple[Resolver, Resolver]) -> None:
    """Without OmitName, SAM names the schedules of all stacks alike."""
    template = product_template()
    event = template["Resources"]["SignalFunction"]["Properties"]["Events"]["EveryMinute"]
    del event["Properties"]["OmitName"]
    named = transformed(template, FIRST)
    shared = names(stack("shop", FIRST, named)) & names(stack("shop-dev", FIRST, named))
    assert shared == {("AWS::Scheduler::Schedule", "Name", '"SignalFunctionEveryMinute"')}
    assert "SignalFunctionEveryMinute" in dict(present(stacks[0]))
