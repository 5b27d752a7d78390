"""Rules: changes to a sound template that each has to find, and others that it must not."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.builders.fleets import ABSENT, changed

from tidemill.lint.check import RULES, lint
from tidemill.lint.finding import Finding, Severity
from tidemill.scaling.errors import TemplateError
from tidemill.scaling.template.document import parse_template

SOUND = parse_template(Path(__file__).with_name("sound.yaml").read_text("utf-8"), "sound.yaml")
SCRIPT = "Machine__LaunchTemplateData__UserData__Fn::Base64"
HOP_LIMIT = "Machine__LaunchTemplateData__MetadataOptions__HttpPutResponseHopLimit"
HOOKS = "Workers__LifecycleHookSpecificationList"
NAME = {"Name": "QueueName", "Value": {"Fn::GetAtt": ["Jobs", "QueueName"]}}
GROUP_NAME = {"Name": "AutoScalingGroupName", "Value": {"Ref": "Workers"}}


def metric(key: str, name: str, namespace: str = "AWS/SQS", period: int = 60) -> dict[str, Any]:
    """Return an entry of Metrics, the Maximum of a metric of the queue's or of the group's."""
    dimension = GROUP_NAME if namespace == "AWS/AutoScaling" else NAME
    identity = {"Namespace": namespace, "MetricName": name, "Dimensions": [dimension]}
    statistic = {"Period": period, "Stat": "Maximum", "Metric": identity}
    return {"Id": key, "ReturnData": False, "MetricStat": statistic}


VISIBLE = metric("visible", "ApproximateNumberOfMessagesVisible")
IN_FLIGHT = metric("inflight", "ApproximateNumberOfMessagesNotVisible")
SERVING = metric("serving", "GroupInServiceInstances", "AWS/AutoScaling")
DESIRED = metric("desired", "GroupDesiredCapacity", "AWS/AutoScaling")


def expression(text: str, *metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Return Metrics with an expression over these."""
    return [{"Id": "value", "Expression": text}, *metrics]


def instead(alarm: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the changes that put Metrics in place of an alarm's metric."""
    gone = ("Namespace", "MetricName", "Dimensions", "Statistic", "Period")
    return {f"{alarm}__{key}": ABSENT for key in gone} | {f"{alarm}__Metrics": metrics}


def tracking(metrics: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the changes that make the policy More track such a metric, and Waiting do nothing."""
    specification = {"CustomizedMetricSpecification": {"Metrics": metrics}, "TargetValue": 10}
    return {
        "More__PolicyType": "TargetTrackingScaling",
        "More__AdjustmentType": ABSENT,
        "More__StepAdjustments": ABSENT,
        "More__TargetTrackingConfiguration": specification | {"DisableScaleIn": True},
        "Waiting__ActionsEnabled": False,
    }


SIMPLE = {
    "More__PolicyType": "SimpleScaling",
    "More__StepAdjustments": ABSENT,
    "More__ScalingAdjustment": 1,
}
PERCENT = {"More__AdjustmentType": "PercentChangeInCapacity"}


@dataclass(frozen=True)
class Case:
    """Changes to the sound template, and the expected finding: rule, severity, words, place."""

    name: str
    rule: str
    severity: Severity
    words: str
    at: str
    changes: dict[str, Any]


ERROR, WARNING, NOTE = Severity
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
        {"More__AdjustmentType": "ExactCapacity"},
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
        "cooldown",
        "reckons-too-soon",
        NOTE,
        "More counts a new instance after 30 seconds",
        "More",
        {**SIMPLE, "More__Cooldown": 30},
    ),
)

SOUND_TOO: dict[str, dict[str, Any]] = {
    "unchanged": {},
    "average over one minute": {"Waiting__Statistic": "Average"},
    "more than 0": {
        "Waiting__ComparisonOperator": "GreaterThanThreshold",
        "Waiting__Threshold": 0,
    },
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
    "nothing scales in": {"Idle__ActionsEnabled": False, HOOKS: ABSENT},
    "a custom metric every ten seconds": instead(
        "Waiting", expression("mine * 1", metric("mine", "Depth", "Jobs", 10))
    )
    | {
        "Second": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": SOUND["Resources"]["Waiting"]["Properties"],
        },
        "Idle__ActionsEnabled": False,
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


def found(changes: dict[str, Any]) -> tuple[Finding, ...]:
    """Return the findings in the sound template after these changes."""
    resources = {name: value for name, value in changes.items() if "__" not in name}
    template = changed(SOUND, **{key: changes[key] for key in changes.keys() - resources.keys()})
    template["Resources"] |= resources
    return lint(json.dumps(template, indent=1), "changed.json", {}).findings


@pytest.mark.parametrize("case", FAULTY, ids=lambda case: f"{case.rule}:{case.name}")
def test_a_violation_is_found(case: Case) -> None:
    """The rule has exactly one finding, with the expected words and place."""
    findings = [one for one in found(case.changes) if one.rule == case.rule]
    assert findings, found(case.changes)
    (finding,) = findings
    assert (finding.severity, finding.logical_id) == (case.severity, case.at)
    assert case.words in finding.what
    assert {one.rule for one in found(case.changes)} == {case.rule}


@pytest.mark.parametrize("name", SOUND_TOO)
def test_nothing_is_found_where_nothing_is_wrong(name: str) -> None:
    """Templates that nearly violate a rule have no findings."""
    assert found(SOUND_TOO[name]) == ()


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
        found(changes)


def test_every_rule_is_tried() -> None:
    """Each rule finds its violation in a template that has it, and none in the sound one."""
    assert {case.rule for case in FAULTY} == {rule.id for rule in RULES}
    assert len({rule.id for rule in RULES}) == len(RULES)
