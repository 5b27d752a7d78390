"""Deletion of Auto Scaling groups in LocalStack, which has none: the fleet's controller has them.

LocalStack runs this script when it is ready, in its own process and before deploy.py. From then on
a deletion of the stack does with the group what CloudFormation does: it sets the group to 0, waits
until every instance has drained and is gone, and deletes the group before what the group refers to.
"""

import os
from importlib import import_module
from typing import Any, ClassVar

import boto3

TYPE = "AWS::AutoScaling::AutoScalingGroup"
ENDPOINT = os.environ.get("AUTOSCALING_URL", "http://fleet:4567")
engine: Any = import_module("localstack.services.cloudformation.resource_provider")


class GroupProvider:
    """Handler of LocalStack's CloudFormation for groups; it calls the controller's API."""

    SCHEMA: ClassVar = {"primaryIdentifier": ["/properties/AutoScalingGroupName"]}

    def create(self, request: Any) -> Any:  # noqa: ANN401 - LocalStack's types
        """Report success: the controller reads the group from the template by itself."""
        return engine.ProgressEvent(engine.OperationStatus.SUCCESS, request.desired_state)

    update = create

    def delete(self, request: Any) -> Any:  # noqa: ANN401 - LocalStack's types
        """Set the group to 0; delete it at the first call, of one a second, that finds it empty."""
        name = request.previous_state["AutoScalingGroupName"]
        # The keys are those of AWS_SHARED_CREDENTIALS_FILE: LocalStack's own are not known there.
        keys = boto3.Session(profile_name="default", region_name="us-east-1")
        autoscaling = keys.client("autoscaling", endpoint_url=ENDPOINT)
        autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=0, MaxSize=0, DesiredCapacity=0
        )
        answer = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        if answer["AutoScalingGroups"][0]["Instances"]:
            return engine.ProgressEvent(
                engine.OperationStatus.IN_PROGRESS, request.previous_state, custom_context={}
            )
        autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name)
        return engine.ProgressEvent(engine.OperationStatus.SUCCESS, {})


def register() -> None:
    """Make LocalStack use the handler; its own plug-ins would need an installed package."""
    executor = engine.ResourceProviderExecutor
    load = executor.try_load_resource_provider

    def load_or_ours(resource_type: str) -> Any:  # noqa: ANN401 - LocalStack's types
        return GroupProvider() if resource_type == TYPE else load(resource_type)

    executor.try_load_resource_provider = staticmethod(load_or_ours)


register()
