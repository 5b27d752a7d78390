"""What can keep a rig from running, told in one line each."""

from __future__ import annotations


class RigError(Exception):
    """The rig cannot do its work; the text says what is wrong and what to do."""
