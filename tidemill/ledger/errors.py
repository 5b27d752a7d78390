"""Errors of the ledger; their text is one line for people."""

from __future__ import annotations


class LedgerError(Exception):
    """The ledger cannot be drawn up: an input is missing, or no record of what it should be."""
