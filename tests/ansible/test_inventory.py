"""Inventory: the instances of stacks, found by their tags in an emulated EC2."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from support.builders.fleets import product_template
from support.emulators.machines import run_ansible
from support.emulators.ministack import CREDENTIALS, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.emulators.ministack import Ministack


def started(ec2: Any, name: str, group: str) -> str:  # noqa: ANN401 - a client without types
    """Start an instance with the tags that a group gives it; return its id."""
    tags = {"Name": name, "aws:autoscaling:groupName": group}
    made = ec2.run_instances(
        ImageId="ami-0a1b2c3d",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ],
    )
    return str(made["Instances"][0]["InstanceId"])


@pytest.fixture(scope="module")
def instances(ministack: Ministack) -> Mapping[str, str]:
    """Start instances of two stacks and others; return their ids by kind."""
    with closing(
        boto3.client(
            "ec2",
            endpoint_url=ministack.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - no secret: MiniStack checks none
        )
    ) as ec2:
        ids = {
            "worker": started(ec2, "oak-worker", "oak-workers"),
            "other": started(ec2, "oak-dev-worker", "oak-dev-workers"),
            "gone": started(ec2, "oak-worker", "oak-workers"),
            "stranger": started(ec2, "oak-database", "oak-databases"),
        }
        ec2.terminate_instances(InstanceIds=[ids["gone"]])
    return ids


def asked(ministack: Ministack, *command: str) -> str:
    """Return the output of a command that uses the inventory."""
    there = {**CREDENTIALS, "AWS_ENDPOINT_URL": ministack.endpoint}
    done = run_ansible(*command, TIDEMILL_SSM_BUCKET="mine", **there)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_has_the_running_instances_of_each_stack(
    ministack: Ministack, instances: Mapping[str, str]
) -> None:
    """No other instance is found; the tag is the one that the template sets."""
    listed = json.loads(asked(ministack, "ansible-inventory", "--list"))
    assert listed["stack_oak"]["hosts"] == [instances["worker"]]
    assert listed["stack_oak_dev"]["hosts"] == [instances["other"]]
    assert not {instances["gone"], instances["stranger"]} & listed["_meta"]["hostvars"].keys()
    data = product_template()["Resources"]["WorkerLaunchTemplate"]["Properties"]
    (tags,) = data["LaunchTemplateData"]["TagSpecifications"]
    assert tags["Tags"] == [{"Key": "Name", "Value": {"Fn::Sub": "${AWS::StackName}-worker"}}]


def test_instances_are_reached_by_systems_manager(
    ministack: Ministack, instances: Mapping[str, str]
) -> None:
    """Ansible connects by instance id, without SSH, through the given bucket."""
    variables = json.loads(asked(ministack, "ansible-inventory", "--host", instances["worker"]))
    settings = {
        name.removeprefix("ansible_"): value
        for name, value in variables.items()
        if name.startswith("ansible_")
    }
    assert settings == {
        "connection": "amazon.aws.aws_ssm",
        "aws_ssm_instance_id": instances["worker"],
        "aws_ssm_region": REGION,
        "aws_ssm_bucket_name": "mine",
    }
    assert asked(ministack, "ansible-doc", "--type", "connection", "amazon.aws.aws_ssm")


@pytest.mark.parametrize(("stack", "who"), [("oak", "worker"), ("oak-dev", "other")])
def test_a_stacks_name_chooses_its_instances_alone(
    ministack: Ministack, instances: Mapping[str, str], stack: str, who: str
) -> None:
    """A playbook for one stack never touches another."""
    listed = asked(
        ministack,
        *("ansible-playbook", "--list-hosts", "--extra-vars", f"stack={stack}"),
        "install-agent.yml",
    )
    assert [each for each in instances if instances[each] in listed] == [who]
