"""SQS's quotas and defaults: each number once, with the page of AWS's that states it.

"Quotas" is the page "Amazon SQS message quotas" of the developer guide; "API" is the API reference.
"""

from __future__ import annotations

from typing import Final

MAX_BATCH: Final = 10
"""Messages in a receive, and entries in a batch (API, ReceiveMessage; Quotas)."""

MAX_BYTES: Final = 1_048_576
"""Bytes of a message, and of all messages of a batch together (Quotas, since August 2025)."""

MAX_ATTRIBUTES: Final = 10
"""Attributes of a message, the sender's own (Quotas)."""

MAX_LONG_POLL: Final = 20
"""Seconds that a receive waits for a message: WaitTimeSeconds (API, ReceiveMessage)."""

MAX_VISIBILITY: Final = 43_200
"""Seconds of a visibility timeout, 12 hours (Quotas)."""

DEFAULT_RETENTION: Final = 345_600
"""Seconds that a queue keeps a message, 4 days (API, SetQueueAttributes)."""

MAX_RETENTION: Final = 1_209_600
"""Seconds that a queue may keep a message, 14 days (Quotas)."""

DEFAULT_MAX_RECEIVE_COUNT: Final = 10
"""Receives of a redrive policy that names no maxReceiveCount (API, SetQueueAttributes)."""
