"""Inventory of an emulator's account: everything of the kinds that the product's stack creates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_THERE: Final = 501
UNKNOWN: Final = {"InvalidOperationException", "UnknownOperationException"}
"""HTTP status and error codes with which emulators answer for an operation that they lack."""

# Service, operation, the list in its answer, and what identifies an item of it.
KINDS: Final = (
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    ("autoscaling", "describe_policies", "ScalingPolicies", "PolicyARN"),
    ("cloudformation", "describe_stacks", "Stacks", "StackName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("ecr", "describe_repositories", "repositories", "repositoryName"),
    ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("logs", "describe_query_definitions", "queryDefinitions", "queryDefinitionId"),
    ("scheduler", "list_schedules", "Schedules", "Name"),
    ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sqs", "list_queues", "QueueUrls", ""),
    ("ssm", "describe_parameters", "Parameters", "Name"),
)
TABLES: Final = ("dynamodb", "list_tables", "TableNames", "")
"""Not among KINDS, because LocalStack lists tables only where its DynamoDB, a Java program, is."""
OF_SAM: Final = "aws-sam-cli-managed-default"
"""SAM's own stack with the bucket for templates, which it keeps."""

Item = tuple[str, str, str]


def inventory(
    client: Callable[[str], Any], *more: tuple[str, str, str, str]
) -> tuple[set[Item], set[str]]:
    """Return what exists (service, operation, id), and the operations that the emulator lacks.

    `more` has further entries such as those of KINDS.
    """
    found: set[Item] = set()
    lacking: set[str] = set()
    for service, operation, key, identity in (*KINDS, *more):
        try:
            answer = getattr(client(service), operation)()
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status != NOT_THERE and error.response["Error"]["Code"] not in UNKNOWN:
                raise
            lacking.add(f"{service}.{operation}")
            continue
        ids = {
            item[identity] if identity else item for item in answer.get(key, []) if not gone(item)
        }
        found |= {(service, operation, name) for name in ids if name != OF_SAM}
    policies = client("iam").list_policies(Scope="Local")["Policies"]
    found |= {("iam", "list_policies", item["Arn"]) for item in policies}
    return found, lacking


def gone(item: Any) -> bool:  # noqa: ANN401 - of any kind above
    """Return whether a list still has an item that was deleted, as AWS does for a while."""
    return isinstance(item, dict) and (
        item.get("StackStatus") == "DELETE_COMPLETE" or item.get("State") == "deleted"
    )
