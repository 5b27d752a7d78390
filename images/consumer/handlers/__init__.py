"""Handlers: what they import, how they are found, what their messages are read as, and the call.

Everything here is pure: it runs in a process of its own or in a thread, and only calls user code.
"""

from __future__ import annotations

# At run time as well, because handlers used to import Message from here.
from consumer.handlers.api import Message  # noqa: TC001


def log_only(_message: Message) -> None:
    """Do nothing: the line with the message's content is written for every handler."""
