"""A command of an imagined instance: records its call, then acts as the test planned.

Run as `python stand_in.py FOLDER NAME ARGUMENT...`; uses nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

AGENT: Final = "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"
PACKAGES: Final = {
    "amazon-ecr-credential-helper": "bin/docker-credential-ecr-login",
    "awscli-2": "bin/aws",
    "amazon-cloudwatch-agent": AGENT,
}
"""The file that each package installs, below the instance's folder."""
LIMIT_SECONDS: Final = 60
"""A longer sleep ends when another command has taken too long; a shorter sleep ends at once."""


def install(root: Path, path: str) -> None:
    """Put a stand-in at this path below the instance's folder."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -IS "{__file__}" "{root}" {place.name} "$@"\n',
        encoding="utf-8",
    )
    place.chmod(0o755)


def record(root: Path, call: list[str]) -> None:
    """Append a call to the instance's journal."""
    with (root / "journal").open("ab") as journal:
        journal.write(json.dumps(call).encode() + b"\n")


def recorded(root: Path) -> list[list[str]]:
    """Return the instance's calls so far."""
    journal = root / "journal"
    return [json.loads(line) for line in journal.read_bytes().splitlines()]


def main(root: Path, call: list[str]) -> int:
    """Act as the command; return its exit code."""
    if _is_limit(call):
        return _sleep_long(root, call)
    record(root, call)
    for rule in json.loads((root / "plan").read_text(encoding="utf-8")):
        before = rule["call"]
        times = sum(each[: len(before)] == before for each in recorded(root))
        if call[: len(before)] == before and rule["at"] in (0, times):
            match rule["how"]:
                case "fails":
                    sys.stderr.write(f"{before} fails as planned\n")
                    return 1
                case "hangs":
                    _make_late(root)
                    signal.pause()
                case "takes long":
                    _make_late(root)
                    _wait(lambda: any(_is_limit(each) for each in recorded(root)))
    return _succeed(root, call)


def _is_limit(call: list[str]) -> bool:
    return call[0] == "sleep" and float(call[1]) > LIMIT_SECONDS


def _sleep_long(root: Path, call: list[str]) -> int:
    """Sleep until a later command is late; record whether the calling process exists then."""
    sleeper, before = os.getppid(), _times_late(root)
    _wait(lambda: _times_late(root) > before)
    record(root, call if os.getppid() == sleeper else ["sleep", call[1], "for nobody"])
    return 0


def _make_late(root: Path) -> None:
    with (root / "late").open("ab") as late:
        late.write(b".")


def _times_late(root: Path) -> int:
    late = root / "late"
    return late.stat().st_size if late.exists() else 0


def _wait(over: Callable[[], bool]) -> None:
    while not over():
        time.sleep(0.02)


def _succeed(root: Path, call: list[str]) -> int:
    match call:
        case ["docker", "image", "inspect", image]:
            return int(image not in (root / "images").read_text(encoding="utf-8").split())
        case ["docker", "inspect", *_]:
            states = (root / "states").read_text(encoding="utf-8").splitlines()
            asked = sum(each[:2] == ["docker", "inspect"] for each in recorded(root))
            sys.stdout.write(f"{states[min(asked, len(states)) - 1]}\n")
        case ["dnf", *_, package]:
            install(root, PACKAGES[package])
        case ["systemctl", "enable", *_, unit]:
            (root / "enabled").write_text(unit, encoding="utf-8")
        case ["poweroff"] if (root / "late").exists():
            os.killpg(0, signal.SIGKILL)  # ends the commands that hang
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
