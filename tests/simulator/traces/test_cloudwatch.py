"""Recording a trace from CloudWatch."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import ANY, Stubber

from tidemill.simulator.errors import SimulationError
from tidemill.simulator.traces.cloudwatch import fetch_trace, write_trace

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def cloudwatch() -> CloudWatchClient:
    """Return a client that reaches nobody."""
    return boto3.client(
        "cloudwatch",
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - no secret
    )


def page(values: list[float], token: str = "") -> dict[str, object]:
    """Return an answer with a value for each minute before NOW."""
    stamps = [NOW - timedelta(minutes=len(values) - index) for index in range(len(values))]
    result = {"Id": "sent", "Timestamps": stamps, "Values": values, "StatusCode": "Complete"}
    return {"MetricDataResults": [result]} | ({"NextToken": token} if token else {})


def expected(**more: object) -> dict[str, object]:
    """Return the parameters of a call."""
    start = NOW - timedelta(hours=2)
    return {
        "MetricDataQueries": ANY,
        "StartTime": start,
        "EndTime": NOW,
        "ScanBy": "TimestampAscending",
        **more,
    }


def test_every_page_is_read_and_empty_minutes_are_left_out(cloudwatch: CloudWatchClient) -> None:
    """The trace has the minutes of all pages, in order, without empty ones."""
    with Stubber(cloudwatch) as stub:
        stub.add_response("get_metric_data", page([3.0, 0.0], "more"), expected())
        stub.add_response("get_metric_data", page([7.0]), expected(NextToken="more"))
        lots = fetch_trace(cloudwatch, "work", 2, NOW)
    end = NOW.timestamp()
    assert lots == [(end - 120, 3), (end - 60, 7)]


def test_a_refusal_is_reported_in_one_line(cloudwatch: CloudWatchClient) -> None:
    """The error has the queue and AWS's reason."""
    with Stubber(cloudwatch) as stub:
        stub.add_client_error("get_metric_data", "AccessDenied", "not you")
        with pytest.raises(SimulationError, match=r"queue work: .*not you"):
            fetch_trace(cloudwatch, "work", 2, NOW)


def test_a_queue_without_messages_is_reported(cloudwatch: CloudWatchClient) -> None:
    """A wrong name has the same result, so the error says what to check."""
    with Stubber(cloudwatch) as stub:
        stub.add_response("get_metric_data", page([]), expected())
        with pytest.raises(SimulationError, match="check name, Region"):
            fetch_trace(cloudwatch, "wrok", 2, NOW)


def test_a_trace_is_written_as_it_is_read() -> None:
    """A written trace is CSV with a header line."""
    out = io.StringIO()
    write_trace([(0, 3), (60, 4)], out)
    assert out.getvalue() == "time,count\n1970-01-01T00:00:00Z,3\n1970-01-01T00:01:00Z,4\n"
