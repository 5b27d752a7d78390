"""The command `tidemill iam-diff`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import typer
from support.builders.fleets import PRODUCT_TEMPLATE
from typer.testing import CliRunner

from tidemill.cli.iam_diff import iam_diff

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer()
app.command()(iam_diff)


@pytest.fixture
def changed(tmp_path: Path) -> str:
    """Return the project's template, in which a worker may delete its queue."""
    text = PRODUCT_TEMPLATE.read_text(encoding="utf-8")
    before, role, after = text.partition("\n  WorkerRole:\n")
    action = "sqs:ChangeMessageVisibility]"
    assert action in after
    after = after.replace(action, "sqs:ChangeMessageVisibility, sqs:DeleteQueue]", 1)
    file = tmp_path / "new.yaml"
    file.write_text(before + role + after, encoding="utf-8")
    return str(file)


def test_a_new_permission_is_a_line(changed: str) -> None:
    """With --check it is a failure; the other way round it is none."""
    done = CliRunner().invoke(app, [str(PRODUCT_TEMPLATE), changed, "--check"])
    assert done.exit_code == 1
    assert done.output == (
        "+ wider    WorkerRole: Allow sqs:DeleteQueue on ${WorkQueue.Arn}\n"
        "1 changed permissions, 1 of which let somebody do more\n"
    )
    back = CliRunner().invoke(app, [changed, str(PRODUCT_TEMPLATE), "--check"])
    assert back.exit_code == 0
    assert back.output.startswith("- narrower WorkerRole: Allow sqs:DeleteQueue")


def test_the_same_template_has_no_difference(changed: str) -> None:
    """As JSON, for machines."""
    done = CliRunner().invoke(app, [changed, changed, "--check", "--json"])
    assert (done.exit_code, json.loads(done.output)) == (0, {"wider": 0, "changes": []})
