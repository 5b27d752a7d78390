"""Answers of a deployed stack to the questions about its resources, as the template says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from support.emulators.sam import STACK

if TYPE_CHECKING:
    from collections.abc import Mapping

QUEUES: Final = ("WorkQueue", "WorkDeadLetterQueue")

ALARMS: Final = {
    "DeadLettersAlarm": (0, 1, "ignore"),
    "OldestMessageAlarm": (1800, 5, "notBreaching"),
    "BootFailureAlarm": (0, 1, "notBreaching"),
    "ConsumerErrorsAlarm": (0, 1, "notBreaching"),
    "LogLinesDroppedAlarm": (0, 1, "notBreaching"),
}
NEEDED: Final = "CEIL((visible + inflight) / 20)"
UNLESS_LATE: Final = "IF(visible, load, load)"
SIZES: Final = [*range(1, 9), 13, 20, 30, 45, 67, 99, 146, 215, 316, 464, 681, 1000]
EXACT: Final = {"adjustment": "ExactCapacity", "aggregation": "Maximum"}
ARRIVED: Final = "IF(MINUTE(visible) < 5 AND visible > DIFF(visible), DIFF(visible), 0)"
COUNTED: Final = (
    '{ $.level = "ERROR" || $.level = "CRITICAL" || ($.event = "stopped" && $.exit_code > 0) }'
)
NO_TLS_NO_WAY: Final = {"NobodyWithoutTls": ("Deny", ["sqs:*"], True)}
SEND: Final = ["sqs:GetQueueUrl", "sqs:SendMessage"]
RECEIVE: Final = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"]
PULL: Final = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
SESSIONS: Final = [
    "ssm:UpdateInstanceInformation",
    *("ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel"),
    *("ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"),
]
REMEMBER: Final = [
    f"dynamodb:{name}"
    for name in ("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem")
]
ARN: Final = f"arn:aws:sqs:eu-west-1:000000000000:{STACK}"
STANDARD: Final = {
    "FifoQueue": None,
    "DeduplicationScope": None,
    "FifoThroughputLimit": None,
    "ContentBasedDeduplication": None,
}
FIFO: Final = {
    "FifoQueue": "true",
    "DeduplicationScope": "messageGroup",
    "FifoThroughputLimit": "perMessageGroupId",
    "ContentBasedDeduplication": "false",
}


def fifo_answers(usual: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a stack with FIFO queues and a table of processed messages answers instead."""
    work, dead = f"{ARN}-work.fifo", f"{ARN}-dead-letters.fifo"
    allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [work]}
    own = {
        **{f"{queue}.{key}": FIFO[key] for queue in QUEUES for key in FIFO},
        "WorkQueue.RedrivePolicy": {"deadLetterTargetArn": dead, "maxReceiveCount": 3},
        "WorkDeadLetterQueue.RedriveAllowPolicy": allowed,
        "WorkerRole.work": {
            **usual["WorkerRole.work"],
            "RememberMessages": ("Allow", REMEMBER, False),
        },
        "ProcessedMessagesTable.name": f"{STACK}-processed-messages",
        "ProcessedMessagesTable.key": [("id", "HASH")],
        "ProcessedMessagesTable.types": [("id", "S")],
        "ProcessedMessagesTable.paid": "PAY_PER_REQUEST",
        "ProcessedMessagesTable.expires": ("ENABLED", "expires_at"),
    }
    return {**usual, **own}


def expected_answers(*, drain: int, visibility: int, hook: int, maximum: int) -> dict[str, Any]:
    """Return the expected answer to each question, for these times and this maximum."""
    answers: dict[str, dict[str, Any]] = {
        "WorkQueue": {
            "VisibilityTimeout": str(visibility),
            "ReceiveMessageWaitTimeSeconds": "20",
            "MessageRetentionPeriod": "345600",
            "SqsManagedSseEnabled": "true",
            "RedrivePolicy": {"deadLetterTargetArn": f"{ARN}-dead-letters", "maxReceiveCount": 3},
            "RedriveAllowPolicy": None,
            "Policy": {
                "ProducerSends": ("Allow", SEND, False),
                "WorkerReceives": ("Allow", RECEIVE, False),
                **NO_TLS_NO_WAY,
            },
            **STANDARD,
        },
        "WorkDeadLetterQueue": {
            "VisibilityTimeout": "30",
            "ReceiveMessageWaitTimeSeconds": "0",
            "MessageRetentionPeriod": "1209600",
            "SqsManagedSseEnabled": "true",
            "RedrivePolicy": None,
            "RedriveAllowPolicy": {
                "redrivePermission": "byQueue",
                "sourceQueueArns": [f"{ARN}-work"],
            },
            "Policy": {"WorkerRejects": ("Allow", ["sqs:SendMessage"], False), **NO_TLS_NO_WAY},
            **STANDARD,
        },
        "QueueHeartbeatSchedule": {
            "rate": "rate(5 hours)",
            "call": "arn:aws:scheduler:::aws-sdk:sqs:tagQueue",
            "queue": True,
            "role": True,
        },
        "QueueHeartbeatRole": {
            "trusts": [{"Service": "scheduler.amazonaws.com"}],
            "statements": {"UseTheQueue": ("Allow", ["sqs:TagQueue"], False)},
        },
        "WorkerRole": {
            "trusts": [{"Service": "ec2.amazonaws.com"}],
            "work": {
                "Receive": ("Allow", RECEIVE, False),
                "Reject": ("Allow", ["sqs:SendMessage"], False),
                "WriteLogs": ("Allow", ["logs:CreateLogStream", "logs:PutLogEvents"], False),
            },
            "lifecycle": {
                "CompleteTheHook": ("Allow", ["autoscaling:CompleteLifecycleAction"], False),
                "PullImage": ("Allow", PULL, False),
                "LogInToRegistry": ("Allow", ["ecr:GetAuthorizationToken"], True),
            },
            "monitoring": {
                "ReadAgentConfiguration": ("Allow", ["ssm:GetParameter"], False),
                "PublishMetrics": ("Allow", ["cloudwatch:PutMetricData"], True),
                "ReadOwnGroup": ("Allow", ["ec2:DescribeTags"], True),
                "OpenSessions": ("Allow", SESSIONS, True),
            },
        },
        "ProducerRole": {"attached": True},
        "ProducerPolicy": {"statements": {"Send": ("Allow", SEND, False)}},
        "WorkerInstanceProfile": {"roles": True},
        "WorkerSecurityGroup": {"in": [], "out": [("tcp", 443, "0.0.0.0/0")]},
        "FleetVpc": {
            "blocks": ["10.64.0.0/22", "10.64.4.0/22"],
            "zones": 2,
            "public": [True, True],
        },
        "FleetRouteTable": {"out": ["0.0.0.0/0"], "subnets": True, "door": True},
        "WorkerLaunchTemplate": {
            "tokens": "required",
            "hops": 2,
            "disk": [{"Encrypted": True, "VolumeSize": 30, "VolumeType": "gp3"}],
            "image": "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64"
            "/recommended/image_id",
            "shutdown": "terminate",
            "groups": True,
            "tags": ["instance"],
            "drain": f"DRAIN_SECONDS={drain}",
            "placeholders": False,
        },
        "WorkerGroup": {
            "limits": (0, maximum),
            "warmup": 60,
            "types": ["t4g.small", "t4g.medium", "c7g.medium"],
            "on demand": 100,
            "metrics": 5,
            "hooks": [("drain", hook)],
        },
        "BacklogPolicy": {"steps": SIZES, **EXACT},
        "EmptyQueuePolicy": {"steps": [0], **EXACT},
        "CapacityExhaustedAlarm": {
            "threshold": maximum,
            "periods": 30,
            "missing": "notBreaching",
            "calls people": True,
            "math": [NEEDED, UNLESS_LATE],
        },
        "DeadLettersRisingAlarm": {
            "threshold": 0,
            "periods": 1,
            "missing": "notBreaching",
            "calls people": True,
            "math": [ARRIVED],
        },
        **{
            alarm: {
                "threshold": 0.5,
                "periods": 1,
                "missing": "ignore",
                "calls people": False,
                "math": [NEEDED, UNLESS_LATE],
            }
            for alarm in ("BacklogAlarm", "EmptyQueueAlarm")
        },
        "WorkerLogGroup": {"days": 30},
        "HostLogGroup": {"days": 3},
        "ConsumerErrorsMetricFilter": {
            "pattern": COUNTED,
            "metric": f"{STACK}-ConsumerErrors",
        },
        "AgentConfigParameter": {
            "dimensions": {
                "AutoScalingGroupName": "${aws:AutoScalingGroupName}",
                "InstanceId": "${aws:InstanceId}",
            },
            "log groups": {f"/tidemill/{STACK}/hosts"},
        },
        "QueueDashboard": {"widgets": 9, "placeholders": False},
        "InstancesDashboard": {"widgets": 8, "placeholders": False},
        "PeopleTopic": {
            "policy": {
                "AlarmsPublish": ("Allow", ["sns:Publish"], True),
                "NobodyWithoutTls": ("Deny", ["sns:Publish"], True),
            }
        },
        "ConsumerRepository": {"tags": "IMMUTABLE", "scan": True},
        "ProducerRepository": {"tags": "IMMUTABLE", "scan": True},
    }
    for name, (threshold, periods, missing) in ALARMS.items():
        answers[name] = {
            "threshold": threshold,
            "periods": periods,
            "missing": missing,
            "calls people": True,
            "math": [],
        }
    return {f"{name}.{key}": value for name, part in answers.items() for key, value in part.items()}
