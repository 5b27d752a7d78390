"""Changes to the sound template of tests/lint, and the findings in the result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.builders.fleets import ABSENT, changed

from tidemill.lint.check import lint
from tidemill.scaling.template.document import parse_template

if TYPE_CHECKING:
    from tidemill.lint.finding import Finding

SOUND = parse_template(
    (Path(__file__).parents[2] / "lint/sound.yaml").read_text("utf-8"), "sound.yaml"
)
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


def findings_after(changes: dict[str, Any]) -> tuple[Finding, ...]:
    """Return the findings in the sound template after these changes."""
    resources = {name: value for name, value in changes.items() if "__" not in name}
    template = changed(SOUND, **{key: changes[key] for key in changes.keys() - resources.keys()})
    template["Resources"] |= resources
    return lint(json.dumps(template, indent=1), "changed.json", {}).findings
