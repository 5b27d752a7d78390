"""Errors that prevent a simulation."""

from __future__ import annotations

from tidemill.scaling.errors import ScalingError


class SimulationError(ScalingError):
    """A scenario, trace or template cannot be simulated; the text has the reason and a remedy."""


class NeverRestsError(SimulationError):
    """A fleet still has messages or instances long after a scenario; the text names both."""


class UnreadableTraceError(SimulationError):
    """The file of a trace is not there, or cannot be read."""
