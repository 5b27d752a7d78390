"""Deletion of the group by the local Auto Scaling API, in CloudFormation's steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from support.fakes.groups import NAME, NOW, ONE, TWO

from tidemill.scaling.group.transitions import vanished

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from support.fakes.groups import GroupInMemory


def test_a_group_is_deleted_after_its_instances_have_drained(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """Until then the deletion is refused; each instance waits for its hook."""
    client.update_auto_scaling_group(
        AutoScalingGroupName=NAME, MinSize=0, MaxSize=0, DesiredCapacity=0
    )
    group.turn()
    shown = client.describe_auto_scaling_instances()["AutoScalingInstances"]
    assert [item["LifecycleState"] for item in shown] == ["Terminating:Wait"] * 2
    for instance in (ONE, TWO):
        with pytest.raises(ClientError, match="while there are instances") as refused:
            client.delete_auto_scaling_group(AutoScalingGroupName=NAME)
        assert refused.value.response["Error"]["Code"] == "ResourceInUse"
        client.complete_lifecycle_action(
            AutoScalingGroupName=NAME,
            LifecycleHookName="drain",
            LifecycleActionResult="CONTINUE",
            InstanceId=instance,
        )
        group.take(vanished(group.memory, instance, "", NOW))
    client.delete_auto_scaling_group(AutoScalingGroupName=NAME)
    assert group.memory.deleted
    assert client.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    with pytest.raises(ClientError, match="AutoScalingGroup name not found"):
        client.set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=1)


def test_a_deletion_by_force_is_refused(client: AutoScalingClient, group: GroupInMemory) -> None:
    """It would terminate instances without their hooks, which no rig does."""
    with pytest.raises(ClientError, match="does not support ForceDelete"):
        client.delete_auto_scaling_group(AutoScalingGroupName=NAME, ForceDelete=True)
    assert not group.memory.deleted


def test_another_groups_deletion_is_refused(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """The API serves one group."""
    with pytest.raises(ClientError, match="AutoScalingGroup 'other' not found"):
        client.delete_auto_scaling_group(AutoScalingGroupName="other")
    assert not group.memory.deleted
