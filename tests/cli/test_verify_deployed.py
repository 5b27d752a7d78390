"""The command against a stack that the SAM CLI has deployed to LocalStack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.emulators.ministack import CREDENTIALS, without_aws
from support.emulators.sam import SAM, STACK, localstack_emulator, require
from support.stack.deployment import run, write_template

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.emulators.sam import Emulator

pytestmark = [pytest.mark.endtoend, pytest.mark.impure, pytest.mark.timeout(400)]

SEEN = {"stack", "template", "alarms", "queue"}
"""The checks whose actions LocalStack has; it has no Auto Scaling, ECR or Service Quotas."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Emulator, Path]]:
    """Build and deploy the template, and return the emulator and the project's folder."""
    require(SAM, "make validate")
    folder = tmp_path_factory.mktemp("project")
    write_template(folder, "localstack")
    with localstack_emulator(tmp_path_factory.mktemp("home")) as emulator:
        run(emulator, folder, "build", "--template-file", "template.json")
        run(emulator, folder, "deploy")
        yield emulator, folder


def verified(deployed: tuple[Emulator, Path]) -> dict[str, Any]:
    """Return the checks of a run that only reads, by name."""
    emulator, folder = deployed
    command = [sys.executable, "-m", "tidemill", "verify", "--stack", STACK, "--json"]
    done = subprocess.run(
        [
            *command,
            "--template",
            str(folder / "template.json"),
            "--endpoint-url",
            emulator.endpoint,
        ],
        env={**without_aws(os.environ), **CREDENTIALS},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    differs = any(check["verdict"] == "differs" for check in checks.values())
    assert done.returncode == int(differs)
    return checks


def test_a_stack_agrees_until_somebody_changes_an_alarm(
    deployed: tuple[Emulator, Path],
) -> None:
    """What SAM has built and deployed is read back as the template says; the rest is no agreement.

    Then an alarm's threshold is changed by hand, as in the console.
    """
    checks = verified(deployed)
    assert {name for name, one in checks.items() if one["verdict"] == "agrees"} == SEEN
    assert {one["verdict"] for name, one in checks.items() if name not in SEEN} == {"not observed"}
    cloudwatch = deployed[0].client("cloudwatch")
    found = cloudwatch.describe_alarms(AlarmNamePrefix=f"{STACK}-BacklogAlarm")["MetricAlarms"]
    settable = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    changed = {name: value for name, value in found[0].items() if name in settable}
    cloudwatch.put_metric_alarm(**{**changed, "Threshold": 7.0})
    alarms = verified(deployed)["alarms"]
    assert alarms["verdict"] == "differs"
    (row,) = (row for row in alarms["rows"] if row["verdict"] == "differs")
    assert (row["expected"], row["observed"]) == ("0.5", "7")
