"""Errors that prevent a report."""

from __future__ import annotations


class ReportError(Exception):
    """A file of a run cannot be used; the text has its name, the reason, and a remedy."""
