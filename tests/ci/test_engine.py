"""CI's engine script: a Docker engine and a base image on a bare machine."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from support.emulators.docker import ROOT, docker_engine

if TYPE_CHECKING:
    from pathlib import Path

    from docker import DockerClient

__all__ = ["docker_engine"]

SCRIPT = ROOT / ".ci/engine"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script with these variables added to this process' environment."""
    return subprocess.run(
        [SCRIPT, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unknown_argument_is_a_usage_error() -> None:
    """The script prints one line with its usage."""
    done = run("restart")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: .ci/engine [stop]\n"


def test_an_engine_that_was_named_but_does_not_answer_is_not_replaced(tmp_path: Path) -> None:
    """A set DOCKER_HOST means that this engine and no other is wanted."""
    done = run(DOCKER_HOST=f"unix://{tmp_path}/none.sock", TIDEMILL_ENGINE=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"engine: no Docker engine answers at DOCKER_HOST=unix://{tmp_path}")


def test_a_folder_too_deep_for_a_socket_is_refused() -> None:
    """The path of a socket has at most 107 bytes, which the engine's own message does not say."""
    folder = "/tmp/" + "deep/" * 25  # noqa: S108 - nothing is written there
    done = run(DOCKER_HOST=f"unix://{folder}/docker.sock", TIDEMILL_ENGINE=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "too long a path for a socket" in done.stderr


def test_stopping_what_never_started_leaves_the_folder_to_its_owner(tmp_path: Path) -> None:
    """Only the engine's own files are deleted."""
    (tmp_path / "mine").touch()
    done = run("stop", TIDEMILL_ENGINE=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_engine_that_answers_is_used_as_it_is(
    docker_engine: DockerClient, tmp_path: Path
) -> None:
    """The script prints its socket and a present base image for the shell, and starts nothing."""
    folder = tmp_path / "engine"
    done = run(TIDEMILL_ENGINE=str(folder))
    assert done.returncode == 0, done.stderr
    settings = dict(line.removeprefix("export ").split("=", 1) for line in done.stdout.splitlines())
    assert set(settings) == {"DOCKER_HOST", "TIDEMILL_BASE"}
    assert docker_engine.images.get(settings["TIDEMILL_BASE"])
    assert not folder.exists()
    assert run(TIDEMILL_ENGINE=str(folder)).stdout == done.stdout
