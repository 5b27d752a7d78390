"""CloudWatch mirror: what ordinary clients see in the local CloudWatch."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from support.builders.fleets import product_fleet
from support.fakes.worlds import FakeQueue, FakeWorld, Run

from tidemill.rig.local_aws.clients import LocalClients
from tidemill.rig.local_aws.cloudwatch_mirror import CloudWatchMirror
from tidemill.scaling.facts import AlarmChanged

if TYPE_CHECKING:
    from support.emulators.ministack import Ministack


def test_ordinary_clients_see_metrics_and_alarm_states(ministack: Ministack) -> None:
    """They see the core's datapoints and the reasons of its alarms, for every turn of a run."""
    cloudwatch = LocalClients(ministack.endpoint).cloudwatch
    ahead = time.time() // 60 * 60 + 3600  # as after some time of a rig
    run = Run(product_fleet(FastSignal="true"), FakeWorld(FakeQueue(), rate=0, now=ahead))
    mirror = CloudWatchMirror(cloudwatch, run.fleet)
    run.queue.visible = 70
    run.go(90, every=10)
    for turn in run.turns:
        mirror.on_turn(turn)

    changes = {fact.alarm: fact for fact in run.facts if isinstance(fact, AlarmChanged)}
    assert {change.after for change in changes.values()} == {"OK", "ALARM"}, "the last of each"
    seen = {
        alarm["AlarmName"]: (alarm["StateValue"], alarm["StateReason"])
        for alarm in cloudwatch.describe_alarms()["MetricAlarms"]
    }
    for alarm in run.fleet.alarms:
        change = changes[alarm.logical_id]
        assert seen[alarm.name] == (change.after, change.reason)

    published = [point for turn in run.turns for point in turn.datapoints]
    visible = [p for p in published if p.metric.name == "ApproximateNumberOfMessagesVisible"]
    assert visible[0].values.maximum == 70
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": run.fleet.queue.name}],
        StartTime=datetime.fromtimestamp(visible[0].timestamp, UTC),
        EndTime=datetime.fromtimestamp(run.world.now, UTC),
        Period=60,
        Statistics=["Maximum"],
    )
    found = {point["Timestamp"].timestamp(): point["Maximum"] for point in answer["Datapoints"]}
    assert found == {point.timestamp: point.values.maximum for point in visible}
