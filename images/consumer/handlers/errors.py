"""The error of a handler that cannot be run."""

from __future__ import annotations

from shared.errors import WorkloadError


class HandlerError(WorkloadError):
    """A HANDLER that cannot be used, in one line that says what to do: exit with code 2."""
