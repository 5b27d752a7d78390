"""Lock of a rig's folder: one rig at a time, and no lock outlives its holder."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tidemill.rig.errors import RigError
from tidemill.rig.lock import holder, locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADER = """
import sys, time
from pathlib import Path
from tidemill.rig.lock import holder, locked
folder = Path(sys.argv[1])
"""
HOLDING = HEADER + "with locked(folder):\n    print('ready', flush=True)\n    time.sleep(60)\n"
LOOKING = HEADER + "print('ready', flush=True)\nwhile True:\n    holder(folder)\n"
TRYING = HEADER + "with locked(folder):\n    pass\n"


@contextmanager
def another_process(program: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Provide a process that runs this program and is ready, and kill it afterwards."""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def test_the_second_rig_reports_who_holds_the_lock(tmp_path: Path) -> None:
    """The error has the process id of the rig that holds the lock."""
    with locked(tmp_path):
        assert holder(tmp_path) == os.getpid()
        second = subprocess.run(
            [sys.executable, "-c", TRYING, str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert f"another rig runs in {tmp_path} (process {os.getpid()})" in second.stderr
    assert holder(tmp_path) is None


def test_a_killed_holder_loses_the_lock(tmp_path: Path) -> None:
    """Nothing has to be removed by hand."""
    with another_process(HOLDING, tmp_path) as process:
        assert holder(tmp_path) == process.pid
        with pytest.raises(RigError, match=f"process {process.pid}"), locked(tmp_path):
            pass
        process.kill()
        process.wait()
        assert holder(tmp_path) is None
        with locked(tmp_path):
            assert holder(tmp_path) == os.getpid()


def test_looking_for_the_holder_blocks_no_rig(tmp_path: Path) -> None:
    """This holds however often `tidemill status` runs."""
    with locked(tmp_path):
        pass
    with another_process(LOOKING, tmp_path):
        for _ in range(50):
            with locked(tmp_path):
                assert holder(tmp_path) == os.getpid()


def test_a_folder_that_is_not_there_has_no_holder(tmp_path: Path) -> None:
    """The question does not create the folder."""
    assert holder(tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    """The error has the reason."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(RigError, match=r"cannot write to .*file/rig"),
        locked(tmp_path / "file/rig"),
    ):
        pass
