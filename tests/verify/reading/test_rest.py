"""Checks at rest: states of alarms, and metrics that the programs have published."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders.fleets import product_template
from support.builders.verifications import VEHICLE, a_target, find, row
from support.fakes.account import FakeAccount

from tidemill.verify.finding import Verdict
from tidemill.verify.reading.rest import agent_metrics

ALARMS, METRICS = "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"


def in_state(part: str, state: str) -> Any:  # noqa: ANN401 - a change of an answer
    """Return the change that puts alarms whose name has this part into a state."""
    return lambda answer: {
        "MetricAlarms": [
            {**one, "StateValue": state} if part in one["AlarmName"] else one
            for one in answer["MetricAlarms"]
        ]
    }


def test_every_alarm_is_in_its_state_for_an_empty_queue() -> None:
    """Those that scale in the core's state, those for people in none that calls them."""
    finding = find("rest")
    assert finding.verdict is Verdict.AGREES
    alarms = [
        name
        for name, one in product_template()["Resources"].items()
        if one["Type"] == "AWS::CloudWatch::Alarm" and "Condition" not in one
    ]
    assert len(finding.rows) == len(alarms)


@pytest.mark.parametrize(
    ("alarm", "state"),
    [("BacklogAlarm", "ALARM"), ("BacklogAlarm", "INSUFFICIENT_DATA"), ("ConsumerErrors", "ALARM")],
)
def test_an_alarm_in_another_state_differs(alarm: str, state: str) -> None:
    """An alarm that scales must have data; one for people must not be in ALARM."""
    account = FakeAccount()
    account.changes[ALARMS] = in_state(alarm, state)
    finding = find("rest", account)
    assert row(finding, alarm).verdict is Verdict.DIFFERS


def test_an_alarm_that_does_not_exist_is_no_agreement() -> None:
    """There is no state to compare."""
    account = FakeAccount()
    account.answers[ALARMS] = {"MetricAlarms": []}
    assert find("rest", account).verdict is Verdict.NOT_OBSERVED


def test_a_stack_at_work_is_not_at_rest() -> None:
    """Its alarms are in other states, rightly."""
    account = FakeAccount()
    account.world.send(VEHICLE)
    finding = find("rest", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert "the stack is at work: 1 messages" in finding.rows[0].note


def test_the_agents_metrics_are_those_of_its_configuration() -> None:
    """With the names that the agent makes of plugin and measurement."""
    namespace, names = agent_metrics(a_target(FakeAccount()))
    assert namespace == "Tidemill/Host"
    assert {"disk_used_percent", "mem_used_percent"} <= set(names)


def worked(account: FakeAccount) -> FakeAccount:
    """Return the account after one message."""
    account.world.send(VEHICLE)
    account.go(600)
    return account


def test_metrics_are_looked_for_once_an_instance_has_run() -> None:
    """Before that there is nothing to find."""
    finding = find("published")
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert "no instance was launched" in finding.rows[0].note
    assert find("published", worked(FakeAccount())).verdict is Verdict.AGREES


def test_a_metric_without_datapoints_differs() -> None:
    """Each one is looked for by itself."""
    account = worked(FakeAccount())

    def without_first(answer: dict[str, Any]) -> dict[str, Any]:
        first, *rest = answer["MetricDataResults"]
        return {"MetricDataResults": [{**first, "Timestamps": [], "Values": []}, *rest]}

    account.changes[METRICS] = without_first
    verdicts = [one.verdict for one in find("published", account).rows]
    assert verdicts.count(Verdict.DIFFERS) == 1
    account.refused[METRICS] = "AccessDenied"
    assert find("published", account).verdict is Verdict.NOT_OBSERVED
