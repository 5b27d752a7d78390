"""Status of a running rig at one moment, for the live view and `tidemill status`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """A rig at a moment.

    `at` is in epoch seconds of AWS's time; `wall_seconds` are wall-clock seconds since the start.
    Messages are counted in the queues, `processed` in the consumers' logs so far. `alarms` has
    each alarm's state by logical id.
    """

    at: float
    wall_seconds: float
    speed: float
    visible: int
    in_flight: int
    dead_lettered: int
    processed: int
    desired: int
    in_service: int
    pending: int
    terminating: int
    alarms: dict[str, str]
