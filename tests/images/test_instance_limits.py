"""Limits of a consumer's container on an instance: one message's memory costs no other message."""

from __future__ import annotations

import itertools
import json
import shlex
import subprocess
import uuid
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.docker import LABEL
from support.emulators.ministack import CREDENTIALS
from support.fakes.instance import user_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docker import DockerClient
    from support.emulators.docker import Images
    from support.emulators.ministack import Ministack

MEMORY: Final = "200000k"
TAKES: Final = ("--tmpfs", "--cap-drop", "--security-opt", "--pids-limit")
HANDLER: Final = """
import pathlib, time

def handle(order: dict):
    taken = []
    while order["greedy"]:
        taken.append(bytearray(10_000_000))
    pathlib.Path("/tmp/room").write_text("for a moment")
    time.sleep(0.2)
"""


def limits() -> list[str]:
    """Return the options of the template's `docker run` that limit the container."""
    words = shlex.split(
        user_data().replace("\\\n", " ").partition("docker run")[2].partition("\n")[0]
    )
    found = [word for word in words if word in ("--read-only", "--init")]
    for word, value in itertools.pairwise(words):
        found += [word, value] if word in TAKES else []
    assert {*TAKES, "--read-only", "--init", "--memory"} <= {*found, *words}
    return [*found, "--memory", MEMORY]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Provide a folder with the handler, which the container's user can read."""
    for part in (tmp_path, *tmp_path.parents[:2]):
        part.chmod(0o755)
    (tmp_path / "greedy.py").write_text(HANDLER)
    (tmp_path / "greedy.py").chmod(0o644)
    return tmp_path


@pytest.fixture
def name(docker_engine: DockerClient) -> Iterator[str]:
    """Provide a container's name, and remove the container."""
    name = f"limits-{uuid.uuid4().hex[:8]}"
    yield name
    for left in docker_engine.containers.list(all=True, filters={"name": name}):
        left.remove(force=True, v=True)


@pytest.mark.usefixtures("docker_engine")
def test_a_message_that_takes_all_memory_ends_one_process_of_the_container(
    images: Images, ministack: Ministack, folder: Path, name: str
) -> None:
    """The kernel ends the process that has most; the consumer and the other messages go on."""
    url = ministack.create_queue(name)
    ministack.send(url, *(json.dumps({"n": n, "greedy": n == 2}) for n in range(6)))
    settings = {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": ministack.endpoint,
        "QUEUE_URL": url,
        "HANDLER": "greedy:handle",
        "PYTHONPATH": "/app:/handlers",
        "WORKERS": "2",
        "POLL_WAIT_SECONDS": "0",
        "RECEIVE_WAIT_SECONDS": "1",
    }
    given = [word for key, value in settings.items() for word in ("--env", f"{key}={value}")]
    with subprocess.Popen(
        [
            *("docker", "run", "--name", name, "--label", f"{LABEL}=1", "--network", "host"),
            *("--volume", f"{folder}:/handlers:ro", *limits(), *given, images.consumer),
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout
        found: list[dict[str, Any]] = []
        for line in map(json.loads, run.stdout):
            found += [line] if line["event"] == "message" else []
            if len(found) == 6:
                break
        subprocess.run(["docker", "stop", name], check=True, capture_output=True)  # noqa: S607 - whichever the user has
        run.stdout.read()
        assert run.wait(timeout=60) == 0
    outcomes = {line["body"]["n"]: line["outcome"] for line in found}
    assert outcomes == {n: "crashed" if n == 2 else "processed" for n in range(6)}
