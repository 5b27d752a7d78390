"""Durations of consumer and queue, shortened for a rig that runs faster than real time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from consumer.setting_table import DRAIN_SECONDS, DURATIONS, SETTINGS
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX: Final = "_SECONDS"
"""The suffix of a duration that is a setting of a handler instead of the consumer."""

CONSUMER_SETTINGS: Final = frozenset(setting.name for setting in SETTINGS)
CONSUMER_DURATIONS: Final = frozenset(setting.name for setting in DURATIONS)
WHOLE_SECONDS: Final = frozenset(setting.name for setting in DURATIONS if setting.whole)

LEAST_DRAIN: Final = 5.0
"""Seconds of the wall clock that a consumer has to end, at any speed."""


def is_duration(name: str) -> bool:
    """Return whether a variable of the consumer's environment is a duration in seconds."""
    if name in CONSUMER_SETTINGS:
        return name in CONSUMER_DURATIONS
    return name.endswith(SUFFIX)


def shortened(environment: Mapping[str, str], speed: float) -> dict[str, str]:
    """Return the settings with every duration divided by the speed.

    At speed 20, POLL_WAIT_SECONDS=60 becomes 3. A drain keeps LEAST_DRAIN: requests to SQS and the
    ends of processes are not faster than they are.

    Raises:
        RigError: a duration is not a number.
    """
    return {
        name: f"{_shortened(name, value, speed):.6g}" if value and is_duration(name) else value
        for name, value in environment.items()
    }


def whole(seconds: float, speed: float) -> int:
    """Return AWS's seconds as wall-clock seconds at this speed, rounded up.

    At speed 20, 30 s are 30 / 20 = 1.5 s, so 2 s.
    """
    return math.ceil(seconds / speed)


def rounding(environment: Mapping[str, str], speed: float) -> list[str]:
    """Return a sentence for each setting that is longer here than its part of AWS's time."""
    sentences = []
    name = DRAIN_SECONDS.name
    drain = _seconds(name, environment.get(name) or "0")
    if drain and (here := _shortened(name, str(drain), speed)) > drain / speed:
        sentences.append(
            f"{name} is {here * speed:g} s of AWS's time here instead of {drain:g} s: a consumer "
            f"gets {here:g} s to end at any speed"
        )
    for name in sorted(WHOLE_SECONDS & environment.keys()):
        wanted = _seconds(name, environment[name] or "0")
        rounded = whole(wanted, speed) * speed
        if rounded > wanted:
            sentences.append(
                f"{name} is {rounded:g} s of AWS's time here instead of {wanted:g} s: at speed "
                f"{speed:g}, {wanted:g} s are {wanted / speed:g} s, and SQS counts whole seconds"
            )
    return sentences


def _shortened(name: str, value: str, speed: float) -> float:
    seconds = _seconds(name, value)
    least = min(seconds, LEAST_DRAIN) if name == DRAIN_SECONDS.name else 0.0
    return max(seconds / speed, least)


def _seconds(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise RigError(f"user data: {name}={value} is not a number of seconds") from error
