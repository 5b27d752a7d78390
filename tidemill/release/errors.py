"""Errors that prevent a release."""

from __future__ import annotations


class ReleaseError(Exception):
    """Nothing was released; the text says in one line what is wrong and what to do."""
