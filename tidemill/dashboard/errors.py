"""Errors that prevent dashboards, or one of their widgets, from being exported."""

from __future__ import annotations


class ExportError(Exception):
    """The export cannot go on; the text says in one line what is wrong and what to do."""


class WidgetError(Exception):
    """One widget cannot be shown, others can; the text gives the reason in one line."""
