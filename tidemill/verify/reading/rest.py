"""Checks of the stack at rest: states of its alarms, and metrics that its programs published."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from consumer.logs.counts import METRICS
from tidemill.scaling.spec import AlarmState
from tidemill.verify.bench import SkippedError, why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.expectation import state_at
from tidemill.verify.finding import among, compared, unobserved
from tidemill.verify.fleet_now import backlog, group_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.verify.bench import Bench
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

ALARM = "AWS::CloudWatch::Alarm"
PARAMETER = "AWS::SSM::Parameter"
HOURS = 3
"""How far back metrics and activities are looked for."""


def _observe_rest(bench: Bench) -> None:
    waiting = backlog(bench)
    group = group_now(bench)
    if waiting.total or group.desired or group.instances:
        raise SkippedError(
            f"the stack is at work: {waiting.total} messages, {len(group.instances)} instances"
        )
    known = [alarm.name for alarm in bench.target.fleet.alarms]
    others = [name for name in bench.target.physical_of(ALARM).values() if name not in known]
    answer = bench.ask("cloudwatch:DescribeAlarms", AlarmNames=[*known, *others])
    if answer is not None:
        bench.note(
            "states", {one["AlarmName"]: one["StateValue"] for one in answer["MetricAlarms"]}
        )


def _judge_rest(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    states: Mapping[str, str] = seen.get("states", {})
    scaling = {alarm.name: str(state_at(alarm, 0)) for alarm in target.fleet.alarms}
    for name, state in scaling.items():
        if name in states:
            yield compared(f"state of {name}", state, states[name])
        else:
            yield unobserved(f"state of {name}", state, why_missing(seen) or "no such alarm")
    quiet = (AlarmState.OK, AlarmState.INSUFFICIENT_DATA)
    for name in sorted(states.keys() - scaling.keys()):
        yield among(f"state of {name}", map(str, quiet), states[name])


REST = Check(
    name="rest",
    question="Are the alarms in their states for an empty queue?",
    observation=Observation(
        name="rest",
        does="reads the queue's counts, the group and the states of all alarms",
        level=Level.READ,
        calls=(
            "sqs:GetQueueAttributes",
            "autoscaling:DescribeAutoScalingGroups",
            "cloudwatch:DescribeAlarms",
        ),
        use=lambda _target: Use(requests=1),
        observe=_observe_rest,
    ),
    judge=_judge_rest,
    remedy="Wait ten minutes after the deployment and look again. INSUFFICIENT_DATA of an alarm "
    "that scales means that SQS publishes nothing: see the check `delay`. For an alarm for "
    "people, docs/runbook.md has a chapter.",
)


def agent_metrics(target: Target) -> tuple[str, list[str]]:
    """Return the namespace and the names of the metrics that the agent is configured for.

    The agent puts the plugin's name before a measurement that does not begin with it: disk and
    used_percent become disk_used_percent.
    """
    for logical_id in target.resolver.present(PARAMETER):
        configuration = json.loads(target.resolver.properties(logical_id)["Value"])
        metrics = configuration.get("metrics", {})
        names = [
            name if name.startswith(f"{plugin}_") else f"{plugin}_{name}"
            for plugin, settings in metrics.get("metrics_collected", {}).items()
            for name in settings.get("measurement", [])
        ]
        if names:
            return metrics["namespace"], sorted(names)
    return "", []


def _expected(target: Target) -> dict[str, tuple[str, str, str, str]]:
    """Return namespace, name and dimension of every metric, by the name in the notes."""
    queue = target.fleet.queue.name
    wanted = {name: ("Tidemill", name, "QueueName", queue) for name in METRICS}
    namespace, names = agent_metrics(target)
    dimension = "AutoScalingGroupName"
    return wanted | {name: (namespace, name, dimension, target.group) for name in names}


def _observe_published(bench: Bench) -> None:
    now = bench.clock.now()
    since = now - HOURS * 3600
    activities = bench.ask(
        "autoscaling:DescribeScalingActivities", AutoScalingGroupName=bench.target.group
    )
    if activities is None:
        return
    launched = [
        one
        for one in activities["Activities"]
        if one["Description"].startswith("Launching")
        and one["StatusCode"] == "Successful"
        and one["StartTime"].timestamp() >= since
    ]
    if not launched:
        raise SkippedError(f"no instance was launched in the last {HOURS} hours: send a message")
    wanted = _expected(bench.target)
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": name,
                    "Dimensions": [{"Name": dimension, "Value": value}],
                },
                "Period": 60,
                "Stat": "SampleCount",
            },
        }
        for number, (namespace, name, dimension, value) in enumerate(wanted.values())
    ]
    answer = bench.ask(
        "cloudwatch:GetMetricData",
        MetricDataQueries=queries,
        StartTime=datetime.fromtimestamp(since, UTC),
        EndTime=datetime.fromtimestamp(now, UTC),
    )
    if answer is not None:
        counts = dict.fromkeys(wanted, 0)
        names = list(wanted)
        for result in answer["MetricDataResults"]:
            counts[names[int(result["Id"][1:])]] += len(result.get("Timestamps", []))
        bench.note("datapoints", counts)


def _judge_published(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    for name, (namespace, _, dimension, _value) in _expected(target).items():
        what = f"{namespace} {name} by {dimension}"
        if "datapoints" not in seen:
            yield unobserved(what, "published", why_missing(seen))
        else:
            count = seen["datapoints"].get(name, 0)
            yield compared(what, "published", "published" if count else "no datapoint")


PUBLISHED = Check(
    name="published",
    question="Do the consumer's and the agent's metrics arrive in CloudWatch?",
    observation=Observation(
        name="published",
        does=f"looks for their datapoints, if an instance was launched in the last {HOURS} hours",
        level=Level.READ,
        calls=("autoscaling:DescribeScalingActivities", "cloudwatch:GetMetricData"),
        use=lambda target: Use(metrics_read=len(_expected(target))),
        observe=_observe_published,
    ),
    judge=_judge_published,
    remedy="Without the consumer's metrics, look for its lines in the workers' log group. Without "
    "the agent's, read the boot log in the hosts' log group (docs/agent.md): an instance that "
    "lives for less than two minutes may end before the agent has published.",
)
