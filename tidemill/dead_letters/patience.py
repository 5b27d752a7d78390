"""Patience: calls of SQS that failed for now are tried again, a few times and ever later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from shared.errors import QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.stopping import Stop

ATTEMPTS: Final = 5
PAUSE: Final = 0.5
"""Seconds before the second attempt; the next pauses are each twice as long, 7.5 s in all."""

T = TypeVar("T")


def pause_before(attempt: int, stop: Stop) -> None:
    """Wait before an attempt; before the first one, 0, there is nothing to wait for."""
    if attempt:
        stop.wait(PAUSE * 2 ** (attempt - 1))


def patiently(call: Callable[[], T], stop: Stop) -> T:
    """Return what the call returns; it must be harmless to make it twice.

    Raises:
        QueueUnavailableError: the last attempt failed as well, or a stop was requested.
        QueueRefusedError: the call is refused for good.
    """
    for attempt in range(ATTEMPTS - 1):
        pause_before(attempt, stop)
        try:
            return call()
        except QueueUnavailableError:
            if stop.requested():
                raise
    pause_before(ATTEMPTS - 1, stop)
    return call()
