"""MiniStack, the local AWS of a rig: starts and ends it, behind its door, as a child process."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidemill.rig.child_processes import child_environment, end_children
from tidemill.rig.door.app import HEALTH
from tidemill.rig.door.requests import DIRECT
from tidemill.rig.door.settings import HOST, PORT, RUN_FUNCTIONS, SECRET
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tidemill.rig.door.credentials import Session

START_SECONDS = 60.0
STOP_SECONDS = 10.0
KEEP_SECONDS = 120.0
"""Time to end in order before a restart: what is killed earlier has not kept what it holds."""
LOG = "ministack.log"
"""The file in the rig's folder with MiniStack's own output."""
STATE = "aws-state"
"""The folder in the rig's folder in which MiniStack keeps what it holds while it restarts."""


class LocalAws:
    """A MiniStack that runs, at `url`."""

    def __init__(self, url: str, environment: Mapping[str, str], log: Path) -> None:
        """Start it, and wait until it answers.

        Args:
            url: where it will listen.
            environment: of its process.
            log: the file for its output.

        Raises:
            RigError: it does not start.
        """
        self.url = url
        self._environment = environment
        self._log = log
        self._process = self._start("wb")

    def restart(self) -> None:
        """End it, and start it again with what it held: queues, messages, receipts, logs.

        Raises:
            RigError: it does not start again.
        """
        self._process.terminate()
        try:
            self._process.wait(KEEP_SECONDS)
        except subprocess.TimeoutExpired:
            raise RigError(
                f"the local AWS does not end, so it cannot start again: see {self._log}"
            ) from None
        self._process = self._start("ab")

    def end(self) -> None:
        """End it: by SIGTERM, on which it keeps what it holds, then by SIGKILL."""
        end_children([self._process], STOP_SECONDS)

    def _start(self, mode: str) -> subprocess.Popen[bytes]:
        with self._log.open(mode) as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tidemill.rig.door"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the rig only, which ends its children
            )
        try:
            _await_health(process, self.url, self._log)
        except BaseException:
            end_children([process], STOP_SECONDS)
            raise
        return process


@contextmanager
def local_aws(
    folder: Path, port: int, region: str, session: Session, *, run_functions: bool = False
) -> Iterator[LocalAws]:
    """Run MiniStack inside the block.

    Args:
        folder: the rig's folder, for MiniStack's log.
        port: the port to listen on; 0 is any free port.
        region: the region that MiniStack imitates.
        session: whose keys its door accepts.
        run_functions: whether it may start programs, such as the template's functions.

    Raises:
        RigError: the port is taken, or MiniStack does not start.
    """
    port = _free_port(port)
    state = folder / STATE
    shutil.rmtree(state, ignore_errors=True)
    environment = child_environment(
        folder,
        {
            "BIND_HOST": HOST,
            PORT: str(port),
            SECRET: session.secret,
            RUN_FUNCTIONS: str(int(run_functions)),
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": region,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state.resolve()),
        },
    )
    aws = LocalAws(f"http://{HOST}:{port}", environment, folder / LOG)
    try:
        yield aws
    finally:
        aws.end()
        shutil.rmtree(state, ignore_errors=True)


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise RigError(
                f"port {port} of {HOST} is not available ({error.strerror}): end the program that "
                "listens there, choose another with --port, or leave --port out for a free one"
            ) from error
        return int(probe.getsockname()[1])


def _await_health(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with DIRECT.open(f"{url}{HEALTH}", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RigError(f"the local AWS does not start: see {log}")
