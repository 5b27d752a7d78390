"""A handler of one's own in containers, with messages that are no vehicles."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
from support.emulators.compose import FILE
from support.emulators.docker import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.compose import Project

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(420)]

PARCELS: Final = """
import os
from dataclasses import dataclass
from consumer.handlers.api import Reject

@dataclass
class Parcel:
    id: str

def handle(parcel: Parcel) -> None:
    print("parcel", parcel.id)
    if parcel.id == "REJECT":
        raise Reject("nobody lives there")
    if parcel.id == "CRASH":
        os._exit(137)
"""


def test_a_folder_of_handlers_works_in_containers(project: Project, tmp_path: Path) -> None:
    """Neither image is built again, and only the parcel that ends its process pays for that."""
    tmp_path.chmod(0o755)  # the image's user has no rights here
    (tmp_path / "parcels.py").write_text(PARCELS)
    parameters = "Handler=parcels:handle,MaxReceiveCount=3,HoldSeconds=120"
    project.settings = {"HANDLERS": str(tmp_path), "PARAMETERS": parameters}
    project.compose("up", "--wait")
    names = [*(f"P{number}" for number in range(20)), "REJECT", "CRASH"]
    done = subprocess.run(
        ["docker", "compose", "--file", FILE, "run", "--rm", "-T", "producer", "--file", "-"],  # noqa: S607 - whichever the user has
        cwd=ROOT,
        env=project.environment(),
        input="".join(json.dumps({"id": name}) + "\n" for name in names),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    project.watch(lambda running: len(running) > 0)
    project.watch(lambda running: not running)

    lines = list(project.printed())
    processed = [line["body"]["id"] for line in lines if line["outcome"] == "processed"]
    assert sorted(processed) == sorted(names[:20])
    assert {line["body"]["id"] for line in lines if line["outcome"] == "rejected"} == {"REJECT"}
    crashed = [line for line in lines if line["outcome"] == "crashed"]
    assert {line["body"]["id"] for line in crashed} == {"CRASH"}
    assert all("137" in line["reason"] for line in crashed)
    assert len(project.dead_letters()) == 2
    assert project.left("work") == 0
