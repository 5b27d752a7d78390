"""Errors of a simulation."""

from __future__ import annotations

from tidemill.scaling.errors import ScalingError


class SimulationError(ScalingError):
    """A scenario, a trace or a template cannot be simulated; one line says why and what to do."""
