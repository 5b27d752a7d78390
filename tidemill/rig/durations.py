"""Durations of consumer and queue in a rig whose time runs faster."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from consumer.setting_table import DURATIONS, SETTINGS
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX: Final = "_SECONDS"
"""The end of the name of a duration that is no setting of the consumer: a handler may have some."""

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
        RigError: a duration is no number.
    """
    return {
        name: f"{_seconds(name, value) / speed:.6g}" if value and is_duration(name) else value
        for name, value in environment.items()
    }


def whole(seconds: float, speed: float) -> int:
    """Return the whole seconds, rounded up, that stand for AWS's seconds at this speed.

    At speed 20, 30 s are 2 s.
    """
    return math.ceil(seconds / speed)


def rounding(environment: Mapping[str, str], speed: float) -> list[str]:
    """Return a sentence for each setting that rounding up to whole seconds makes longer."""
    sentences = []
    for name in sorted(WHOLE_SECONDS & environment.keys()):
        asked = _seconds(name, environment[name] or "0")
        got = whole(asked, speed) * speed
        if got > asked:
            sentences.append(
                f"{name}: SQS takes whole seconds, so at speed {speed:g} its {asked:g} s last "
                f"{got:g} s"
            )
    return sentences


def _seconds(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise RigError(f"user data: {name}={value} is no number of seconds") from error
