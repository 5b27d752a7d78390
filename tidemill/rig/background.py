"""Background rig: starts a rig in another process, reads its state, and ends it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any

import msgspec
import psutil

from tidemill.rig.child_processes import end_leftovers
from tidemill.rig.door.credentials import PRODUCER, Keys
from tidemill.rig.door.guard import Guard
from tidemill.rig.errors import RigError
from tidemill.rig.last_words import last_words
from tidemill.rig.local_aws.ministack import STATE as AWS_STATE
from tidemill.rig.lock import NAME as LOCK
from tidemill.rig.lock import holder, locked
from tidemill.rig.startup import running_rig
from tidemill.scaling.facts import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tidemill.rig.rig import Rig, RigOptions

START_SECONDS = 90.0
STOP_SECONDS = 30.0
"""Time for a rig to end after SIGTERM; then it is killed, and what it leaves is ended."""
STATUS_SECONDS = 1.0
STATE = "state.json"
FRESH = "state.new"
"""The next state, until it is whole."""
OWNER_ONLY = 0o600
"""The mode of the state's file, which has the user's keys of the session."""
LOG = "rig.log"
REPAIR = "the rig writes it anew every second, and `tidemill down` ends a rig that does not"
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
        """Return the user's keys of the rig's session.

        Raises:
            RigError: the state lacks them.
        """
        keys = Keys.read(self.client)
        if keys is None:
            raise RigError(f"the rig's {STATE} has no keys: {REPAIR}")
        return keys


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
        (folder / STATE).unlink(missing_ok=True)  # of a killed rig
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
            said = last_words(folder / LOG, "the rig ended at once")
            raise RigError(said.removeprefix("tidemill: "))
        time.sleep(0.1)
    process.terminate()
    raise RigError(f"the rig did not come up within {START_SECONDS:g} s: see {folder / LOG}")


def read_state(folder: Path) -> RigState | None:
    """Return the state of the rig that is up in the folder, None if there is none.

    Raises:
        RigError: a rig is up, but its state cannot be read.
    """
    pid = holder(folder)
    if pid is None:
        return None
    path = folder / STATE
    try:
        state = msgspec.json.decode(path.read_bytes(), type=RigState)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RigError(f"cannot read {path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise RigError(f"{path} is damaged ({error}): {REPAIR}") from error
    return state if state.pid == pid else None  # otherwise that rig has ended


def stop(folder: Path, *others: Path) -> int:
    """End the running rig and the processes of killed ones; return the number of processes.

    It needs no room on the disk.

    Args:
        folder: the rig's folder.
        others: folders of which only what a killed rig has left is ended.

    Raises:
        RigError: there is nothing to end, or this user may not end it.
    """
    pid = holder(folder)
    if pid is not None:
        _end(folder, pid)
    ended = _clean(folder) + (pid is not None)
    ended += sum(_clean(other) for other in others if holder(other) is None)
    if not ended:
        raise RigError(NONE_UP)
    return ended


def _clean(folder: Path) -> int:
    """End and remove what a killed rig has left in this folder; return how many processes."""
    if not (folder / LOCK).is_file():
        return 0
    with locked(folder, noted=False):
        left = end_leftovers(folder)
        for name in (STATE, FRESH):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / AWS_STATE, ignore_errors=True)
    return left


def _log(folder: Path) -> IO[bytes]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / LOG).open("wb")
    except OSError as error:
        raise RigError(f"cannot write to {folder}: {error.strerror}") from error


def _end(folder: Path, pid: int) -> None:
    """End a rig: by SIGTERM, then by SIGKILL, as when it waits for a local AWS that is stopped."""
    try:
        process = psutil.Process(pid)
        process.terminate()
        if not _gone(folder, pid):
            process.kill()
            if not _gone(folder, pid):
                raise RigError(f"the rig (process {pid}) does not end, even by SIGKILL")
    except psutil.NoSuchProcess:
        return  # it has just ended by itself
    except psutil.AccessDenied as error:
        raise RigError(f"not allowed to end the rig (process {pid})") from error


def _gone(folder: Path, pid: int) -> bool:
    """Wait until a rig has ended, which frees its lock; its process may stay as a zombie."""
    deadline = time.monotonic() + STOP_SECONDS
    while holder(folder) == pid:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    return True


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
    fresh = path.with_name(FRESH)
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(state), indent=2))
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise RigError(f"cannot write {path}: {error.strerror}") from error
