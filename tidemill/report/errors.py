"""Errors that prevent a report."""

from __future__ import annotations


class ReportError(Exception):
    """A file of a run cannot be used; the text says which one, why, and what to do."""
