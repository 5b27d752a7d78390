"""Settings of the door's process: read from its environment, all problems at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tidemill.rig.door.credentials import Session
from tidemill.rig.door.guard import LOOPBACK
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST: Final = "127.0.0.1"
PORT: Final = "GATEWAY_PORT"
"""The port to listen on; MiniStack has the same variable."""
BIND: Final = "TIDEMILL_BIND"
"""The address to listen on: 127.0.0.1, or any in a container whose port is published there only."""
NAMES: Final = "TIDEMILL_NAMES"
"""Host names beside those of this machine under which clients reach the door, by commas."""
SECRET: Final = "TIDEMILL_SESSION"  # noqa: S105 - a variable's name
"""The session's secret."""
FOLDER: Final = "TIDEMILL_SESSION_FOLDER"
"""The folder in which the secret is, or is created, in place of a secret."""
KEYS: Final = "TIDEMILL_KEYS"
"""Callers for whom a file with their keys is written, such as producer=/keys, by commas."""
UPSTREAM: Final = "TIDEMILL_UPSTREAM"
"""The URL of the emulator; without one, MiniStack runs in the door's own process."""
RUN_FUNCTIONS: Final = "TIDEMILL_RUN_FUNCTIONS"
"""Set to 1 to let MiniStack start programs."""


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """Settings of the door's process, as the variables above describe them."""

    session: Session
    port: int
    bind: str
    names: frozenset[str]
    keys: Mapping[str, Path]
    upstream: str
    run_functions: bool


def read_settings(environment: Mapping[str, str]) -> DoorSettings:
    """Return the settings in an environment; a secret that does not exist yet is created.

    Raises:
        RigError: a setting is missing or wrong.
    """
    port = environment.get(PORT, "")
    keys = dict(pair.split("=", 1) for pair in _items(environment, KEYS) if "=" in pair)
    wrong = [
        *([] if port.isdecimal() else [f"{PORT}: give a port"]),
        *([] if len(keys) == len(_items(environment, KEYS)) else [f"{KEYS}: give CALLER=FOLDER"]),
        *([] if environment.get(SECRET) or environment.get(FOLDER) else [f"set {SECRET}"]),
    ]
    if wrong:
        raise RigError("; ".join(wrong))
    folder = environment.get(FOLDER)
    return DoorSettings(
        session=Session.kept(Path(folder)) if folder else Session(environment[SECRET]),
        port=int(port),
        bind=environment.get(BIND, HOST),
        names=LOOPBACK | set(_items(environment, NAMES)),
        keys={caller: Path(place) for caller, place in keys.items()},
        upstream=environment.get(UPSTREAM, ""),
        run_functions=environment.get(RUN_FUNCTIONS) == "1",
    )


def _items(environment: Mapping[str, str], name: str) -> list[str]:
    return [item.strip() for item in environment.get(name, "").split(",") if item.strip()]
