"""What can keep a report from being written."""

from __future__ import annotations


class ReportError(Exception):
    """The files of a run cannot be used; the text says which, why, and what to do."""
