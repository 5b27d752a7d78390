"""Questions to AWS's APIs about each resource of the product's stack.

The module is over 280 lines because it has one question for each kind of resource.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Answers = dict[str, Any]
ALARMS: Final = (
    *("DeadLettersAlarm", "DeadLettersRisingAlarm", "OldestMessageAlarm", "BootFailureAlarm"),
    *("ConsumerErrorsAlarm", "CapacityExhaustedAlarm", "LogLinesDroppedAlarm"),
    *("BacklogAlarm", "EmptyQueueAlarm", "BacklogRisingAlarm"),
)
DEFINITIONS: Final = "AttributeDefinitions"
ASKED_WITH: Final = {
    "WorkQueuePolicy": "WorkQueue",
    "WorkDeadLetterQueuePolicy": "WorkDeadLetterQueue",
    "PeopleTopicPolicy": "PeopleTopic",
    "FleetSubnetA": "FleetVpc",
    "FleetSubnetB": "FleetVpc",
    **dict.fromkeys(
        ("FleetInternetGateway", "FleetInternetAttachment", "FleetInternetRoute"), "FleetRouteTable"
    ),
    "FleetSubnetARoutes": "FleetRouteTable",
    "FleetSubnetBRoutes": "FleetRouteTable",
}
"""Resources that show in the answers about another one."""


def queue(name: str) -> Callable[[Any, Mapping[str, str]], Answers]:
    """Ask about a queue's attributes; policies are decoded."""

    def ask(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
        found = client("sqs").get_queue_attributes(QueueUrl=ids[name], AttributeNames=["All"])
        attributes = found["Attributes"]
        answers = {
            key: attributes.get(key)
            for key in (
                *("VisibilityTimeout", "ReceiveMessageWaitTimeSeconds", "MessageRetentionPeriod"),
                *("SqsManagedSseEnabled", "FifoQueue", "DeduplicationScope"),
                *("FifoThroughputLimit", "ContentBasedDeduplication"),
            )
        }
        for key in ("RedrivePolicy", "RedriveAllowPolicy"):
            answers[key] = json.loads(attributes[key]) if key in attributes else None
        if answers["RedrivePolicy"]:  # SQS answers with a number, emulators with text
            answers["RedrivePolicy"]["maxReceiveCount"] = int(
                answers["RedrivePolicy"]["maxReceiveCount"]
            )
        answers["Policy"] = statements(json.loads(attributes["Policy"]))
        return answers

    return ask


def table(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask about the table of processed messages: its key, how it is paid for, and its expiry."""
    dynamodb, name = client("dynamodb"), ids["ProcessedMessagesTable"]
    found = dynamodb.describe_table(TableName=name)["Table"]
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return {
        "name": name,
        "key": [(item["AttributeName"], item["KeyType"]) for item in found["KeySchema"]],
        "types": [(item["AttributeName"], item["AttributeType"]) for item in found[DEFINITIONS]],
        "paid": found["BillingModeSummary"]["BillingMode"],
        "expires": (expiry["TimeToLiveStatus"], expiry.get("AttributeName")),
    }


def statements(policy: Mapping[str, Any]) -> dict[str, tuple[str, list[str], bool]]:
    """Return by Sid: effect, actions in order, and whether there is a condition."""
    return {
        item["Sid"]: (
            item["Effect"],
            sorted([item["Action"]] if isinstance(item["Action"], str) else item["Action"]),
            "Condition" in item,
        )
        for item in policy["Statement"]
    }


def heartbeat(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask for the schedule's target, rate and role."""
    name = ids["QueueHeartbeatSchedule"].rpartition("/")[2].rpartition("|")[2]
    found = client("scheduler").get_schedule(Name=name)
    role = client("iam").get_role(RoleName=ids["QueueHeartbeatRole"])["Role"]
    given = json.loads(found["Target"]["Input"])
    return {
        "rate": found["ScheduleExpression"],
        "call": found["Target"]["Arn"],
        "queue": given["QueueUrl"] == ids["WorkQueue"],
        "role": found["Target"]["RoleArn"] == role["Arn"],
    }


def heartbeat_role(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask for the schedule's permissions."""
    iam, role = client("iam"), ids["QueueHeartbeatRole"]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    found = iam.get_role_policy(RoleName=role, PolicyName="use-the-queue")["PolicyDocument"]
    return {"trusts": [item["Principal"] for item in trust], "statements": statements(found)}


def worker_role(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask for the instances' role: who may assume it, and each inline policy."""
    iam, role = client("iam"), ids["WorkerRole"]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    return {"trusts": [item["Principal"] for item in trust]} | {
        name: statements(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }


def producer_role(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask for the policies that are attached to the producers' role."""
    found = client("iam").list_attached_role_policies(RoleName=ids["ProducerRole"])
    arns = [item["PolicyArn"] for item in found["AttachedPolicies"]]
    return {"attached": arns == [ids["ProducerPolicy"]]}


def producer_policy(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask about the producers' policy."""
    iam, arn = client("iam"), ids["ProducerPolicy"]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
    return {"statements": statements(found["Document"])}


def instance_profile(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask which role an instance gets."""
    name = ids["WorkerInstanceProfile"].rpartition("/")[2]
    found = client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    return {"roles": [role["RoleName"] for role in found["Roles"]] == [ids["WorkerRole"]]}


def security_group(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask for the rules of inbound and outbound traffic."""
    (found,) = client("ec2").describe_security_groups(GroupIds=[ids["WorkerSecurityGroup"]])[
        "SecurityGroups"
    ]
    return {
        "in": found["IpPermissions"],
        "out": [
            (rule["IpProtocol"], rule.get("FromPort"), rule["IpRanges"][0]["CidrIp"])
            for rule in found["IpPermissionsEgress"]
        ],
    }


def subnets(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask about both zones' subnets."""
    found = client("ec2").describe_subnets(SubnetIds=[ids["FleetSubnetA"], ids["FleetSubnetB"]])[
        "Subnets"
    ]
    return {
        "blocks": sorted(item["CidrBlock"] for item in found),
        "zones": len({item["AvailabilityZone"] for item in found}),
        "public": [item["MapPublicIpOnLaunch"] for item in found],
    }


def routes(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask for the routes out of the network, and for their subnets."""
    ec2 = client("ec2")
    (found,) = ec2.describe_route_tables(RouteTableIds=[ids["FleetRouteTable"]])["RouteTables"]
    gateway = ids["FleetInternetGateway"]
    (door,) = ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"]
    return {
        "out": [
            item["DestinationCidrBlock"]
            for item in found["Routes"]
            if item.get("GatewayId") == gateway
        ],
        "subnets": {item.get("SubnetId") for item in found["Associations"]}
        == {ids["FleetSubnetA"], ids["FleetSubnetB"]},
        "door": [item["VpcId"] for item in door["Attachments"]] == [ids["FleetVpc"]],
    }


def launch_template(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask for the newest version's properties of an instance."""
    found = client("ec2").describe_launch_template_versions(
        LaunchTemplateId=ids["WorkerLaunchTemplate"], Versions=["$Latest"]
    )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    metadata = found.get("MetadataOptions", {})
    script = base64.b64decode(found["UserData"]).decode()
    return {
        "tokens": metadata.get("HttpTokens"),
        "hops": metadata.get("HttpPutResponseHopLimit"),
        "disk": [item["Ebs"] for item in found["BlockDeviceMappings"]],
        "image": found["ImageId"],
        "shutdown": found["InstanceInitiatedShutdownBehavior"],
        "groups": found.get("SecurityGroupIds") == [ids["WorkerSecurityGroup"]],
        "tags": [item["ResourceType"] for item in found.get("TagSpecifications", [])],
        "drain": next(
            (word for line in script.splitlines() for word in line.split() if "DRAIN" in word), None
        ),
        "placeholders": "${" in script,
    }


def group(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask about the group's limits, instances and hook."""
    autoscaling, name = client("autoscaling"), ids["WorkerGroup"]
    (found,) = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
        "AutoScalingGroups"
    ]
    hooks = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
    mixed = found.get("MixedInstancesPolicy", {})
    return {
        "limits": (found["MinSize"], found["MaxSize"]),
        "warmup": found.get("DefaultInstanceWarmup"),
        "types": [
            item["InstanceType"] for item in mixed.get("LaunchTemplate", {}).get("Overrides", [])
        ],
        "on demand": mixed.get("InstancesDistribution", {}).get(
            "OnDemandPercentageAboveBaseCapacity"
        ),
        "metrics": len(found.get("EnabledMetrics", [])),
        "hooks": [(item["LifecycleHookName"], item["HeartbeatTimeout"]) for item in hooks],
    }


def step_policy(name: str) -> Callable[[Any, Mapping[str, str]], Answers]:
    """Ask about a scaling policy's steps."""

    def ask(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
        (found,) = [
            item
            for item in client("autoscaling").describe_policies(
                AutoScalingGroupName=ids["WorkerGroup"]
            )["ScalingPolicies"]
            if item["PolicyARN"] == ids[name]
        ]
        steps = [item["ScalingAdjustment"] for item in found["StepAdjustments"]]
        return {
            "steps": steps,
            "adjustment": found["AdjustmentType"],
            "aggregation": found["MetricAggregationType"],
        }

    return ask


def alarm(name: str) -> Callable[[Any, Mapping[str, str]], Answers]:
    """Ask for an alarm's condition and actions."""

    def ask(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
        (found,) = client("cloudwatch").describe_alarms(AlarmNames=[ids[name]])["MetricAlarms"]
        return {
            "threshold": found["Threshold"],
            "periods": found["EvaluationPeriods"],
            "missing": found["TreatMissingData"],
            "calls people": found["AlarmActions"] == [ids["PeopleTopic"]],
            "math": [
                item["Expression"] for item in found.get("Metrics", []) if "Expression" in item
            ],
        }

    return ask


def log_group(name: str) -> Callable[[Any, Mapping[str, str]], Answers]:
    """Ask for a log group's retention period."""

    def ask(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
        (found,) = client("logs").describe_log_groups(logGroupNamePrefix=ids[name])["logGroups"]
        return {"days": found.get("retentionInDays")}

    return ask


def metric_filter(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask for the filter's pattern and its metric."""
    (found,) = client("logs").describe_metric_filters(logGroupName=ids["WorkerLogGroup"])[
        "metricFilters"
    ]
    (made,) = found["metricTransformations"]
    return {"pattern": found["filterPattern"], "metric": made["metricName"]}


def agent_parameter(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask for the agent's configuration, which has to be JSON."""
    found = client("ssm").get_parameter(Name=ids["AgentConfigParameter"])["Parameter"]
    config = json.loads(found["Value"])
    files = config["logs"]["logs_collected"]["files"]["collect_list"]
    return {
        "dimensions": config["metrics"]["append_dimensions"],
        "log groups": {item["log_group_name"] for item in files},
    }


def dashboard(name: str) -> Callable[[Any, Mapping[str, str]], Answers]:
    """Ask for a dashboard's body, which has to be JSON without placeholders."""

    def ask(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
        body = client("cloudwatch").get_dashboard(DashboardName=ids[name])["DashboardBody"]
        widgets = json.loads(body)["widgets"]
        return {"widgets": len(widgets), "placeholders": "${" in body}

    return ask


def topic(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
    """Ask who may publish."""
    found = client("sns").get_topic_attributes(TopicArn=ids["PeopleTopic"])["Attributes"]
    return {"policy": statements(json.loads(found["Policy"]))}


def repository(name: str) -> Callable[[Any, Mapping[str, str]], Answers]:
    """Ask whether tags are immutable and images are scanned."""

    def ask(client: Callable[[str], Any], ids: Mapping[str, str]) -> Answers:
        try:
            (found,) = client("ecr").describe_repositories(repositoryNames=[ids[name]])[
                "repositories"
            ]
        except ClientError as error:
            return {"refused": error.response["Error"]["Code"]}
        return {
            "tags": found["imageTagMutability"],
            "scan": found["imageScanningConfiguration"]["scanOnPush"],
        }

    return ask


QUESTIONS: Final[dict[str, Callable[[Any, Mapping[str, str]], Answers]]] = {
    "WorkQueue": queue("WorkQueue"),
    "WorkDeadLetterQueue": queue("WorkDeadLetterQueue"),
    "ProcessedMessagesTable": table,
    "QueueHeartbeatSchedule": heartbeat,
    "QueueHeartbeatRole": heartbeat_role,
    "WorkerRole": worker_role,
    "ProducerRole": producer_role,
    "ProducerPolicy": producer_policy,
    "WorkerInstanceProfile": instance_profile,
    "WorkerSecurityGroup": security_group,
    "FleetVpc": subnets,
    "FleetRouteTable": routes,
    "WorkerLaunchTemplate": launch_template,
    "WorkerGroup": group,
    "BacklogPolicy": step_policy("BacklogPolicy"),
    "EmptyQueuePolicy": step_policy("EmptyQueuePolicy"),
    **{name: alarm(name) for name in ALARMS},
    "WorkerLogGroup": log_group("WorkerLogGroup"),
    "HostLogGroup": log_group("HostLogGroup"),
    "ConsumerErrorsMetricFilter": metric_filter,
    "AgentConfigParameter": agent_parameter,
    "InstancesDashboard": dashboard("InstancesDashboard"),
    "QueueDashboard": dashboard("QueueDashboard"),
    "PeopleTopic": topic,
    "ConsumerRepository": repository("ConsumerRepository"),
    "ProducerRepository": repository("ProducerRepository"),
}
