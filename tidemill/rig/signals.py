"""Signals that end a rig: only the first one counts, and none disturbs the rig's end."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
"""The signals of a closed terminal, of Ctrl-C, and of a request to end."""


@contextmanager
def handlers_restored() -> Iterator[None]:
    """Restore the handlers of these signals at the end of the block."""
    handlers = {number: signal.getsignal(number) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def ignored_afterwards() -> Iterator[None]:
    """Ignore these signals after the block, so that a second Ctrl-C leaves no children behind."""
    try:
        yield
    finally:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def first_only() -> Iterator[None]:
    """Let the first of these signals do what it does, and ignore all further ones for good.

    So no second Ctrl-C interrupts the end that the first one began, not even during a start. If
    none of them came, their handlers are restored.
    """
    before = {number: signal.getsignal(number) for number in ENDING}
    came: list[int] = []

    def once(number: int, frame: FrameType | None) -> None:
        came.append(number)
        for other in ENDING:
            signal.signal(other, signal.SIG_IGN)
        usual = before[signal.Signals(number)]
        if not callable(usual):  # the system's own way: the process ends
            sys.exit(128 + number)
        usual(number, frame)

    for number, usual in before.items():
        if usual is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, once)
    try:
        yield
    finally:
        if not came:
            for number, usual in before.items():
                signal.signal(number, usual)
