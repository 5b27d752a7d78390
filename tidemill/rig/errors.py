"""The error of a rig: one line that says what is wrong and what to do."""

from __future__ import annotations


class RigError(Exception):
    """The rig cannot do its work; the text says what is wrong and what to do."""
