"""Error of a rig: one line with the problem and a remedy."""

from __future__ import annotations


class RigError(Exception):
    """The rig cannot do its work; the text has the problem and a remedy."""
