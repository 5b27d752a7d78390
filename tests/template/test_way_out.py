"""Way out: CloudFormation deletes the group before anything that its draining instances need.

CloudFormation deletes a resource before those that it refers to, and all others at any time
(CloudFormation User Guide, "DependsOn attribute"). So the group has to refer to what they need.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.builders.fleets import product_template
from support.fakes.instance import PLACE

from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.template.document import Document

GROUP: Final = "WorkerGroup"
NETWORKS: Final = {
    "public": {"Network": "public"},
    "private": {"Network": "private"},
    "private, with a table": {"Network": "private", "IdempotencyTable": "true"},
    "existing": {"Network": "vpc-0a1b", "SubnetIds": "subnet-0a1b,subnet-2c3d"},
}
PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[^}]*)?\}")
TOO_LATE: Final = ("AWS::AutoScaling::LifecycleHook",)
"""Types that refer to the group, so that a deletion would remove them before the instances."""


def references(part: Any, stack: Resolver) -> Iterator[str]:  # noqa: ANN401 - any part
    """Yield every name that a part of the template refers to, under the stack's conditions."""
    match part:
        case {"Fn::If": [condition, then, otherwise]}:
            yield from references(then if stack.condition(condition, "") else otherwise, stack)
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::GetAtt": str(name)}:
            yield name.partition(".")[0]
        case {"Fn::Sub": argument}:
            text, own = argument if isinstance(argument, list) else (argument, {})
            yield from (name for name in PLACEHOLDER.findall(text) if name not in own)
            yield from references(own, stack)
        case dict():
            for value in part.values():
                yield from references(value, stack)
        case list():
            for value in part:
                yield from references(value, stack)


def reached(stack: Resolver, start: str = GROUP) -> set[str]:
    """Return every resource that a resource refers to, by itself or by another one."""
    resources = stack.template["Resources"]
    found: set[str] = set()
    waiting = [start]
    while waiting:
        resource = resources[waiting.pop()]
        explicit = resource.get("DependsOn", [])
        names = {explicit} if isinstance(explicit, str) else set(explicit)
        names |= set(references(resource.get("Properties", {}), stack))
        new = (names & resources.keys()) - found
        found |= new
        waiting += new
    return found


def needed(stack: Resolver) -> set[str]:
    """Return what a draining instance needs of the stack, by the types of its resources.

    It is the whole network (EC2's resources), the instance's identity (its profile, role, and every
    policy for this role), and whatever the role's statements allow the instance to use.
    """
    resources = stack.template["Resources"]
    created = [name for name in resources if stack.exists(name)]
    network = {name for name in created if resources[name]["Type"].startswith("AWS::EC2::")}
    profiles = {name for name in created if resources[name]["Type"] == "AWS::IAM::InstanceProfile"}
    roles = {
        name
        for profile in profiles
        for name in references(resources[profile]["Properties"], stack)
        if name in resources
    }
    policies = {
        name
        for name in created
        if resources[name]["Type"] in ("AWS::IAM::Policy", "AWS::IAM::RolePolicy")
        and roles & set(references(resources[name]["Properties"], stack))
    }
    used = {
        name
        for name in created
        for identity in roles | policies
        if name in set(references(resources[identity]["Properties"], stack))
    }
    return network | profiles | roles | policies | used


def missing(document: Document, parameters: dict[str, str]) -> set[str]:
    """Return what could be deleted while instances drain."""
    stack = Resolver(document, parameters, PLACE)
    assert GROUP not in reached(stack), "a circle"
    return needed(stack) - reached(stack)


@pytest.mark.parametrize("network", NETWORKS)
def test_nothing_that_a_draining_instance_needs_is_deleted_before_it(network: str) -> None:
    """Otherwise messages are worked on twice, logs are lost, and the hook waits for its timeout."""
    document = product_template()
    stack = Resolver(document, NETWORKS[network], PLACE)
    types = {document["Resources"][name]["Type"] for name in needed(stack)}
    assert {"AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::IAM::Role"} <= types
    assert missing(document, NETWORKS[network]) == set()


def test_the_hook_is_a_part_of_the_group() -> None:
    """A hook that is a resource of its own would be deleted before the group."""
    resources = product_template()["Resources"]
    assert [name for name, item in resources.items() if item["Type"] in TOO_LATE] == []
    assert resources[GROUP]["Properties"]["LifecycleHookSpecificationList"]


@pytest.mark.parametrize("network", ["public", "private", "private, with a table"])
def test_the_test_above_finds_what_the_script_does_not_name(network: str) -> None:
    """Nothing else refers to routes, endpoints and the subnets' associations."""
    document = product_template()
    stack = Resolver(document, NETWORKS[network], PLACE)
    script = document["Resources"]["WorkerLaunchTemplate"]["Properties"]["LaunchTemplateData"]
    names = script["UserData"]["Fn::Base64"]["Fn::Sub"][1]
    named = set(references(names["WayOut"], stack)) - {"AWS::NoValue"}
    resources = document["Resources"]
    assert {resources[name]["Type"] for name in named} == {
        "public": {"AWS::EC2::Route", "AWS::EC2::SubnetRouteTableAssociation"},
        "private": {"AWS::EC2::VPCEndpoint", "AWS::EC2::SubnetRouteTableAssociation"},
    }[network.partition(",")[0]]
    names["WayOut"] = ""
    assert named <= missing(document, NETWORKS[network])


@pytest.mark.parametrize(
    "addition",
    [
        pytest.param(
            {
                "Type": "AWS::EC2::VPCEndpoint",
                "Condition": "PrivateNetwork",
                "Properties": {"VpcId": {"Ref": "FleetVpc"}},
            },
            id="endpoint",
        ),
        pytest.param(
            {
                "Type": "AWS::IAM::Policy",
                "Properties": {"Roles": [{"Ref": "WorkerRole"}], "PolicyDocument": {}},
            },
            id="policy",
        ),
    ],
)
def test_a_resource_that_is_added_has_to_be_named(addition: dict[str, Any]) -> None:
    """The tests look for types and conditions, not for the resources of today."""
    document = product_template()
    document["Resources"]["Added"] = copy.deepcopy(addition)
    assert missing(document, NETWORKS["private"]) == {"Added"}


def test_a_change_of_the_network_replaces_the_instances() -> None:
    """Their launch template has another script then; the old way out is deleted after the update.

    CloudFormation User Guide, "UpdatePolicy attribute": a changed launch template starts a rolling
    update; "Understand update behaviors of stack resources": deletions follow all updates.
    """
    scripts = {
        Resolver(product_template(), network, PLACE).properties("WorkerLaunchTemplate")[
            "LaunchTemplateData"
        ]["UserData"]
        for network in NETWORKS.values()
    }
    assert len(scripts) == len(NETWORKS)


def test_a_rolling_update_fits_every_size_of_the_fleet() -> None:
    """CloudFormation keeps fewer instances in service than the group's maximum, from 1 up.

    It suspends what could change the group meanwhile, and not what it needs itself.
    """
    document = product_template()
    policy = document["Resources"][GROUP]["UpdatePolicy"]["AutoScalingRollingUpdate"]
    smallest = document["Parameters"]["MaxInstances"]["MinValue"]
    assert policy["MinInstancesInService"] < smallest
    assert policy["MaxBatchSize"] >= 1
    assert not {"Launch", "Terminate", "AddToLoadBalancer"} & set(policy["SuspendProcesses"])
    assert "AlarmNotification" in policy["SuspendProcesses"]
