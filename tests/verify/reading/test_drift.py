"""Checks of the numbers: each number that AWS has otherwise is found, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders.verifications import find
from support.fakes.account import FakeAccount

from tidemill.verify.finding import Verdict

if TYPE_CHECKING:
    from tidemill.verify.run import Finding

ALARMS, POLICIES = "cloudwatch:DescribeAlarms", "autoscaling:DescribePolicies"
GROUPS, HOOKS = "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeLifecycleHooks"
QUEUE = "sqs:GetQueueAttributes"


def changed(check: str, action: str, listed: str, **values: object) -> Finding:
    """Return the finding of a check if the first entry of an answer has other values."""
    account = FakeAccount()

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        first, *rest = answer[listed]
        return {**answer, listed: [{**first, **values}, *rest]}

    account.changes[action] = change
    return find(check, account)


def differing(finding: Finding) -> list[str]:
    """Return what differs, without the name of the resource."""
    rows = [one for one in finding.rows if one.verdict is Verdict.DIFFERS]
    return [one.what.rpartition(": ")[2] for one in rows]


@pytest.mark.parametrize("fast", ["false", "true"])
@pytest.mark.parametrize("check", ["alarms", "policies", "group", "queue"])
def test_a_stack_as_deployed_agrees(check: str, fast: str) -> None:
    """With every parameter's value that the stack has."""
    account = FakeAccount(FastSignal=fast, HoldSeconds="300", MaxInstances="3")
    assert find(check, account).verdict is Verdict.AGREES


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("Threshold", 7.0, "threshold"),
        ("ComparisonOperator", "GreaterThanThreshold", "comparison"),
        ("EvaluationPeriods", 2, "periods"),
        ("DatapointsToAlarm", 2, "datapoints"),
        ("TreatMissingData", "breaching", "missing data"),
        ("ActionsEnabled", False, "enabled"),
        ("AlarmActions", ["arn:other"], "in ALARM"),
        ("OKActions", ["arn:other"], "in OK"),
        ("InsufficientDataActions", ["arn:other"], "without data"),
    ],
    ids=str,
)
def test_a_changed_alarm_differs(name: str, value: object, what: str) -> None:
    """The number that was changed by hand is named."""
    assert what in differing(changed("alarms", ALARMS, "MetricAlarms", **{name: value}))


def test_a_changed_query_of_an_alarm_differs() -> None:
    """Another period, statistic or expression, and a query that was added."""
    queries: list[dict[str, Any]] = [{"Id": "added", "Expression": "1", "ReturnData": True}]
    found = differing(changed("alarms", ALARMS, "MetricAlarms", Metrics=queries))
    assert {"visible", "inflight", "needed", "added"} <= set(found)


def test_an_alarm_or_a_policy_that_does_not_exist_differs() -> None:
    """It was deleted by hand."""
    account = FakeAccount()
    account.answers[ALARMS] = {"MetricAlarms": []}
    account.answers[POLICIES] = {"ScalingPolicies": []}
    for check in ("alarms", "policies"):
        finding = find(check, account)
        assert finding.verdict is Verdict.DIFFERS
        assert {one.observed for one in finding.rows} == {"it does not exist"}


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("AdjustmentType", "ChangeInCapacity", "adjustment"),
        ("EstimatedInstanceWarmup", 7, "warm-up"),
        ("MinAdjustmentMagnitude", 2, "least change"),
        ("MetricAggregationType", "Minimum", "aggregation"),
        ("Enabled", False, "enabled"),
        ("StepAdjustments", [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": 9}], "steps"),
    ],
    ids=str,
)
def test_a_changed_policy_differs(name: str, value: object, what: str) -> None:
    """The setting that was changed by hand is named."""
    assert differing(changed("policies", POLICIES, "ScalingPolicies", **{name: value})) == [what]


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("MinSize", 1, "minimum"),
        ("MaxSize", 9, "maximum"),
        ("DefaultCooldown", 1, "cooldown"),
        ("DefaultInstanceWarmup", 7, "warm-up"),
        ("EnabledMetrics", [], "metrics"),
        ("TerminationPolicies", ["OldestInstance"], "termination"),
        ("NewInstancesProtectedFromScaleIn", True, "protects new instances"),
        ("SuspendedProcesses", [{"ProcessName": "Launch"}], "suspended"),
        (
            "InstanceLifecyclePolicy",
            {"RetentionTriggers": {"TerminateHookAbandon": "retain"}},
            "retains abandoned instances",
        ),
    ],
    ids=str,
)
def test_a_changed_group_differs(name: str, value: object, what: str) -> None:
    """A suspended process is one of the differences."""
    assert differing(changed("group", GROUPS, "AutoScalingGroups", **{name: value})) == [what]


def test_steps_may_be_written_in_any_order() -> None:
    """The API promises none."""
    account = FakeAccount()

    def reversed_steps(answer: dict[str, Any]) -> dict[str, Any]:
        policies = answer["ScalingPolicies"]
        turned = [{**one, "StepAdjustments": one["StepAdjustments"][::-1]} for one in policies]
        return {"ScalingPolicies": turned}

    account.changes[POLICIES] = reversed_steps
    assert find("policies", account).verdict is Verdict.AGREES


def test_a_changed_hook_differs() -> None:
    """A shorter timeout cuts the drain off."""
    finding = changed("group", HOOKS, "LifecycleHooks", HeartbeatTimeout=30)
    assert differing(finding) == ["hooks"]


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("VisibilityTimeout", "30", "visibility timeout"),
        ("RedrivePolicy", '{"maxReceiveCount": "9"}', "most receives"),
        ("RedrivePolicy", "{}", "most receives"),
    ],
    ids=["visibility", "receives", "no redrive"],
)
def test_a_changed_queue_differs(name: str, value: str, what: str) -> None:
    """SQS returns every attribute as text."""
    account = FakeAccount()
    account.changes[QUEUE] = lambda answer: {"Attributes": {**answer["Attributes"], name: value}}
    assert differing(find("queue", account)) == [what]


@pytest.mark.parametrize(
    ("check", "action"),
    [("alarms", ALARMS), ("policies", POLICIES), ("group", HOOKS), ("queue", QUEUE)],
)
def test_a_refused_action_is_no_agreement(check: str, action: str) -> None:
    """The row has the reason."""
    account = FakeAccount()
    account.refused[action] = "AccessDenied"
    finding = find(check, account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert {one.note for one in finding.rows} == {f"{action}: AccessDenied"}
