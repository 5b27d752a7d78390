"""Near violations: templates that almost violate a rule, and in which no rule finds anything."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders.fleets import ABSENT
from support.builders.lint import (
    DESIRED,
    HOOKS,
    HOP_LIMIT,
    IN_FLIGHT,
    PERCENT,
    SCRIPT,
    SIMPLE,
    SOUND,
    VISIBLE,
    expression,
    findings_after,
    instead,
    metric,
    tracking,
)

ENDS_ITSELF = "work; aws autoscaling terminate-instance-in-auto-scaling-group"
NO_SCALE_IN = {"None__AdjustmentType": "ChangeInCapacity"}
"""The policy for an empty queue changes the capacity by 0."""

SOUND_TOO: dict[str, dict[str, Any]] = {
    "unchanged": {},
    "average over one minute": {"Waiting__Statistic": "Average"},
    "more than 0": {
        "Waiting__ComparisonOperator": "GreaterThanThreshold",
        "Waiting__Threshold": 0,
    },
    "a sliding window by name": {"Waiting__EvaluationWindow": {"SlidingWindow": {}}},
    "three periods": {"Waiting__EvaluationPeriods": 3},
    "two of five periods": {"Waiting__EvaluationPeriods": 5, "Waiting__DatapointsToAlarm": 2},
    "a quotient that never divides by 0": instead(
        "Waiting", expression("visible / (desired + 1)", VISIBLE, DESIRED)
    ),
    "simple scaling": dict(SIMPLE),
    "percent with a least change": {
        **PERCENT,
        "More__MinAdjustmentMagnitude": 1,
        "More__StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 50}],
        **instead("Waiting", expression("IF(desired > 0, visible, 0)", VISIBLE, DESIRED)),
        "Starting": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": SOUND["Resources"]["Waiting"]["Properties"]
            | {"AlarmActions": [{"Ref": "First"}]},
        },
        "First": {
            "Type": "AWS::AutoScaling::ScalingPolicy",
            "Properties": SOUND["Resources"]["More"]["Properties"],
        },
    },
    "work is protected": {
        "Workers__NewInstancesProtectedFromScaleIn": True,
        "Idle__Metrics": expression("visible * 2", VISIBLE),
        HOOKS: ABSENT,
    },
    "retained instances with an alarm": {
        "Workers__InstanceLifecyclePolicy": {
            "RetentionTriggers": {"TerminateHookAbandon": "retain"}
        },
        "Workers__MetricsCollection__0__Metrics": ["GroupTerminatingRetainedInstances"],
        "Resources__Retained": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "AWS/AutoScaling",
                "MetricName": "GroupTerminatingRetainedInstances",
                "Dimensions": [{"Name": "AutoScalingGroupName", "Value": {"Ref": "Workers"}}],
                "Statistic": "Maximum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 0,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:people"],
            },
        },
    },
    "terminated instances of a lifecycle policy": {
        "Workers__InstanceLifecyclePolicy": {
            "RetentionTriggers": {"TerminateHookAbandon": "terminate"}
        }
    },
    "instances that end themselves": NO_SCALE_IN | {SCRIPT: ENDS_ITSELF, HOOKS: ABSENT},
    "a schedule that scales in": NO_SCALE_IN
    | {
        HOOKS: ABSENT,
        "Nightly": {
            "Type": "AWS::AutoScaling::ScheduledAction",
            "Properties": {
                "AutoScalingGroupName": {"Ref": "Workers"},
                "DesiredCapacity": "0",
                "Recurrence": "0 20 * * *",
            },
        },
    },
    "an exact size that no policy exceeds": {"More__AdjustmentType": "ExactCapacity"},
    "tracking of messages per instance": tracking(
        expression("visible * 100 / (desired + 1)", VISIBLE, DESIRED)
    ),
    "a custom metric every ten seconds": instead(
        "Waiting", expression("mine * 1", metric("mine", "Depth", "Jobs", 10))
    )
    | {
        "Second": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": SOUND["Resources"]["Waiting"]["Properties"],
        },
        **NO_SCALE_IN,
        SCRIPT: ENDS_ITSELF,
    },
    "a worker that extends": {
        "Jobs__VisibilityTimeout": ABSENT,
        SCRIPT: "docker run -e DRAIN_SECONDS=60 -e VISIBILITY_TIMEOUT_SECONDS=120 "
        "--stop-timeout 90 w",
    },
    "settings of the shell": {SCRIPT: 'docker run --stop-timeout 90 -e DRAIN_SECONDS="$DRAIN" w'},
    "no container": {SCRIPT: "exec /opt/worker", HOP_LIMIT: 1},
    "a container on the host's network": {
        SCRIPT: "docker run --network host --stop-timeout 90 w",
        HOP_LIMIT: 1,
    },
    "a hook that is kept up": {
        SCRIPT: "docker run --stop-timeout 900 w; aws autoscaling "
        "record-lifecycle-action-heartbeat --lifecycle-hook-name drain",
    },
    "a FIFO queue": {
        "Jobs__FifoQueue": True,
        "Failed__FifoQueue": True,
        "Failed__MessageRetentionPeriod": 86400,
        "Jobs__VisibilityTimeout": 360,
        "Jobs__RedrivePolicy__maxReceiveCount": 6,
    },
    "FIFO queues by name, with high throughput": {
        "Jobs__FifoQueue": True,
        "Jobs__QueueName": "jobs.fifo",
        "Jobs__DeduplicationScope": "messageGroup",
        "Jobs__FifoThroughputLimit": "perMessageGroupId",
        "Jobs__VisibilityTimeout": 120,
        "Jobs__RedrivePolicy__maxReceiveCount": 8,
        "Failed__FifoQueue": "true",
        "Failed__QueueName": "failed.fifo",
    },
    "FIFO queues whose names are given elsewhere": {
        "Jobs__FifoQueue": True,
        "Jobs__QueueName": {"Fn::ImportValue": "jobs-name"},
        "Jobs__VisibilityTimeout": 120,
        "Jobs__RedrivePolicy__maxReceiveCount": 8,
        "Failed__FifoQueue": True,
        "Failed__QueueName": {"Fn::Sub": ["${Name}", {"Name": {"Fn::ImportValue": "failed"}}]},
    },
    "two receives of instances that return nothing": {
        "Jobs__RedrivePolicy__maxReceiveCount": 2,
        HOOKS: ABSENT,
        "Workers__NewInstancesProtectedFromScaleIn": True,
    },
    "delayed messages that an alarm counts": {
        "Jobs__DelaySeconds": 60,
        "Idle__Metrics": expression(
            "visible + inflight + delayed",
            VISIBLE,
            IN_FLIGHT,
            metric("delayed", "ApproximateNumberOfMessagesDelayed"),
        ),
    },
    "a retry as long as the alarms look back": {
        SCRIPT: "docker run --stop-timeout 90 -e DRAIN_SECONDS=60 -e RETRY_DELAY_MAX_SECONDS=300 w"
    },
    "a time limit as long as the time of handlers": {
        SCRIPT: "docker run --stop-timeout 90 -e DRAIN_SECONDS=75 -e MESSAGE_SECONDS=60 w"
    },
    "an alarm on the age, which an empty queue does not have": {
        "Old": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": SOUND["Resources"]["Waiting"]["Properties"]
            | {"MetricName": "ApproximateAgeOfOldestMessage", "Threshold": 900},
        },
    },
    "a dead-letter queue of another stack": {
        "Jobs__RedrivePolicy__deadLetterTargetArn": "arn:aws:sqs:eu-west-1:000000000000:others"
    },
    "instances that report when they are ready": {
        "More__EstimatedInstanceWarmup": 0,
        "Ready": {
            "Type": "AWS::AutoScaling::LifecycleHook",
            "Properties": {
                "AutoScalingGroupName": {"Ref": "Workers"},
                "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
            },
        },
    },
}


@pytest.mark.parametrize("name", SOUND_TOO)
def test_nothing_is_found_where_nothing_is_wrong(name: str) -> None:
    """Templates that nearly violate a rule have no findings."""
    assert findings_after(SOUND_TOO[name]) == ()
