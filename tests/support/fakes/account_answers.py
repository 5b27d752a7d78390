"""Answers of the fake account, in the form of boto3: one function for each action."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tidemill.rig.autoscaling.actions import run_action

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.fakes.account import FakeAccount

    from tidemill.verify.ports import Answer

REGION, ACCOUNT, STACK = "eu-west-1", "123456789012", "tidemill"
STACK_ID: Final = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/1-2"
START: Final = 1_750_000_020.0  # a whole minute
MINUTE: Final = 60
DELETION: Final = 300
"""Seconds that CloudFormation takes at least."""

NUMBERS = {"Period": int, "EvaluationPeriods": int, "DatapointsToAlarm": int, "Threshold": float}


def at(seconds: float) -> datetime:
    """Return epoch seconds as boto3 returns a moment."""
    return datetime.fromtimestamp(seconds, UTC)


def _identity(_account: FakeAccount, _given: Answer) -> Answer:
    return {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/ada", "UserId": "AIDA"}


def _stacks(account: FakeAccount, _given: Answer) -> Answer:
    world = account.world
    status = "CREATE_COMPLETE"
    if world.stack_deleted is not None:
        over = world.now > world.stack_deleted + DELETION and not world.instances
        status = "DELETE_COMPLETE" if over else "DELETE_IN_PROGRESS"
    parameters = [
        {
            "ParameterKey": name,
            "ParameterValue": str(account.parameters.get(name, part["Default"])),
        }
        for name, part in account.template["Parameters"].items()
    ]
    stack = {
        "StackName": STACK,
        "StackId": STACK_ID,
        "StackStatus": status,
        "CreationTime": at(START),
        "Parameters": parameters,
    }
    return {"Stacks": [stack]}


def _resources(account: FakeAccount, _given: Answer) -> Answer:
    return {
        "StackResourceSummaries": [
            {
                "LogicalResourceId": name,
                "PhysicalResourceId": values["Ref"],
                "ResourceType": account.template["Resources"][name]["Type"],
                "ResourceStatus": "CREATE_COMPLETE",
                "LastUpdatedTimestamp": at(START),
            }
            for name, values in account.physical.items()
        ]
    }


def _template(account: FakeAccount, _given: Answer) -> Answer:
    return {"TemplateBody": json.dumps(account.template)}


def _delete(account: FakeAccount, _given: Answer) -> Answer:
    account.world.stack_deleted = account.world.now
    group = {"AutoScalingGroupName": account.fleet.group.name}
    run_action(account, "SetDesiredCapacity", group | {"DesiredCapacity": 0})
    run_action(account, "SuspendProcesses", group | {"ScalingProcesses": ["Launch"]})
    return {}


def _alarms(account: FakeAccount, given: Answer) -> Answer:
    known = {values["Ref"]: name for name, values in account.physical.items()}
    wanted = [name for name in given["AlarmNames"] if name in known]
    return {"MetricAlarms": [_alarm(account, known[name], name) for name in wanted]}


def _alarm(account: FakeAccount, logical_id: str, name: str) -> Answer:
    watch = account.memory.watches.get(logical_id)
    shown: Answer = _typed(account.resolver.properties(logical_id))
    for key in ("AlarmActions", "OKActions"):
        shown.setdefault(key, [])
    state = "INSUFFICIENT_DATA" if watch is None else str(watch.memory.state)
    if logical_id == "DeadLettersAlarm":
        since = account.world.now - 2 * MINUTE
        state = "ALARM" if account.world.dead_since(since) else "OK"
    return shown | {"AlarmName": name, "StateValue": state, "ActionsEnabled": True}


def _typed(value: Any) -> Any:  # noqa: ANN401 - any part of a template
    """Return properties with the types of the API: a template may write numbers as text."""
    if isinstance(value, dict):
        return {key: NUMBERS.get(key, _typed)(part) for key, part in value.items()}
    return [_typed(part) for part in value] if isinstance(value, list) else value


def _history(account: FakeAccount, given: Answer) -> Answer:
    alarms = {alarm.name: alarm.logical_id for alarm in account.fleet.alarms}
    low, high = given["StartDate"].timestamp(), given["EndDate"].timestamp()
    return {
        "AlarmHistoryItems": [
            {
                "AlarmName": given["AlarmName"],
                "Timestamp": at(fact.at),
                "HistoryItemType": "StateUpdate",
                "HistorySummary": f"Alarm updated from {fact.before} to {fact.after}",
            }
            for fact in account.alarm_changes
            if fact.alarm == alarms[given["AlarmName"]] and low <= fact.at <= high
        ]
    }


def _metrics(account: FakeAccount, given: Answer) -> Answer:
    low, high = given["StartTime"].timestamp(), given["EndTime"].timestamp()
    results = []
    for query in given["MetricDataQueries"]:
        name = query["MetricStat"]["Metric"]["MetricName"]
        found = _points(account, name, low, high)
        results.append(
            {
                "Id": query["Id"],
                "Label": name,
                "StatusCode": "Complete",
                "Timestamps": [at(moment) for moment, _ in found],
                "Values": [value for _, value in found],
            }
        )
    return {"MetricDataResults": results}


def _points(account: FakeAccount, name: str, low: float, high: float) -> list[tuple[float, float]]:
    if name == "ApproximateNumberOfMessagesVisible":
        last = min(high, account.world.now - account.metric_delay - MINUTE)
        return [(moment, value) for moment, value in account.visible if low <= moment <= last]
    cycles = [one["at"] for one in account.world.lines if one["event"] == "cycle"]
    return [(moment, 1.0) for moment in cycles if low <= moment <= high]


def _attributes(account: FakeAccount, given: Answer) -> Answer:
    world = account.world
    counts = (len(world.waiting(visible=True)), len(world.waiting(visible=False)))
    if given["QueueUrl"] == account.physical["WorkDeadLetterQueue"]["Ref"]:
        counts = (len(world.dead), 0)
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    found = dict(zip(names, map(str, counts), strict=True))
    if given["AttributeNames"] == ["All"]:
        queue = account.fleet.queue
        found["VisibilityTimeout"] = str(queue.visibility_timeout)
        found["RedrivePolicy"] = json.dumps({"maxReceiveCount": queue.max_receive_count})
    return {"Attributes": found}


def _send(account: FakeAccount, given: Answer) -> Answer:
    ordered = {"MessageGroupId", "MessageDeduplicationId"}
    assert given.keys() & ordered == (ordered if account.fleet.queue.fifo else set())
    return {"MessageId": account.world.send(given["MessageBody"])}


def _receive(account: FakeAccount, _given: Answer) -> Answer:
    first = account.world.dead[:1]
    return {
        "Messages": [
            {"MessageId": one.id, "ReceiptHandle": one.id, "Body": one.body} for one in first
        ]
    }


def _delete_message(account: FakeAccount, given: Answer) -> Answer:
    world = account.world
    world.dead = [one for one in world.dead if one.id != given["ReceiptHandle"]]
    return {}


def _instances(account: FakeAccount, given: Answer) -> Answer:
    (name,) = given["InstanceIds"]
    one = account.world.instances[name]
    shown = {
        "InstanceId": name,
        "LaunchTime": at(one.launch_time),
        "InstanceType": "t4g.small",
        "ImageId": "ami-0a1b2c3d",
        "State": {"Name": "running" if account.world.now >= one.running else "pending"},
    }
    return {"Reservations": [{"Instances": [shown]}]}


def _reboot(account: FakeAccount, given: Answer) -> Answer:
    account.world.reboot(given["InstanceIds"][0])
    return {}


def _types(_account: FakeAccount, given: Answer) -> Answer:
    size = {"DefaultVCpus": 2}
    types = given["InstanceTypes"]
    return {"InstanceTypes": [{"InstanceType": name, "VCpuInfo": size} for name in types]}


def _quota(_account: FakeAccount, given: Answer) -> Answer:
    return {"Quota": {"QuotaCode": given["QuotaCode"], "Value": 32.0}}


def _images(_account: FakeAccount, given: Answer) -> Answer:
    return {"imageDetails": [{"repositoryName": given["repositoryName"]}]}


def _subscriptions(account: FakeAccount, given: Answer) -> Answer:
    address = account.parameters.get("NotificationEmail")
    arn = f"{given['TopicArn']}:6e1a-4f"
    one = {"Endpoint": address, "Protocol": "email", "SubscriptionArn": arn}
    return {"Subscriptions": [one] if address else []}


def _logs(account: FakeAccount, given: Answer) -> Answer:
    world = account.world
    boot = given["logGroupName"].endswith("/hosts")
    events = world.boot_log if boot else world.worker_log()
    return {"events": [one for one in events if one["timestamp"] >= given["startTime"]]}


def _events(_account: FakeAccount, _given: Answer) -> Answer:
    return {"StackEvents": []}


ANSWERING: dict[str, Callable[[FakeAccount, Answer], Answer]] = {
    "cloudformation:DeleteStack": _delete,
    "cloudformation:DescribeStackEvents": _events,
    "cloudformation:DescribeStacks": _stacks,
    "cloudformation:GetTemplate": _template,
    "cloudformation:ListStackResources": _resources,
    "cloudwatch:DescribeAlarmHistory": _history,
    "cloudwatch:DescribeAlarms": _alarms,
    "cloudwatch:GetMetricData": _metrics,
    "ec2:DescribeInstanceTypes": _types,
    "ec2:DescribeInstances": _instances,
    "ec2:RebootInstances": _reboot,
    "ecr:DescribeImages": _images,
    "logs:FilterLogEvents": _logs,
    "servicequotas:GetServiceQuota": _quota,
    "sns:ListSubscriptionsByTopic": _subscriptions,
    "sqs:DeleteMessage": _delete_message,
    "sqs:GetQueueAttributes": _attributes,
    "sqs:ReceiveMessage": _receive,
    "sqs:SendMessage": _send,
    "sts:GetCallerIdentity": _identity,
}
