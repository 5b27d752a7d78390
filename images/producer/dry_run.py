"""Dry run: a destination that prints messages instead of sending them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.queue import SendBatchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.logs import LineStream


class Printer:
    """A destination that writes each body as a line and accepts it."""

    def __init__(self, stream: LineStream) -> None:
        """Write to this stream."""
        self._stream = stream

    def send(self, bodies: Sequence[str]) -> SendBatchResult:
        """Write the bodies; return empty message ids."""
        self._stream.write([body.encode() for body in bodies])
        return SendBatchResult(dict.fromkeys(range(len(bodies)), ""), ())
