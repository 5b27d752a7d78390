"""Status of a running rig at one moment, for the live view and `tidemill status`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """A rig at one moment.

    `at` is in epoch seconds of AWS's time; `wall_seconds` are wall-clock seconds since the start.
    `visible`, `in_flight` and `dead_lettered` are counts of the queues, `processed` is a count of
    the consumers' logs. `alarms` has each alarm's state by logical id.
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
