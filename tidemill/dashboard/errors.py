"""Errors that prevent dashboards, or one of their widgets, from being exported."""

from __future__ import annotations


class ExportError(Exception):
    """The export cannot continue; the text has the problem and a remedy in one line."""


class WidgetError(Exception):
    """One widget cannot be shown, but others can; the text has the reason in one line."""
