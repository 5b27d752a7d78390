"""Background rig: starts a rig in another process, reads its state, and ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any

import psutil

from tidemill.rig.child_processes import end_leftovers
from tidemill.rig.door.credentials import PRODUCER, Keys
from tidemill.rig.door.guard import Guard
from tidemill.rig.errors import RigError
from tidemill.rig.lock import holder, locked
from tidemill.rig.startup import running_rig
from tidemill.scaling.facts import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tidemill.rig.rig import Rig, RigOptions

START_SECONDS = 90.0
STOP_SECONDS = 60.0
STATUS_SECONDS = 1.0
STATE = "state.json"
OWNER_ONLY = 0o600
"""The mode of the state's file, which has the user's keys of the session."""
LOG = "rig.log"
NONE_UP = "no rig is up: start one with `tidemill up`"


@dataclass(frozen=True, slots=True)
class RigState:
    """State of a running rig for other processes; `client` is the environment for its clients.

    `producer` is the same for the producer, which faults can happen to.
    """

    pid: int
    endpoint: str
    autoscaling_url: str
    queue_url: str
    dead_letter_url: str | None
    client: dict[str, str]
    status: dict[str, Any]
    producer: dict[str, str] = field(default_factory=dict)

    def keys(self) -> Keys:
        """Return the user's keys of the rig's session."""
        return Keys(self.client["AWS_ACCESS_KEY_ID"], self.client["AWS_SECRET_ACCESS_KEY"])


def serve(options: RigOptions, autoscaling_port: int = 0) -> None:
    """Run a rig until SIGTERM, SIGINT or its group's deletion; write its state every second.

    Its Auto Scaling API listens on `autoscaling_port`; 0 is any free port.
    """
    from tidemill.rig.autoscaling.server import serving  # noqa: PLC0415 - moto is slow to import

    stop_signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _frame: stop_signals.append(got))
    with (
        running_rig(options, lambda _fact: None) as rig,
        serving(rig, Guard(rig.session), port=autoscaling_port) as autoscaling_url,
    ):
        written = 0.0
        while not (stop_signals or rig.memory.group.deleted):
            rig.turn()
            if time.monotonic() - written >= STATUS_SECONDS:
                _write_state(options.folder / STATE, rig, autoscaling_url)
                written = time.monotonic()
            time.sleep(rig.pause)


def start(folder: Path, arguments: Sequence[str]) -> RigState:
    """Start `tidemill serve` with these arguments in the background; return when it is up.

    Raises:
        RigError: a rig is up already, or the new one fails to start (with its last line).
    """
    up = holder(folder)
    if up is not None:
        raise RigError(f"a rig is up already (process {up}): `tidemill down` ends it")
    with _log(folder) as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tidemill", "serve", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it keeps running when this terminal is closed
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        state = read_state(folder)
        if state is not None and state.pid == process.pid:
            return state
        if process.poll() is not None:
            lines = (folder / LOG).read_text(errors="replace").strip().splitlines()
            raise RigError(
                lines[-1].removeprefix("tidemill: ") if lines else "the rig ended at once"
            )
        time.sleep(0.1)
    process.terminate()
    raise RigError(f"the rig did not come up within {START_SECONDS:g} s: see {folder / LOG}")


def read_state(folder: Path) -> RigState | None:
    """Return the state of the rig that is up in the folder, None if there is none."""
    try:
        state = RigState(**json.loads((folder / STATE).read_text()))
    except FileNotFoundError:
        return None
    return state if state.pid == holder(folder) else None  # otherwise that rig has ended


def stop(folder: Path) -> int:
    """End the running rig and the processes of a crashed one; return the number of processes.

    Raises:
        RigError: there is nothing to end, or the rig does not end.
    """
    pid = holder(folder)
    if pid is not None:
        _end(pid)
    if not folder.is_dir():
        raise RigError(NONE_UP)
    with locked(folder):
        left = end_leftovers(folder)
    (folder / STATE).unlink(missing_ok=True)
    if pid is None and not left:
        raise RigError(NONE_UP)
    return left + (pid is not None)


def _log(folder: Path) -> IO[bytes]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / LOG).open("wb")
    except OSError as error:
        raise RigError(f"cannot write to {folder}: {error.strerror}") from error


def _end(pid: int) -> None:
    try:
        process = psutil.Process(pid)
        process.terminate()
        process.wait(STOP_SECONDS)
    except psutil.NoSuchProcess:
        return  # it has just ended by itself
    except psutil.AccessDenied as error:
        raise RigError(f"not allowed to end the rig (process {pid})") from error
    except psutil.TimeoutExpired as error:
        raise RigError(f"the rig (process {pid}) does not end: kill it") from error


def _write_state(path: Path, rig: Rig, autoscaling_url: str) -> None:
    status: Mapping[str, object] = asdict(rig.status())
    state = RigState(
        pid=psutil.Process().pid,
        endpoint=rig.endpoint,
        autoscaling_url=autoscaling_url,
        queue_url=rig.queue_url,
        dead_letter_url=rig.dead_letter_url,
        client={**rig.client_environment(), "AWS_ENDPOINT_URL_AUTO_SCALING": autoscaling_url},
        producer=rig.client_environment(PRODUCER),
        status={"time": stamp(rig.memory.at), **status},
    )
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(asdict(state), indent=2))
    fresh.replace(path)
