"""Child processes: leftovers of a rig that has ended, and the environment of children."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tidemill.rig.child_processes import LABEL, child_environment, end_leftovers

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PATIENCE = 20.0

ORDERLY = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready", flush=True)
time.sleep(60)
"""
STUBBORN = ORDERLY.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN")


def spawn(program: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a process that runs this program; wait until its signal handlers are set."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"ready\n"
    return process


def test_only_processes_of_this_folder_are_ended(tmp_path: Path) -> None:
    """They may ignore SIGTERM; processes without the label are left alone."""
    folder, other = tmp_path / "mine", tmp_path / "theirs"
    mine = [spawn(program, child_environment(folder, {})) for program in (ORDERLY, STUBBORN)]
    theirs = spawn(ORDERLY, child_environment(other, {}))
    stranger = spawn(ORDERLY, dict(os.environ))
    assert end_leftovers(folder) == 2
    for process in mine:
        process.wait(PATIENCE)
    assert theirs.poll() is None
    assert end_leftovers(other) == 1
    theirs.wait(PATIENCE)
    assert stranger.poll() is None
    stranger.terminate()
    stranger.wait(PATIENCE)


def test_a_folder_is_the_same_by_any_path(tmp_path: Path) -> None:
    """A symbolic link to the folder counts as the folder."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    process = spawn(ORDERLY, child_environment(tmp_path / "link", {}))
    assert end_leftovers(tmp_path / "real") == 1
    process.wait(PATIENCE)


def test_children_get_nothing_of_the_users_that_could_change_what_they_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They get the label, their settings, and variables that every program needs."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_SQS", "HTTPS_PROXY", "POLL_WAIT_SECONDS"):
        monkeypatch.setenv(name, "the user's")
    environment = child_environment(tmp_path, {"AWS_REGION": "mine"})
    assert "the user's" not in environment.values()
    assert (environment[LABEL], environment["AWS_REGION"]) == (str(tmp_path), "mine")
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["AWS_CONFIG_FILE"] == os.devnull
