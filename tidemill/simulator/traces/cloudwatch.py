"""Traces recorded from CloudWatch: the messages sent to a queue in each minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemill.simulator.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from mypy_boto3_cloudwatch import CloudWatchClient

    from tidemill.simulator.traces.trace import Lot

PERIOD = 60


def fetch_trace(cloudwatch: CloudWatchClient, queue: str, hours: float, now: datetime) -> list[Lot]:
    """Return how many messages were sent in each minute until now, oldest first.

    Minutes without messages are left out.

    Args:
        cloudwatch: a client of CloudWatch.
        queue: the queue's name.
        hours: the number of hours before `now`.
        now: the end of the trace, with a time zone.

    Raises:
        SimulationError: AWS refuses or does not answer, or no message was sent in that time.
    """
    lots: list[Lot] = []
    token: dict[str, str] = {}
    try:
        while True:
            answer = cloudwatch.get_metric_data(
                MetricDataQueries=[
                    {
                        "Id": "sent",
                        "MetricStat": {
                            "Metric": {
                                "Namespace": "AWS/SQS",
                                "MetricName": "NumberOfMessagesSent",
                                "Dimensions": [{"Name": "QueueName", "Value": queue}],
                            },
                            "Period": PERIOD,
                            "Stat": "Sum",
                        },
                    }
                ],
                StartTime=now - timedelta(hours=hours),
                EndTime=now,
                ScanBy="TimestampAscending",
                **token,  # type: ignore[arg-type]  # a NextToken or nothing
            )
            for result in answer["MetricDataResults"]:
                pairs = zip(result["Timestamps"], result["Values"], strict=True)
                lots += [(at.timestamp(), round(count)) for at, count in pairs if count]
            if not answer.get("NextToken"):
                break
            token = {"NextToken": answer["NextToken"]}
    except (BotoCoreError, ClientError) as error:
        raise SimulationError(f"cannot read the metrics of queue {queue}: {error}") from error
    if not lots:
        raise SimulationError(
            f"CloudWatch has no message sent to a queue {queue} in the last {hours:g} hours: "
            "check name, Region and account, or give more --hours"
        )
    return lots


def write_trace(lots: Iterable[Lot], out: TextIO) -> None:
    """Write a trace as CSV with the columns time and count."""
    out.write("time,count\n")
    out.writelines(
        f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ},{count}\n" for at, count in lots
    )
