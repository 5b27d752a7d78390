"""Durations of consumer and queue in a rig whose time runs faster."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX = "_SECONDS"
"""Every duration among the consumer's settings has a name that ends like this."""

WHOLE_SECONDS = frozenset(
    {
        "RECEIVE_WAIT_SECONDS",
        "RETRY_DELAY_MAX_SECONDS",
        "RETRY_DELAY_SECONDS",
        "VISIBILITY_TIMEOUT_SECONDS",
    }
)
"""Settings that end in a parameter of SQS, which takes whole seconds: the consumer rounds up."""


def shortened(environment: Mapping[str, str], speed: float) -> dict[str, str]:
    """Return the settings with every duration divided by the speed.

    Raises:
        RigError: one that is named like a duration is no number.
    """
    return {
        name: f"{_seconds(name, value) / speed:.6g}" if name.endswith(SUFFIX) and value else value
        for name, value in environment.items()
    }


def whole(seconds: float, speed: float) -> int:
    """Return the whole seconds, rounded up, that stand for AWS's seconds at this speed."""
    return math.ceil(seconds / speed)


def _seconds(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise RigError(f"user data: {name}={value} is no number of seconds") from error


def rounding(environment: Mapping[str, str], speed: float) -> list[str]:
    """Return what rounding up to whole seconds does to the settings, a sentence each."""
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
