"""Queue names: what a queue's URL or name shows, without asking SQS."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_LOGIN: Final = re.compile(r"(?<=://)[^/?#\s'\"]*@")


def is_queue_url(url: str) -> bool:
    """Return whether this can be a queue's URL, without asking SQS."""
    try:
        parts = urlsplit(url)
    except ValueError:  # half an IPv6 address
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and len(parts.path) > 1


def is_fifo(name_or_url: str) -> bool:
    """Return whether a queue is a FIFO queue: AWS says to look at the end of its name."""
    return name_or_url.endswith(".fifo")


def without_login(text: str) -> str:
    """Return a text, such as a URL, in which no URL has a user or a password any more."""
    return _LOGIN.sub("***@", text)
