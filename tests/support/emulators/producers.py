"""The producer in a child process: `python -m producer` with its input, output and signals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from support.emulators.ministack import CREDENTIALS, without_aws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PATIENCE: Final = 60.0
"""Seconds after which waiting fails; a passing test needs far fewer."""

NOWHERE: Final = {**without_aws(os.environ), **CREDENTIALS}


@contextmanager
def started(
    *arguments: object, environment: Mapping[str, str] = NOWHERE
) -> Iterator[subprocess.Popen[str]]:
    """Start the producer, provide it, and kill it afterwards if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "producer", *map(str, arguments)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def finished(
    *arguments: object, given: str = "", environment: Mapping[str, str] = NOWHERE
) -> tuple[int, str, str]:
    """Run the producer on this input; return exit code, output and errors."""
    with started(*arguments, environment=environment) as process:
        output, errors = process.communicate(given, PATIENCE)
    return process.returncode, output, errors


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for a condition that other processes fulfil."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file that may not exist yet."""
    return path.read_text().splitlines() if path.exists() else []


def accepted_in(log: Path) -> list[dict[str, Any]]:
    """Return the lines of a sent log that are of accepted messages."""
    return [line for line in map(json.loads, lines_of(log)) if "message_id" in line]
