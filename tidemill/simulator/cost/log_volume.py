"""Volume of the logs: bytes that CloudWatch Logs takes in for messages and polls."""

from __future__ import annotations

from typing import Final

MESSAGE_BYTES: Final = 370
"""Bytes of a vehicle's log line."""

CONTENT_BYTES: Final = 125
"""Bytes of the content in it, the field's name included."""

CYCLE_BYTES: Final = 530
"""Bytes of the line of counts at the end of each poll."""

DELETE_BYTES: Final = 120
"""Bytes of the line about a delete, without the messages' ids."""

DELETED_ID_BYTES: Final = 39
"""Bytes of a message's id in that line."""

WRAPPING_BYTES: Final = 130
"""Bytes that Docker's log file adds to a line: its own fields, and a backslash per quote."""

EVENT_BYTES: Final = 26
"""Bytes that CloudWatch Logs adds to each line's text (API reference, PutLogEvents)."""


def logged_bytes(messages: float, polls: float, message_logging: str) -> float:
    """Return the bytes of the workers' lines, from the consumer and from the CloudWatch agent.

    The consumer sends a line for each message, and two for each poll: one names the messages that
    were deleted, the other has the counts. The agent sends what the container
    writes to standard output, which is the same lines in Docker's form, or with `worker` nothing.

    Args:
        messages: messages that were processed, failed ones included.
        polls: polls of all workers.
        message_logging: the template's MessageLogging: both, worker or agent.
    """
    lines = messages * (MESSAGE_BYTES + EVENT_BYTES + DELETED_ID_BYTES)
    lines += polls * (DELETE_BYTES + CYCLE_BYTES + 2 * EVENT_BYTES)
    by_consumer = lines - (messages * CONTENT_BYTES if message_logging == "agent" else 0)
    by_agent = lines + (messages + 2 * polls) * WRAPPING_BYTES
    return by_consumer + (0 if message_logging == "worker" else by_agent)
