"""AWS, or an emulator, as the source of dashboards; each error becomes one line."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
from botocore.parsers import ResponseParserError

from shared.region import chosen_region
from tidemill.aws_errors import (
    CREDENTIALS,
    DENIED,
    error_code,
    error_message,
    why_no_call_succeeds,
)
from tidemill.dashboard.errors import ExportError, WidgetError
from tidemill.dashboard.ports import AlarmStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient

THROTTLED: Final = frozenset(
    {"RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)
UNKNOWN: Final = frozenset(
    {"InvalidAction", "NotImplemented", "UnknownAction", "UnknownOperationException"}
)
"""Error codes for an action that a service does not have; emulators also answer with HTTP 501."""

NOT_IMPLEMENTED: Final = 501


class AwsSource:
    """One account and region of AWS, or an emulator at an endpoint."""

    def __init__(
        self, region: str, cloudformation: CloudFormationClient, cloudwatch: CloudWatchClient
    ) -> None:
        """Use these clients, which `connect` creates."""
        self._region = region
        self._cloudformation = cloudformation
        self._cloudwatch = cloudwatch

    @property
    def region(self) -> str:
        """Return the region's name."""
        return self._region

    def dashboard_names(self, stack: str) -> list[str]:
        """Return the names of the stack's dashboards, in the order of CloudFormation."""
        pages = self._cloudformation.get_paginator("list_stack_resources")
        with _translated("cloudformation:ListStackResources"):
            try:
                found = [
                    resource
                    for page in pages.paginate(StackName=stack)
                    for resource in page["StackResourceSummaries"]
                ]
            except ClientError as error:
                if "does not exist" in error_message(error):
                    raise ExportError(
                        f"there is no stack {stack} in {self._region}: "
                        "give --stack, or set AWS_REGION"
                    ) from error
                raise
        return [
            resource["PhysicalResourceId"]
            for resource in found
            if resource["ResourceType"] == "AWS::CloudWatch::Dashboard"
        ]

    def dashboard_body(self, name: str) -> str:
        """Return the dashboard's body."""
        with _translated("cloudwatch:GetDashboard"):
            return self._cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]

    def picture(self, request: str) -> bytes:
        """Return a metric widget drawn as PNG.

        Raises:
            WidgetError: this widget cannot be drawn.
        """
        with _translated("cloudwatch:GetMetricWidgetImage"):
            try:
                return self._cloudwatch.get_metric_widget_image(MetricWidget=request)[
                    "MetricWidgetImage"
                ]
            except ResponseParserError as error:
                raise WidgetError("the endpoint's answer is not a picture") from error
            except ClientError as error:
                code = error_code(error)
                if code in DENIED | CREDENTIALS | THROTTLED:
                    raise
                raise WidgetError(_why_no_picture(error, code)) from error

    def alarms(self, names: Sequence[str]) -> list[AlarmStatus]:
        """Return the states of the alarms with these names, without those that do not exist."""
        if not names:
            return []
        with _translated("cloudwatch:DescribeAlarms"):
            answer = self._cloudwatch.describe_alarms(
                AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=100
            )
        return [
            AlarmStatus(
                name=alarm["AlarmName"],
                state=alarm["StateValue"],
                since=alarm.get("StateUpdatedTimestamp"),
                reason=alarm.get("StateReason", ""),
            )
            for alarm in [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
        ]


def connect(endpoint_url: str | None) -> AwsSource:
    """Return the source for the user's own region and credentials.

    Args:
        endpoint_url: the endpoint of an emulator; None for AWS.

    Raises:
        ExportError: there is no region, or an endpoint, profile or setting cannot be used.
    """
    config = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 5},
    )
    with _translated("AWS"):
        session = boto3.Session(region_name=chosen_region())
        try:
            return AwsSource(
                session.region_name or "",
                session.client("cloudformation", endpoint_url=endpoint_url, config=config),
                session.client("cloudwatch", endpoint_url=endpoint_url, config=config),
            )
        except ValueError as error:
            raise ExportError(f"--endpoint-url: {error}") from error


def _why_no_picture(error: ClientError, code: str) -> str:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in UNKNOWN or status == NOT_IMPLEMENTED:
        return "this endpoint does not support GetMetricWidgetImage, which draws widgets"
    return f"CloudWatch cannot draw it: {code} {error_message(error)}".rstrip(" .")


@contextmanager
def _translated(permission: str) -> Iterator[None]:
    """Raise an ExportError for each error of an AWS client inside the block."""
    try:
        yield
    except NoRegionError as error:
        raise ExportError("no AWS region: set AWS_REGION") from error
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise ExportError(why_no_call_succeeds(error) or _why(error, permission)) from error


def _why(error: Exception, permission: str) -> str:
    if not isinstance(error, ClientError):
        return f"AWS cannot be called: {error}"
    code = error_code(error)
    if code in DENIED:
        return f"access denied: the permission {permission} is missing"
    if code in THROTTLED:
        return f"AWS throttles {permission}: try again in a minute"
    return f"{permission} failed: {code} {error_message(error)}".rstrip()
