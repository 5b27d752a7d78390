"""Tests of the command as people run it, against MiniStack, which draws no pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from support.fakes.dashboards import a_body, a_widget

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.ministack import Ministack

pytestmark = pytest.mark.impure

STACK = "exported"
BODY = a_body(
    a_widget(),
    a_widget("text"),
    a_widget("alarm", alarms=["arn:aws:cloudwatch:eu-west-1:000000000000:alarm:exported-late"]),
)
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Board": {
            "Type": "AWS::CloudWatch::Dashboard",
            "Properties": {"DashboardName": "exported-queue", "DashboardBody": BODY},
        },
        "Late": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "exported-late",
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Statistic": "Maximum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 60,
                "ComparisonOperator": "GreaterThanThreshold",
            },
        },
    }
}


@pytest.fixture(scope="module")
def stack(ministack: Ministack) -> str:
    """Create the stack once and return its name."""
    client = boto3.client(
        "cloudformation",
        endpoint_url=ministack.endpoint,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - no secret: MiniStack checks none
    )
    try:
        client.create_stack(StackName=STACK, TemplateBody=json.dumps(TEMPLATE))
        client.get_waiter("stack_create_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    finally:
        client.close()
    return STACK


def export(ministack: Ministack, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this folder, with the options besides the endpoint."""
    environment = {k: v for k, v in ministack.environment.items() if k != "AWS_ENDPOINT_URL"}
    command = [
        sys.executable,
        "-c",
        "from tidemill.cli.main import main; main()",
        "dashboard",
        "export",
    ]
    return subprocess.run(
        [*command, "--endpoint-url", ministack.endpoint, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_an_endpoint_can_show_is_in_the_page(
    ministack: Ministack, stack: str, tmp_path: Path
) -> None:
    """The page, the last line and the exit code report what the endpoint cannot show."""
    done = export(ministack, tmp_path, "--stack", stack)
    page = (tmp_path / "exported-dashboards.html").read_text(encoding="utf-8")
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert done.stdout == "wrote exported-dashboards.html\n"
    assert [line.split(",")[0] for line in lines[:-1]] == [
        f"exported-queue: {n} of 3" for n in (1, 2, 3)
    ]
    assert lines[-1] == (
        "tidemill: 1 of 3 widgets are missing from exported-dashboards.html: "
        "this endpoint does not support GetMetricWidgetImage, which draws widgets"
    )
    assert "Not exported: this endpoint does not support GetMetricWidgetImage" in page
    assert "<td>exported-late</td>" in page
    assert "Look at the [console]" in page


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--stack", "nowhere"], 1, "there is no stack nowhere in eu-west-1"),
        (["--output", "no/such/page.html"], 2, "there is no folder no/such"),
        (["--hours", "361"], 2, "--hours"),
    ],
    ids=["no-stack", "no-folder", "too-long"],
)
def test_what_is_wrong_is_reported_in_one_line(
    ministack: Ministack, tmp_path: Path, options: list[str], code: int, message: str
) -> None:
    """No file is written."""
    done = export(ministack, tmp_path, *options)
    assert done.returncode == code
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written_is_reported(
    ministack: Ministack, stack: str, tmp_path: Path
) -> None:
    """The path of this test is a folder."""
    (tmp_path / "page.html").mkdir()
    done = export(ministack, tmp_path, "--stack", stack, "--output", "page.html")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "tidemill: cannot write page.html: Is a directory"
