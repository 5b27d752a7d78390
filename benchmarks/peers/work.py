"""The work that all workers do, and the note of it: standard library only.

A message says what its handler does, so each worker handles the same good and bad messages. Notes
are lines of a file that every process appends to, so they outlive the process.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from typing import Final

VISIBILITY: Final = 10
"""Seconds: the visibility timeout of all queues and workers."""

TIME_LIMIT: Final = 5
"""Seconds that a message may take, in workers that have such a limit."""

ATTEMPTS: Final = 3
"""Attempts that a message gets, by the worker's own setting or by maxReceiveCount."""

NEIGHBOURS: Final = 9
BAD: Final = "bad-0"
IN_HAND: Final = ("stop", "kill")
"""Cases without a bad message: the whole worker is stopped or killed while it has work in hand."""


def messages(case: str) -> list[dict[str, str | float]]:
    """Return the messages of a case; the bad one comes first."""
    if case in IN_HAND:
        return [_good(number, seconds=2.0) for number in range(NEIGHBOURS + 1)]
    good = [_good(number, seconds=0.2) for number in range(1, NEIGHBOURS + 1)]
    # A body that nobody can read is sent by failures.py itself: no worker's library would send it.
    return good if case == "invalid" else [{"id": BAD, "do": case, "seconds": 0}, *good]


def act(message: dict[str, str | float]) -> None:
    """Do what the message says, noting its begin and its end."""
    note(message, "begin")
    match message["do"]:
        case "raise":
            raise RuntimeError("this message fails")
        case "exit":
            sys.exit(1)
        case "sigkill":  # as the kernel does when memory runs out
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            ctypes.string_at(0)
        case "hang":  # as a call to a server that never answers
            time.sleep(3600)
    time.sleep(float(message["seconds"]))
    note(message, "end")


def note(message: dict[str, str | float], event: str) -> None:
    """Append a line to the file of notes."""
    line = json.dumps({"id": message["id"], "event": event, "at": time.time()}) + "\n"
    notes = os.open(os.environ["BENCH_NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(notes, line.encode())
    os.close(notes)


def _good(number: int, seconds: float) -> dict[str, str | float]:
    return {"id": f"good-{number}", "do": "work", "seconds": seconds}
