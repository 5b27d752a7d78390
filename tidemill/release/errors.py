"""Errors that prevent a release."""

from __future__ import annotations


class ReleaseError(Exception):
    """Nothing was released; the text has the problem and a remedy in one line."""
