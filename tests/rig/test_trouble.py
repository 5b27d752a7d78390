"""A rig in trouble: killed, interrupted twice, on a full disk, started by anybody anywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from support.emulators.rigs import labelled

from tidemill.rig import background
from tidemill.rig.child_processes import limit_file_size
from tidemill.rig.lock import holder

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.impure, pytest.mark.long, pytest.mark.timeout(240)]

PATIENCE = 60.0
TIDEMILL = (sys.executable, "-m", "tidemill")
QUICK = ("--template", str(PRODUCT_TEMPLATE), "--speed", "60", "--boot-seconds", "20")
NO_ROOM = ("sh", "-c", 'ulimit -f 0; exec "$@"', "sh")
"""Lets a command write to no file, as on a full disk."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a fresh folder, and return it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def await_true(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the condition was not true in time"
        time.sleep(0.05)


def start_demo(place: Path) -> subprocess.Popen[str]:
    """Start a demo, and return when its local AWS starts."""
    demo = subprocess.Popen(
        [*TIDEMILL, "demo", *QUICK, "--count", "1"],
        cwd=place,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    folder = place / "build/demo"
    await_true(lambda: holder(folder) == demo.pid and labelled(folder))
    return demo


def test_a_demo_that_is_interrupted_again_and_again_leaves_nothing(place: Path) -> None:
    """Already while it starts; it ends in a sentence."""
    with start_demo(place) as demo:
        assert demo.stderr is not None
        deadline = time.monotonic() + PATIENCE
        while demo.poll() is None and time.monotonic() < deadline:
            demo.send_signal(signal.SIGINT)
            time.sleep(0.1)
        said = demo.stderr.read()
    assert demo.returncode == 130, said
    assert said.endswith("tidemill: ended by Ctrl-C, with everything that it had started\n")
    assert "Traceback" not in said
    assert labelled(place / "build/demo") == []


def test_what_a_demo_that_was_killed_has_left_is_ended_without_room_on_the_disk(
    place: Path,
) -> None:
    """`tidemill down` does it, as for a rig in the background."""
    with start_demo(place) as demo:
        demo.kill()
    assert labelled(place / "build/demo")
    done = subprocess.run(
        [*NO_ROOM, *TIDEMILL, "down"], cwd=place, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"ended \d+ process(es)?\n", done.stdout)
    assert labelled(place / "build/demo") == []
    assert not (place / "build/demo/aws-state").exists()


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")  # as it is meant to be
def test_a_rig_on_a_full_disk_ends_with_everything_that_it_has_started(place: Path) -> None:
    """The next one says why it cannot start."""
    folder = place / "build/rig"
    state = background.start(folder, QUICK)
    limit_file_size(state.pid, full=True)
    await_true(lambda: holder(folder) is None and not labelled(folder))
    assert not (folder / background.FRESH).exists()
    done = subprocess.run(
        [*NO_ROOM, *TIDEMILL, "demo", *QUICK], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "tidemill: cannot write to build/demo: File too large\n"


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
def test_a_rig_whose_local_aws_is_stopped_is_killed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for an answer, so SIGTERM alone does not end it in time."""
    folder = place / "build/rig"
    state = background.start(folder, QUICK)
    psutil.Process(state.pid).suspend()
    for child in labelled(folder):
        child.suspend()
    monkeypatch.setattr(background, "STOP_SECONDS", 1.0)
    assert background.stop(folder) == 2
    assert (holder(folder), labelled(folder)) == (None, [])


def test_of_two_that_start_at_once_one_is_up(place: Path) -> None:
    """The other one says that it is, in a sentence."""
    both = [
        subprocess.Popen(
            [*TIDEMILL, "up", *QUICK], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = {one.communicate(timeout=2 * PATIENCE)[1]: one.returncode for one in both}
    folder = place / "build/rig"
    assert background.stop(folder) >= 1
    assert sorted(said.values()) == [0, 1], said
    (refusal,) = (text for text, code in said.items() if code)
    assert refusal.startswith(("tidemill: a rig is up already", "tidemill: another rig runs in"))
    assert refusal.count("\n") == 1
    assert labelled(folder) == []


def test_anybody_runs_a_rig_anywhere() -> None:
    """No rights of root, no HOME, no terminal, LANG=C, and a path with spaces and other letters."""
    with tempfile.TemporaryDirectory(prefix="a rig's földer ", ignore_cleanup_errors=True) as name:
        place = Path(name)

        def run(*arguments: str) -> str:
            done = subprocess.run(
                [*_without_rights(), *TIDEMILL, *arguments],
                cwd=place,
                env={"PATH": os.environ["PATH"], "LANG": "C", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        run("up", *QUICK)
        try:
            summary = run("produce", "--count", "2", "--poison", "0", "--json")
            assert json.loads(summary)["sent"] == 2
            assert "The running rig" in run("status")
        finally:
            assert run("down").startswith("ended ")
        assert labelled(place / "build/rig") == []


def _without_rights() -> list[str]:
    """Return what takes all rights of root from a command, if this user is root."""
    tool = shutil.which("setpriv")
    if os.geteuid() != 0 or tool is None:
        return []
    return [tool, "--bounding-set=-all", "--inh-caps=-all"]
