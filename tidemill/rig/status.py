"""What a running rig shows of itself at one moment, for a live view or `tidemill status`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """A rig at a moment: `at` in epoch seconds of its own (AWS) clock, `wall_seconds` since start.

    Counts of messages are of the queue as it is, `processed` of all consumers' logs so far;
    `alarms` has each alarm's state by logical id.
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
