"""MiniStack, the local AWS of a rig: starts and ends it as a child process on 127.0.0.1."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidemill.rig.child_processes import child_environment, end_children
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
LOG = "ministack.log"
"""The file in the rig's folder with MiniStack's own output."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens URLs without a proxy, even if the user's environment sets one."""


@contextmanager
def local_aws(folder: Path, port: int, region: str) -> Iterator[str]:
    """Run MiniStack inside the block and yield its URL.

    Args:
        folder: the rig's folder, for MiniStack's log.
        port: the port to listen on; 0 is any free port.
        region: the region that MiniStack imitates.

    Raises:
        RigError: the port is taken, or MiniStack does not start.
    """
    port = _free_port(port)
    url = f"http://{HOST}:{port}"
    log = folder / LOG
    environment = child_environment(
        folder,
        {
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": region,
        },
    )
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the rig only, which ends its children
        )
    try:
        _await_health(process, url, log)
        yield url
    finally:
        end_children([process], STOP_SECONDS)


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
            with _DIRECT.open(f"{url}/_ministack/health", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RigError(f"the local AWS does not start: see {log}")
