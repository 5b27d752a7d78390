"""Tests of AWS as the source: recorded answers, moto, and every refusal in one line."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from support.fakes.dashboards import NOW, PNG

from tidemill.dashboard.aws import AwsSource, connect
from tidemill.dashboard.errors import ExportError, WidgetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.impure  # every test builds AWS clients, which takes long

REGION = "eu-west-1"
KEYS: dict[str, Any] = {
    "region_name": REGION,
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}


@contextmanager
def stubbed() -> Iterator[tuple[AwsSource, Stubber, Stubber]]:
    """Provide a source with the stubs of its two clients, CloudFormation's first."""
    cloudformation = boto3.client("cloudformation", **KEYS)
    cloudwatch = boto3.client("cloudwatch", **KEYS)
    with Stubber(cloudformation) as stack, Stubber(cloudwatch) as watch:
        yield AwsSource(REGION, cloudformation, cloudwatch), stack, watch


def a_resource(kind: str, name: str) -> dict[str, Any]:
    """Return a resource as CloudFormation lists it."""
    return {
        "LogicalResourceId": "Any",
        "PhysicalResourceId": name,
        "ResourceType": kind,
        "LastUpdatedTimestamp": NOW,
        "ResourceStatus": "CREATE_COMPLETE",
    }


def test_a_stacks_dashboards_are_those_among_its_resources() -> None:
    """The names are collected from all pages of the list."""
    boards = [a_resource("AWS::CloudWatch::Dashboard", f"tidemill-{n}") for n in ("queue", "more")]
    pages: list[dict[str, Any]] = [
        {
            "StackResourceSummaries": [
                a_resource("AWS::SQS::Queue", "https://sqs/tidemill-work"),
                boards[0],
            ],
            "NextToken": "more",
        },
        {"StackResourceSummaries": [boards[1]]},
    ]
    with stubbed() as (source, stack, _watch):
        for page in pages:
            stack.add_response("list_stack_resources", page)
        assert source.dashboard_names("tidemill") == ["tidemill-queue", "tidemill-more"]


def test_a_picture_is_the_png_that_cloudwatch_draws() -> None:
    """The picture is the PNG in CloudWatch's answer to the widget's request."""
    with stubbed() as (source, _stack, watch):
        watch.add_response(
            "get_metric_widget_image", {"MetricWidgetImage": PNG}, {"MetricWidget": "{}"}
        )
        assert source.picture("{}") == PNG


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("InvalidAction", 400, "this endpoint does not support GetMetricWidgetImage"),
        ("InternalFailure", 501, "this endpoint does not support GetMetricWidgetImage"),
        ("InvalidParameterValue", 400, "CloudWatch cannot draw it: InvalidParameterValue Bad"),
        ("InternalFailure", 500, "CloudWatch cannot draw it: InternalFailure Bad"),
    ],
    ids=["unknown-action", "not-implemented", "bad-widget", "failure"],
)
def test_a_picture_that_is_not_drawn_is_an_error_of_that_widget(
    code: str, status: int, message: str
) -> None:
    """The error concerns one widget, so that the export goes on with the others."""
    with stubbed() as (source, _stack, watch):
        watch.add_client_error(
            "get_metric_widget_image", code, "Bad\nthing.", http_status_code=status
        )
        with pytest.raises(WidgetError, match=f"^{message}") as error:
            source.picture("{}")
    assert "\n" not in str(error.value)


CALLS: dict[str, Callable[[AwsSource], object]] = {
    "list_stack_resources": lambda source: source.dashboard_names("tidemill"),
    "get_dashboard": lambda source: source.dashboard_body("tidemill-queue"),
    "get_metric_widget_image": lambda source: source.picture("{}"),
    "describe_alarms": lambda source: source.alarms(["one"]),
}
REFUSALS = {
    "AccessDenied": "access denied: the permission c",
    "ExpiredToken": r"AWS does not accept the credentials \(ExpiredToken\): sign in",
    "Throttling": "AWS throttles c.+: try again in a minute",
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_ends_the_export_with_one_line(call: str, code: str) -> None:
    """A refused call ends the export with a line that says what to do."""
    with stubbed() as (source, stack, watch):
        stub = stack if call == "list_stack_resources" else watch
        stub.add_client_error(call, code, "Whatever")
        with pytest.raises(ExportError, match=REFUSALS[code]):
            CALLS[call](source)


def test_a_stack_that_is_not_there_is_named_with_its_region() -> None:
    """The error names stack and region, because the stack may be in another region."""
    with stubbed() as (source, stack, _watch):
        stack.add_client_error(
            "list_stack_resources", "ValidationError", "Stack with id tidemill does not exist"
        )
        with pytest.raises(ExportError, match="there is no stack tidemill in eu-west-1"):
            source.dashboard_names("tidemill")


def test_any_other_error_names_the_call() -> None:
    """Any other error has the call, the code and AWS's message."""
    with stubbed() as (source, _stack, watch):
        watch.add_client_error("get_dashboard", "ResourceNotFound", "Dashboard does not exist")
        expected = "cloudwatch:GetDashboard failed: ResourceNotFound Dashboard does not exist"
        with pytest.raises(ExportError, match=expected):
            source.dashboard_body("tidemill-queue")


def test_missing_region_and_credentials_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to set; without credentials no call is made."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ExportError, match="no AWS region: set AWS_REGION"):
        connect(None)
    monkeypatch.setenv("AWS_REGION", REGION)
    source = connect("http://127.0.0.1:9")
    assert source.region == REGION
    with pytest.raises(ExportError, match="no AWS credentials: sign in"):
        source.dashboard_body("tidemill-queue")


@pytest.mark.impure
def test_an_endpoint_that_is_no_address_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """An invalid endpoint is reported with the name of its option."""
    monkeypatch.setenv("AWS_REGION", REGION)
    with pytest.raises(ExportError, match="--endpoint-url: Invalid endpoint: nonsense"):
        connect("nonsense")


def test_moto_answers_for_dashboards_and_alarms() -> None:
    """Against moto, dashboards and alarms are read; pictures are missing there."""
    with mock_aws():
        cloudwatch = boto3.client("cloudwatch", **KEYS)
        cloudwatch.put_dashboard(DashboardName="tidemill-queue", DashboardBody='{"widgets": []}')
        cloudwatch.put_metric_alarm(
            AlarmName="one",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Statistic="Maximum",
            Period=60,
            Threshold=1,
        )
        cloudwatch.set_alarm_state(AlarmName="one", StateValue="ALARM", StateReason="told so")
        source = AwsSource(REGION, boto3.client("cloudformation", **KEYS), cloudwatch)
        assert source.dashboard_body("tidemill-queue") == '{"widgets": []}'
        (alarm,) = source.alarms(["one", "other"])
        assert source.alarms([]) == []
    assert (alarm.name, alarm.state, alarm.reason) == ("one", "ALARM", "told so")
    assert alarm.since is not None
