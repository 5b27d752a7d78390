"""The outside world as the producer sees it: a destination, a display and a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.messages.outgoing_message import OutgoingMessage
    from shared.queue import OutgoingEntry, SendBatchResult


class Destination(Protocol):
    """A destination of batches: SQS, or the screen in a dry run."""

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Send up to ten messages; a str is one that is nothing but its body.

        Raises:
            QueueUnavailableError: the same call may succeed later.
            QueueRefusedError: it will not.
        """
        ...


class Progress(Protocol):
    """A display of how far the run is, safe to call from several threads."""

    def advance(self, messages: int) -> None:
        """Add to the number of messages that are sent or have failed."""
        ...

    def note(self, text: str) -> None:
        """Show a text that has to be read, whatever else is on the screen."""
        ...


class SentRecord(Protocol):
    """A record of requests and of SQS's answers; it raises SentLogError if it cannot be written."""

    def sending(self, messages: Sequence[OutgoingMessage]) -> None:
        """Record that a request with these messages is about to be made."""
        ...

    def accepted(self, accepted: Sequence[tuple[OutgoingMessage, str]]) -> None:
        """Record messages that SQS accepted, with the ids that it assigned."""
        ...

    def not_sent(self, messages: Sequence[OutgoingMessage]) -> None:
        """Record that SQS has not taken these messages."""
        ...
