"""The make targets deploy, outputs and delete, run by make against an emulator of AWS."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from support.emulators import ministack
from support.emulators.ministack import local_client, without_aws
from support.emulators.sam import SAM, require
from support.fakes.instance import needed_command
from support.stack.deployment import write_template
from support.stack.inventory import inventory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.stack.inventory import Item

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(600)]

ROOT: Final = PRODUCT_TEMPLATE.parent
REGION: Final = "eu-north-1"
STACK: Final = "tidemill-dev"
LINKED: Final = (".venv", ".venv-deploy", "images", "pyproject.toml", "requirements", "tidemill")
AS_INSTALLED: Final = ("--old-file=.venv/.run", "--old-file=.venv-deploy/.done")
"""Installs nothing, even if a file with requirements is newer than the environments."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished target: its exit code and all that it printed."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Verbs:
    """What each target did, in this order, and what was there before, between and after."""

    created: Run
    unchanged: Run
    outputs: Run
    unasked: Run
    deleted: Run
    again: Run
    stack: set[str]
    before: set[Item]
    kept: set[Item]
    after: set[Item]


def project(folder: Path) -> None:
    """Lay out a project folder with the template that the emulator accepts."""
    write_template(folder, "ministack", "template.yaml")
    for name in ("Makefile", "samconfig.toml"):
        shutil.copy(ROOT / name, folder)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)


def make(folder: Path, endpoint: str, home: Path, *words: str) -> Run:
    """Run a target for the environment dev, with AWS_REGION as the only region."""
    done = subprocess.run(
        [needed_command("make"), *words, "ENV=dev", *AS_INSTALLED],
        cwd=folder,
        env={
            **without_aws(os.environ),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": REGION,
            "HOME": str(home),
            "MAKEFLAGS": "",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def verbs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verbs]:
    """Run the targets one after another."""
    require(SAM, "make validate")
    folder, home = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("home")
    project(folder)
    with ministack.running() as server:

        def target(*words: str) -> Run:
            return make(folder, server.endpoint, home, *words)

        def found() -> set[Item]:
            return inventory(lambda service: local_client(service, server.endpoint, REGION))[0]

        before = found()
        created = target("deploy")
        stacks = local_client("cloudformation", server.endpoint, REGION).list_stacks()
        unchanged, outputs, unasked = target("deploy"), target("outputs"), target("delete")
        kept = found()
        deleted = target("delete", "YES=1")
        after = found()
        yield Verbs(
            created,
            unchanged,
            outputs,
            unasked,
            deleted,
            target("delete", "YES=1"),
            {item["StackName"] for item in stacks["StackSummaries"]},
            before,
            kept,
            after,
        )


def test_aws_region_alone_creates_the_stack_there(verbs: Verbs) -> None:
    """SAM and the project's own programs use the same region."""
    assert verbs.created.code == 0, verbs.created.text
    assert "this stack is new: run make push ENV=dev" in verbs.created.text
    assert STACK in verbs.stack


def test_a_deployment_without_a_change_succeeds_and_says_so(verbs: Verbs) -> None:
    """A script may deploy after each commit."""
    assert verbs.unchanged.code == 0, verbs.unchanged.text
    assert f"No changes to deploy. Stack {STACK} is up to date" in verbs.unchanged.text


def test_the_outputs_are_shown(verbs: Verbs) -> None:
    """Each is a line of a name and its whole value, and nothing else is printed."""
    assert verbs.outputs.code == 0, verbs.outputs.text
    shown = dict(line.split(" ", 1) for line in verbs.outputs.text.splitlines())
    assert shown["QueueUrl"].endswith(f"/{STACK}-work")
    assert set(shown) >= {"ConsumerRepositoryUri", "ProducerPolicyArn"}


def test_without_a_terminal_nothing_is_deleted(verbs: Verbs) -> None:
    """The error says what to give."""
    assert verbs.unasked.code != 0
    assert "make delete YES=1" in verbs.unasked.text
    assert ("sqs", "list_queues") in {item[:2] for item in verbs.kept}


def test_a_confirmed_deletion_leaves_nothing(verbs: Verbs) -> None:
    """Queues, images and log groups go as well."""
    assert verbs.deleted.code == 0, verbs.deleted.text
    assert verbs.after == verbs.before


def test_a_second_deletion_is_an_error(verbs: Verbs) -> None:
    """A deletion in a wrong region must not look like a success."""
    assert verbs.again.code != 0
    assert f"there is no stack {STACK} in {REGION}" in verbs.again.text
