"""Durations of consumer and queue, shortened for a rig that runs faster than real time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from consumer.setting_table import DURATIONS, SETTINGS
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX: Final = "_SECONDS"
"""The suffix of a duration that is a setting of a handler instead of the consumer."""

CONSUMER_SETTINGS: Final = frozenset(setting.name for setting in SETTINGS)
CONSUMER_DURATIONS: Final = frozenset(setting.name for setting in DURATIONS)
WHOLE_SECONDS: Final = frozenset(setting.name for setting in DURATIONS if setting.whole)


def is_duration(name: str) -> bool:
    """Return whether a variable of the consumer's environment is a duration in seconds."""
    if name in CONSUMER_SETTINGS:
        return name in CONSUMER_DURATIONS
    return name.endswith(SUFFIX)


def shortened(environment: Mapping[str, str], speed: float) -> dict[str, str]:
    """Return the settings with every duration divided by the speed.

    At speed 20, POLL_WAIT_SECONDS=60 becomes 3.

    Raises:
        RigError: a duration is not a number.
    """
    return {
        name: f"{_seconds(name, value) / speed:.6g}" if value and is_duration(name) else value
        for name, value in environment.items()
    }


def whole(seconds: float, speed: float) -> int:
    """Return AWS's seconds as wall-clock seconds at this speed, rounded up.

    At speed 20, 30 s are 30 / 20 = 1.5 s, so 2 s.
    """
    return math.ceil(seconds / speed)


def rounding(environment: Mapping[str, str], speed: float) -> list[str]:
    """Return a sentence for each setting that rounding up to whole seconds makes longer."""
    sentences = []
    for name in sorted(WHOLE_SECONDS & environment.keys()):
        wanted = _seconds(name, environment[name] or "0")
        rounded = whole(wanted, speed) * speed
        if rounded > wanted:
            sentences.append(
                f"{name} is {rounded:g} s of AWS's time here instead of {wanted:g} s: at speed "
                f"{speed:g}, {wanted:g} s are {wanted / speed:g} s, and SQS counts whole seconds"
            )
    return sentences


def _seconds(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise RigError(f"user data: {name}={value} is not a number of seconds") from error
