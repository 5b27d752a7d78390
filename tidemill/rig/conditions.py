"""Conditions of a run: the values that are needed to repeat it, for its summary."""

from __future__ import annotations

import platform
import subprocess
import time
from typing import TYPE_CHECKING

from tidemill.scaling.facts import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def about_run(
    *,
    source: str,
    seed: int,
    template: Path,
    parameters: Mapping[str, str],
    speed: float,
    command: str,
) -> dict[str, object]:
    """Return the conditions of a run that has just ended.

    Args:
        source: a description of the messages that were sent.
        seed: the seed of the random messages.
        template: the template's path.
        parameters: values given for its parameters, by name.
        speed: how many times faster than wall-clock time AWS's time ran.
        command: the command line.
    """
    return {
        "ended_at": stamp(time.time()),
        "source": source,
        "seed": seed,
        "template": str(template),
        "parameters": dict(parameters),
        "speed": speed,
        "command": command,
        "host": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "revision": _revision(template),
    }


def _revision(template: Path) -> str:
    """Return the git revision of the template's folder, or "unknown"."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty"],  # noqa: S607 - the user's own git
            cwd=template.resolve().parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return "unknown"
    return described.stdout.strip() or "unknown"
