"""CloudWatch mirror: copies the rig's metrics and alarm states into the local CloudWatch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from tidemill.scaling.facts import AlarmChanged

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.literals import StateValueType
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

    from tidemill.scaling.loop import Turn
    from tidemill.scaling.spec import Alarm, Fleet


class CloudWatchMirror:
    """A mirror that publishes each turn's datapoints and sets the states of alarms.

    Ordinary clients of CloudWatch can then read the metrics and alarms that the rig computes.
    """

    def __init__(self, cloudwatch: CloudWatchClient, fleet: Fleet) -> None:
        """Create the fleet's alarms, with the properties that the local CloudWatch supports."""
        self._cloudwatch = cloudwatch
        self._names = {alarm.logical_id: alarm.name for alarm in fleet.alarms}
        for alarm in fleet.alarms:
            cloudwatch.put_metric_alarm(
                AlarmName=alarm.name,
                ComparisonOperator=alarm.comparison.value,
                EvaluationPeriods=alarm.evaluation_periods,
                DatapointsToAlarm=alarm.datapoints_to_alarm,
                Threshold=alarm.threshold,
                TreatMissingData=alarm.missing_data.value,
                ActionsEnabled=False,  # the rig runs the policies, the local AWS must not
                Metrics=[_query(alarm, number) for number in range(len(alarm.queries))],
            )

    def on_turn(self, turn: Turn) -> None:
        """Publish the datapoints and alarm states of one turn."""
        for datapoint in turn.datapoints:
            self._cloudwatch.put_metric_data(
                Namespace=datapoint.metric.namespace,
                MetricData=[
                    {
                        "MetricName": datapoint.metric.name,
                        "Dimensions": [
                            {"Name": name, "Value": value}
                            for name, value in datapoint.metric.dimensions
                        ],
                        "Timestamp": datetime.fromtimestamp(datapoint.timestamp, UTC),
                        "StatisticValues": {
                            "SampleCount": datapoint.values.sample_count,
                            "Sum": datapoint.values.total,
                            "Minimum": datapoint.values.minimum,
                            "Maximum": datapoint.values.maximum,
                        },
                    }
                ],
            )
        for fact in turn.facts:
            if isinstance(fact, AlarmChanged):
                state = cast("StateValueType", fact.after)  # AlarmState has CloudWatch's texts
                self._cloudwatch.set_alarm_state(
                    AlarmName=self._names[fact.alarm], StateValue=state, StateReason=fact.reason
                )


def _query(alarm: Alarm, number: int) -> MetricDataQueryTypeDef:
    query = alarm.queries[number]
    entry: MetricDataQueryTypeDef = {"Id": query.id, "ReturnData": query.id == alarm.returned}
    if query.expression is not None:
        entry["Expression"] = query.expression
    if query.stat is not None:
        metric = query.stat.metric
        entry["MetricStat"] = {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
            },
            "Period": query.stat.period,
            "Stat": query.stat.stat,
        }
    return entry
