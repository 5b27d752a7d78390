"""What the producer's parts ask of the world around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from shared.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.queue import SendResult


class Destination(Protocol):
    """Where batches go: SQS, or the screen in a dry run."""

    def send(self, bodies: Sequence[str]) -> SendResult:
        """Send up to ten bodies; raises QueueUnavailableError or QueueRefusedError."""
        ...


class Stopping(Stop, Protocol):
    """A stop that can be asked for from inside as well."""

    def request(self) -> None:
        """Ask to stop."""
        ...


class Progress(Protocol):
    """Shows people how far the run is; safe to call from several threads."""

    def advance(self, messages: int) -> None:
        """So many more messages are done with."""
        ...

    def note(self, text: str) -> None:
        """Say something that has to be read, whatever else is on the screen."""
        ...
