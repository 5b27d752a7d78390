"""What handlers import: the message with all that is known about it, and what to do with it."""

from __future__ import annotations

import math
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.message import Parsed  # noqa: TC001 - msgspec reads the annotations
from shared.quotas import MAX_VISIBILITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.message import Vehicle


class Reject(Exception):  # noqa: N818 - it says what to do, not what went wrong
    """Raised by a handler: no retry helps, the message belongs in the dead-letter queue now."""

    reason: object = "rejected"

    def __init__(self, reason: object) -> None:
        """Give the reason, which stands in the log line and in the dead letter."""
        super().__init__(reason)
        self.reason = reason


class Retry(Exception):  # noqa: N818 - it says what to do, not what went wrong
    """Raised by a handler: the message cannot be processed yet, which is no failure."""

    after: float = 0
    reason: object = None

    def __init__(self, after: float, reason: object = None) -> None:
        """Say after how many seconds the message is to be received again, up to twelve hours.

        Raises:
            ValueError: less than 0 seconds, or more than SQS can hide a message.
        """
        super().__init__(after, reason)
        self.after = whole_seconds(after)
        self.reason = reason


def whole_seconds(seconds: float) -> int:
    """Return the whole seconds, rounded up, for which SQS can hide a message.

    Raises:
        ValueError: less than 0, more than SQS allows, or "not a number".
    """
    if not 0 <= seconds <= MAX_VISIBILITY:
        raise ValueError(f"{seconds} seconds: give 0 to {MAX_VISIBILITY}")
    return math.ceil(seconds)


class Message(msgspec.Struct, frozen=True):
    """A message as a handler gets it.

    `id` is SQS's, `body` is the text. `attributes` are those that the sender gave the message,
    `system_attributes` are SQS's own. `receive_count` includes this receive. `sent_at`,
    `received_at` and `deadline`, when the time limit ends, are epoch seconds. In a test of a
    handler, `Message("id", body)` is enough.
    """

    id: str
    body: str
    attributes: dict[str, str | bytes] = {}
    system_attributes: dict[str, str] = {}
    receive_count: int = 1
    sent_at: float = 0.0
    received_at: float = 0.0
    deadline: float = math.inf
    parsed: Parsed | None = None
    """What the body was read as, if the handler expects a vehicle."""
    on_extend: Callable[[float], None] | None = None
    """Moves the time limit that really ends the handler."""

    @property
    def group_id(self) -> str | None:
        """The message group: in a FIFO queue always, in a fair one if the sender gave it."""
        return self.system_attributes.get("MessageGroupId")

    @property
    def vehicle(self) -> Vehicle:
        """The body as a vehicle, for a handler whose parameter has no other annotation."""
        return self._parsed("vehicle").vehicle

    @property
    def extra(self) -> dict[str, Any]:
        """The fields that the sender added to the vehicle's."""
        return self._parsed("extra").extra

    def seconds_left(self) -> float:
        """Return the seconds until the time limit ends; negative after it."""
        return self.deadline - time.time()

    def extend(self, seconds: float) -> None:
        """Move the end of the time limit to `seconds` from now, if that is later than it is.

        Raises:
            ValueError: not a number of seconds above 0, or more than SQS can hide a message.
        """
        if not 0 < seconds <= MAX_VISIBILITY:
            raise ValueError(
                f"extend({seconds}): give more than 0 and at most {MAX_VISIBILITY} seconds"
            )
        deadline = max(self.deadline, time.time() + seconds)
        msgspec.structs.force_setattr(self, "deadline", deadline)
        if self.on_extend is not None:
            self.on_extend(seconds)

    def _parsed(self, name: str) -> Parsed:
        if self.parsed is None:
            raise AttributeError(
                f"message.{name} exists only for a handler of vehicles, whose first parameter has "
                "no annotation, or Message: this one gets its body as the first argument"
            )
        return self.parsed


NO_MESSAGES: Final[tuple[Message, ...]] = ()
handled: Final[ContextVar[tuple[Message, ...]]] = ContextVar("handled", default=NO_MESSAGES)
"""The messages that the running handler got: several in a batch, none outside of handlers."""


def current_message() -> Message:
    """Return the message that is being handled, for code that does not get it as an argument.

    Raises:
        LookupError: no handler runs in this thread, or one that got a batch of several messages.
    """
    messages = handled.get()
    if len(messages) != 1:
        what = "a batch of several messages" if messages else "no message"
        raise LookupError(f"{what} is being handled here, so there is no current message")
    return messages[0]
