"""The error after which a command about dead letters ends."""

from __future__ import annotations


class DeadLetterError(Exception):
    """The command cannot go on; the text has the problem and a remedy in one line."""
