"""Handler check: whether the user's handler can be loaded, before anything is started."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

from consumer import setting_table
from tidemill.rig.child_processes import child_environment
from tidemill.scaling.template.user_data import container_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tidemill.scaling.spec import Fleet

SECONDS: Final = 30.0
"""Time for the import of the user's module, which may load a model."""

LOADED: Final = "the handler is loaded"

CHECK: Final = f"""
import os, sys
from consumer.handlers.errors import HandlerError
from consumer.handlers.loading import load
try:
    load(sys.argv[1])
except HandlerError as error:
    sys.exit("\\n" + str(error))
sys.stdout.write("\\n{LOADED}")
sys.stdout.flush()
os._exit(0)  # threads of the user's module would keep the process alive
"""
"""In a process of its own: the user's module must not change this one, or end it."""


def wrong_handler_of(fleet: Fleet, folder: Path) -> str | None:
    """Return why the handler of a fleet's consumers cannot be loaded, None if it can.

    Args:
        fleet: the fleet, whose user data name the handler.
        folder: the rig's folder, with which the process is labelled.
    """
    given = container_environment(fleet.user_data, {"INSTANCE_ID": "any"})
    handler = given.get(setting_table.HANDLER.name, "").strip()
    if not handler or handler == setting_table.HANDLER.default:
        return None
    return wrong_handler(handler, folder)


def wrong_handler(handler: str, folder: Path, seconds: float = SECONDS) -> str | None:
    """Return why this handler cannot be loaded within these seconds, None if it can."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", CHECK, handler],
            env=child_environment(folder, {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"HANDLER={handler!r}: its import does not end within {seconds:g} s"
    if done.stdout.endswith(LOADED):
        return None
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"HANDLER={handler!r}: its import ended the process"
