"""Signals that end a rig: restores their handlers, or ignores the signals, after a block."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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
