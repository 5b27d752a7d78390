"""What can be wrong with a simulation, told in one line."""

from __future__ import annotations

from tidemill.scaling.errors import ScalingError


class SimulationError(ScalingError):
    """A scenario, a trace or a template cannot be simulated; the text says what to do."""
