"""Options of a soak test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class SoakOptions:
    """A soak test; its times are wall-clock seconds.

    Attributes:
        seed: of the plan, and of the messages.
        messages: how many are sent, malformed ones included.
        poison: how many of them are malformed.
        rate: messages a second.
        instances: the largest number of instances.
        every: seconds from one fault to the next; while messages are sent, faults happen.
        kinds: the kinds of faults; empty for all that the world can imitate.
        drain_seconds: how long to wait for an empty queue after the last fault.
    """

    seed: int
    messages: int
    poison: int
    rate: float
    every: float
    instances: int
    kinds: Sequence[str] = ()
    drain_seconds: float = 300.0
