"""Rules: changes to a sound template, in each of which one rule has to find its violation.

The module is over 280 lines because its table has the cases of every rule, in the rules' order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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
    SERVING,
    SIMPLE,
    SOUND,
    VISIBLE,
    expression,
    findings_after,
    instead,
    tracking,
)

from tidemill.lint.check import RULES
from tidemill.lint.finding import Severity
from tidemill.scaling.errors import TemplateError


@dataclass(frozen=True)
class Case:
    """Changes to the sound template, and the expected finding: rule, severity, words, place.

    `besides` has other rules that find what follows from the same mistake.
    """

    name: str
    rule: str
    severity: Severity
    words: str
    at: str
    changes: dict[str, Any]
    besides: frozenset[str] = frozenset()


ERROR, WARNING, NOTE = Severity
LIFECYCLE = "Workers__InstanceLifecyclePolicy"
RETAIN = {"RetentionTriggers": {"TerminateHookAbandon": "retain"}}
COLLECTED = "Workers__MetricsCollection__0__Metrics"
ORDERED = {"Jobs__VisibilityTimeout": 120, "Jobs__RedrivePolicy__maxReceiveCount": 8}
FIFO = {"Jobs__FifoQueue": True, "Failed__FifoQueue": True, **ORDERED}
FAULTY = (
    Case(
        "threshold",
        "asleep-at-one-message",
        WARNING,
        "Waiting is 1 then, and goes to ALARM when it is at least 2",
        "Waiting",
        {"Waiting__Threshold": 2},
    ),
    Case(
        "in-flight-only",
        "asleep-at-one-message",
        WARNING,
        "Waiting has no datapoint then",
        "Waiting",
        {"Waiting__MetricName": "ApproximateNumberOfMessagesNotVisible"},
    ),
    Case(
        "percent-of-nothing",
        "asleep-at-one-message",
        WARNING,
        "no alarm on it scales out",
        "Workers",
        {**PERCENT, "More__StepAdjustments__0__ScalingAdjustment": 0},
    ),
    Case(
        "percent-of-zero",
        "asleep-at-one-message",
        WARNING,
        "Waiting goes to ALARM, but its policies keep the capacity at 0",
        "Waiting",
        {**PERCENT, "More__StepAdjustments__0__ScalingAdjustment": 100},
    ),
    Case(
        "average-over-periods",
        "slow-to-wake",
        NOTE,
        "wakes Workers after 5 minutes, when Waiting goes to ALARM",
        "Waiting",
        {"Waiting__Statistic": "Average", "Waiting__Period": 300},
    ),
    Case(
        "many-periods",
        "slow-to-wake",
        NOTE,
        "after 4 minutes",
        "Waiting",
        {"Waiting__EvaluationPeriods": 4},
    ),
    Case(
        "backlog-per-instance",
        "no-datapoint-at-zero",
        ERROR,
        "Waiting has no datapoint while Workers has no instance",
        "Waiting",
        instead("Waiting", expression("visible / desired", VISIBLE, DESIRED)),
    ),
    Case(
        "tracked-backlog-per-instance",
        "no-datapoint-at-zero",
        ERROR,
        "the high alarm of More has no datapoint",
        "More",
        tracking(expression("visible / desired", VISIBLE, DESIRED)),
    ),
    Case(
        "in-service-off",
        "group-metric-not-published",
        ERROR,
        "Idle uses GroupInServiceInstances, which Workers does not publish",
        "Workers",
        {"Idle__Metrics": expression("visible + inflight + serving", VISIBLE, IN_FLIGHT, SERVING)},
    ),
    Case(
        "minimum-1",
        "always-on",
        NOTE,
        "always has 1 or more instances",
        "Workers",
        {"Workers__MinSize": 1},
    ),
    Case(
        "thresholds-cross",
        "fighting-alarms",
        ERROR,
        "while ApproximateNumberOfMessagesVisible is 1, "
        "ApproximateNumberOfMessagesNotVisible is missing, with a capacity of 1",
        "Idle",
        {"Idle__Threshold": 2, "None__StepAdjustments__0__MetricIntervalUpperBound": 0},
    ),
    Case(
        "other-metrics",
        "fighting-alarms",
        ERROR,
        "Waiting scales out and Idle scales in while",
        "Idle",
        {"Idle__Metrics": expression("inflight + 0 * visible", VISIBLE, IN_FLIGHT)},
    ),
    Case(
        "visible-alone",
        "blind-to-in-flight",
        WARNING,
        "Idle also scales in with 1,000,000 messages in flight",
        "Idle",
        {"Idle__Metrics": expression("visible * 2", VISIBLE)},
    ),
    Case(
        "visible-alone-in-ok",
        "blind-to-in-flight",
        WARNING,
        "Waiting also scales in",
        "Waiting",
        {"Waiting__OKActions": [{"Ref": "None"}]},
    ),
    Case(
        "exact-step-below",
        "blind-to-in-flight",
        WARNING,
        "Waiting also scales in",
        "Waiting",
        {"More__AdjustmentType": "ExactCapacity", "Workers__DesiredCapacity": "3"},
    ),
    Case(
        "no-such-metric",
        "never-has-data",
        ERROR,
        "Waiting: SQS has no metric ApproximateNumberOfMessagesVisable",
        "Waiting",
        {"Waiting__MetricName": "ApproximateNumberOfMessagesVisable"},
        frozenset({"asleep-at-one-message"}),
    ),
    Case(
        "a-url-for-a-name",
        "never-has-data",
        ERROR,
        "Idle: QueueName is https://sqs.",
        "Idle",
        {"Idle__Metrics__1__MetricStat__Metric__Dimensions__0__Value": {"Ref": "Jobs"}},
        frozenset({"asleep-at-one-message", "fighting-alarms"}),
    ),
    Case(
        "another-unit",
        "never-has-data",
        ERROR,
        "Waiting: ApproximateNumberOfMessagesVisible is published in Count, not in Seconds",
        "Waiting",
        {"Waiting__Unit": "Seconds"},
    ),
    Case(
        "one",
        "few-receives",
        WARNING,
        "Jobs moves a message to its dead-letter queue at the second receive",
        "Jobs",
        {"Jobs__RedrivePolicy__maxReceiveCount": 1},
    ),
    Case(
        "one-without-a-hook",
        "few-receives",
        WARNING,
        "Jobs moves a message to its dead-letter queue at the second receive",
        "Jobs",
        {
            "Jobs__RedrivePolicy__maxReceiveCount": 1,
            "Workers__NewInstancesProtectedFromScaleIn": True,
            HOOKS: ABSENT,
        },
    ),
    Case(
        "two-and-a-drain",
        "few-receives",
        WARNING,
        "at the third receive, and Workers drains its instances",
        "Jobs",
        {"Jobs__RedrivePolicy__maxReceiveCount": "2"},
    ),
    Case(
        "two-and-spot",
        "few-receives",
        WARNING,
        "at the third receive, and Workers has Spot instances",
        "Jobs",
        {
            "Jobs__RedrivePolicy__maxReceiveCount": 2,
            "Machine__LaunchTemplateData__InstanceMarketOptions": {"MarketType": "spot"},
            "Workers__NewInstancesProtectedFromScaleIn": True,
            HOOKS: ABSENT,
        },
    ),
    Case(
        "two-and-a-share-of-spot",
        "few-receives",
        WARNING,
        "Workers drains its instances and has Spot instances",
        "Jobs",
        {
            "Jobs__RedrivePolicy__maxReceiveCount": 2,
            "Workers__LaunchTemplate": ABSENT,
            "Workers__MixedInstancesPolicy": {
                "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 50},
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {
                        "LaunchTemplateId": {"Ref": "Machine"},
                        "Version": "1",
                    }
                },
            },
        },
    ),
    Case(
        "limit-over-drain",
        "limit-after-drain",
        WARNING,
        "MESSAGE_SECONDS is 60, and of the 60 seconds of DRAIN_SECONDS handlers get 45",
        "Machine",
        {SCRIPT: "docker run --stop-timeout 90 -e DRAIN_SECONDS=60 -e MESSAGE_SECONDS=60 w"},
    ),
    Case(
        "a-quarter-of-an-hour",
        "retry-holds-instances",
        NOTE,
        "RETRY_DELAY_MAX_SECONDS is 900, and no alarm looks back further than 300 seconds",
        "Machine",
        {
            SCRIPT: "docker run --stop-timeout 90 -e DRAIN_SECONDS=60 "
            "-e RETRY_DELAY_MAX_SECONDS=900 w"
        },
    ),
    Case(
        "standard-dead-letters",
        "fifo-mismatch",
        ERROR,
        "Jobs is a FIFO queue, and its dead-letter queue Failed is a standard queue",
        "Failed",
        {"Jobs__FifoQueue": True, **ORDERED},
    ),
    Case(
        "fifo-dead-letters",
        "fifo-mismatch",
        ERROR,
        "Jobs is a standard queue, and its dead-letter queue Failed is a FIFO queue",
        "Failed",
        {"Failed__FifoQueue": True},
    ),
    Case(
        "name-without-fifo",
        "fifo-mismatch",
        ERROR,
        "Jobs: its name jobs does not end in .fifo",
        "Jobs",
        {**FIFO, "Jobs__QueueName": "jobs"},
    ),
    Case(
        "name-alone",
        "fifo-mismatch",
        ERROR,
        "Failed: its name failed.fifo ends in .fifo, without FifoQueue",
        "Failed",
        {"Failed__QueueName": "failed.fifo"},
    ),
    Case(
        "deduplication-without-fifo",
        "fifo-mismatch",
        ERROR,
        "Jobs has ContentBasedDeduplication without FifoQueue",
        "Jobs",
        {"Jobs__ContentBasedDeduplication": False},
    ),
    Case(
        "throughput-without-scope",
        "fifo-mismatch",
        ERROR,
        "Jobs has a FifoThroughputLimit of perMessageGroupId without the DeduplicationScope",
        "Jobs",
        {**FIFO, "Jobs__FifoThroughputLimit": "perMessageGroupId"},
    ),
    Case(
        "three-receives-and-four-instances",
        "group-shares-receives",
        NOTE,
        "Jobs has a maxReceiveCount of 3, and up to 4 instances may receive",
        "Jobs",
        {**FIFO, "Jobs__RedrivePolicy__maxReceiveCount": 3},
    ),
    Case(
        "an-hour-for-a-minute",
        "group-blocked-long",
        NOTE,
        "Jobs hides a message for 3600 seconds, 60 times the 60",
        "Jobs",
        {**FIFO, "Jobs__VisibilityTimeout": 3600},
    ),
    Case(
        "a-delay-queue",
        "delay-unseen",
        NOTE,
        "Jobs delays each message by 60 seconds, and no alarm counts",
        "Jobs",
        {"Jobs__DelaySeconds": 60},
    ),
    Case(
        "nothing-said",
        "missing-data-unset",
        WARNING,
        "Idle does not set",
        "Idle",
        {"Idle__TreatMissingData": ABSENT},
    ),
    Case(
        "sum-over-two-minutes",
        "sum-of-a-gauge",
        WARNING,
        "published every 60 seconds, over 120 seconds",
        "Waiting",
        {"Waiting__Statistic": "Sum", "Waiting__Period": 120},
    ),
    Case(
        "sum-over-a-minute",
        "sum-of-a-gauge",
        NOTE,
        "Waiting takes the Sum of ApproximateNumberOfMessagesVisible",
        "Waiting",
        {"Waiting__Statistic": "Sum"},
    ),
    Case(
        "ten-seconds",
        "period-finer-than-metric",
        WARNING,
        "Waiting has a period of 10 seconds on AWS/SQS ApproximateNumberOfMessagesVisible",
        "Waiting",
        {"Waiting__Period": 10},
    ),
    Case(
        "a-minute-of-the-clock",
        "scales-by-the-clock",
        WARNING,
        "Waiting runs scaling policies, and sees a datapoint only when a period of 60 seconds",
        "Waiting",
        {"Waiting__EvaluationWindow": {"WallClockWindow": {"Timezone": "UTC"}}},
    ),
    Case(
        "message-longer",
        "visible-before-done",
        ERROR,
        "Jobs hides a message for 45 seconds, and DRAIN_SECONDS is 60",
        "Jobs",
        {"Jobs__VisibilityTimeout": 45},
    ),
    Case(
        "default-of-30",
        "visible-before-done",
        ERROR,
        "for 30 seconds",
        "Jobs",
        {"Jobs__VisibilityTimeout": ABSENT},
    ),
    Case(
        "batch-longer",
        "visible-before-done",
        ERROR,
        "MESSAGE_SECONDS is 150 5 times, as 10 messages are received at once",
        "Jobs",
        {SCRIPT: "docker run -e MESSAGE_SECONDS=150 -e CONCURRENCY=2 -e MESSAGES_PER_POLL=50 w"},
    ),
    Case(
        "worker-hides-for-less",
        "visible-before-done",
        ERROR,
        "VISIBILITY_TIMEOUT_SECONDS is 20, and MESSAGE_SECONDS is 21",
        "Machine",
        {SCRIPT: "docker run -e MESSAGE_SECONDS=21 -e VISIBILITY_TIMEOUT_SECONDS=20 w"},
    ),
    Case(
        "no-redrive",
        "no-dead-letter-queue",
        WARNING,
        "Jobs has no dead-letter queue",
        "Jobs",
        {"Jobs__RedrivePolicy": ABSENT},
    ),
    Case(
        "dead-letters-for-a-day",
        "dead-letters-expire-first",
        WARNING,
        "Failed keeps messages for 86400 seconds, Jobs for 345600",
        "Failed",
        {"Failed__MessageRetentionPeriod": 86400},
    ),
    Case(
        "dead-letters-as-long",
        "dead-letters-expire-first",
        NOTE,
        "Failed keeps messages for 345600 seconds, Jobs for 345600",
        "Failed",
        {"Failed__MessageRetentionPeriod": ABSENT},
    ),
    Case(
        "stop-default-of-10",
        "killed-before-drained",
        ERROR,
        "killed 10 seconds after the signal to stop, and DRAIN_SECONDS is 60",
        "Machine",
        {SCRIPT: "docker run --env DRAIN_SECONDS=60 worker"},
    ),
    Case(
        "stop-in-a-hurry",
        "killed-before-drained",
        ERROR,
        "killed 30 seconds after",
        "Machine",
        {SCRIPT: "docker run --env DRAIN_SECONDS=60 --stop-timeout=90 w\ndocker stop -t 30 w"},
    ),
    Case(
        "hook-shorter",
        "hook-before-stopped",
        ERROR,
        "the hook drain holds an instance for 60 seconds, and its container may take 90 to stop",
        "Workers",
        {f"{HOOKS}__0__HeartbeatTimeout": 60},
    ),
    Case(
        "no-hook",
        "no-terminate-hook",
        WARNING,
        "Workers scales in, and no hook holds",
        "Workers",
        {HOOKS: ABSENT},
    ),
    Case(
        "launch-hook-only",
        "no-terminate-hook",
        WARNING,
        "Workers scales in, and no hook holds",
        "Workers",
        {f"{HOOKS}__0__LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"},
    ),
    Case(
        "retained-and-not-counted",
        "retained-unnoticed",
        WARNING,
        "its MetricsCollection does not count them",
        "Workers",
        {LIFECYCLE: RETAIN},
    ),
    Case(
        "retained-without-an-alarm",
        "retained-unnoticed",
        WARNING,
        "no alarm watches how many there are",
        "Workers",
        {LIFECYCLE: RETAIN, COLLECTED: ["GroupTerminatingRetainedInstances"]},
    ),
    Case(
        "retained-without-a-hook",
        "retained-unnoticed",
        NOTE,
        "it has no such hook: the policy has no effect",
        "Workers",
        {
            LIFECYCLE: RETAIN,
            HOOKS: ABSENT,
            "Workers__NewInstancesProtectedFromScaleIn": True,
        },
    ),
    Case(
        "one-hop",
        "metadata-out-of-reach",
        ERROR,
        "HttpPutResponseHopLimit is 1, and a container runs",
        "Machine",
        {HOP_LIMIT: 1},
    ),
    Case(
        "hops-not-set",
        "metadata-out-of-reach",
        NOTE,
        "HttpPutResponseHopLimit is not set",
        "Machine",
        {HOP_LIMIT: ABSENT},
    ),
    Case(
        "group-warm-up",
        "reckons-too-soon",
        NOTE,
        "More counts a new instance after 10 seconds",
        "Workers",
        {"Workers__DefaultInstanceWarmup": 10},
    ),
    Case(
        "policy-warm-up",
        "reckons-too-soon",
        NOTE,
        "More counts a new instance after 0 seconds",
        "More",
        {"More__EstimatedInstanceWarmup": 0},
    ),
    Case(
        "no-alarm-for-it",
        "never-scales-in",
        ERROR,
        "Waiting scales Workers out, and no alarm of this template ever scales it in",
        "Workers",
        {"None__AdjustmentType": "ChangeInCapacity"},
    ),
    Case(
        "step-on-the-wrong-side",
        "never-scales-in",
        ERROR,
        "no alarm of this template ever scales it in",
        "Workers",
        {
            "Idle__ComparisonOperator": "LessThanThreshold",
            "Idle__Threshold": 1,
            "None__StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 0}],
        },
    ),
    Case(
        "nobody-names-it",
        "policy-without-alarm",
        WARNING,
        "no alarm of this template triggers Spare",
        "Spare",
        {"Spare": SOUND["Resources"]["More"]},
    ),
    Case(
        "a-number-of-messages",
        "tracks-a-total",
        WARNING,
        "More tracks ApproximateNumberOfMessagesVisible, ",
        "More",
        tracking(expression("visible * 100", VISIBLE)),
    ),
    Case(
        "cooldown",
        "reckons-too-soon",
        NOTE,
        "More counts a new instance after 30 seconds",
        "More",
        {**SIMPLE, "More__Cooldown": 30},
    ),
)


@pytest.mark.parametrize("case", FAULTY, ids=lambda case: f"{case.rule}:{case.name}")
def test_a_violation_is_found(case: Case) -> None:
    """The rule has exactly one finding, with the expected words and place."""
    findings = [one for one in findings_after(case.changes) if one.rule == case.rule]
    assert findings, findings_after(case.changes)
    (finding,) = findings
    assert (finding.severity, finding.logical_id) == (case.severity, case.at)
    assert case.words in finding.what
    assert {one.rule for one in findings_after(case.changes)} == {case.rule} | case.besides


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"Jobs__RedrivePolicy__deadLetterTargetArn": ["arn"]},
            "Resources.Jobs.Properties.RedrivePolicy.deadLetterTargetArn: a list",
        ),
        (
            {"Failed__MessageRetentionPeriod": "long"},
            "Resources.Failed.Properties.MessageRetentionPeriod: 'long' is not a whole number",
        ),
        (
            {"Machine__LaunchTemplateData__MetadataOptions": "required"},
            "Resources.Machine.Properties.LaunchTemplateData.MetadataOptions has to be a mapping",
        ),
    ],
    ids=["list", "text", "no-mapping"],
)
def test_what_only_rules_read_is_refused_by_its_place(
    changes: dict[str, Any], complaint: str
) -> None:
    """The reader of fleets does not read these properties."""
    with pytest.raises(TemplateError, match=re.escape(complaint)):
        findings_after(changes)


def test_every_rule_is_tried() -> None:
    """Each rule finds its violation in a template that has it, and none in the sound one."""
    assert {case.rule for case in FAULTY} == {rule.id for rule in RULES}
    assert len({rule.id for rule in RULES}) == len(RULES)
