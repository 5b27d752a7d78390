"""What can keep dashboards, or one of their widgets, from being exported."""

from __future__ import annotations


class ExportError(Exception):
    """There is no page, or not all of it; the text says in a line what is wrong and what to do."""


class WidgetError(Exception):
    """One widget cannot be shown, others may be; the text says why in one line."""
