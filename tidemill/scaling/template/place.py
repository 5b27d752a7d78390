"""Place of a stack: its name, region and account, and the pseudo parameters for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME_PROPERTIES = {
    "AWS::AutoScaling::AutoScalingGroup": "AutoScalingGroupName",
    "AWS::AutoScaling::LaunchConfiguration": "LaunchConfigurationName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::EC2::LaunchTemplate": "LaunchTemplateName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SQS::Queue": "QueueName",
}
"""The property with the resource's name, for each type whose name scaling or a consumer needs."""

REF_IS_NO_NAME = {"AWS::EC2::LaunchTemplate", "AWS::SQS::Queue"}
"""The types of NAME_PROPERTIES for which Ref returns an id or a URL instead of the name."""


@dataclass(frozen=True, slots=True)
class Place:
    """The stack's name, region and account, and the names of its resources.

    `physical` has, by logical id, the values of a deployed resource: its "Ref" and attributes. The
    name of any other resource is made from the stack's name and its logical id.
    """

    stack: str = "tidemill"
    region: str = "us-east-1"
    account: str = "000000000000"
    physical: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def pseudo_parameters(place: Place) -> dict[str, Any]:
    """Return the values of the pseudo parameters, by name."""
    return {
        "AWS::AccountId": place.account,
        "AWS::NotificationARNs": [],
        "AWS::Partition": "aws",
        "AWS::Region": place.region,
        "AWS::StackId": f"arn:aws:cloudformation:{place.region}:{place.account}:"
        f"stack/{place.stack}/0",
        "AWS::StackName": place.stack,
        "AWS::URLSuffix": "amazonaws.com",
    }
