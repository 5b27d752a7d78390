"""One simulated instance: what it does, and what is due to happen to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.simulator.instances.handling import Batch


class Due(IntEnum):
    """What happens at a moment of an instance's."""

    BOOTED = 0
    STARTED = 1
    NEXT = 2
    POLL_ENDED = 3
    SETTLED = 4
    NOTICED = 5
    LEFT = 6
    GONE = 7
    INTERRUPTED = 8
    KILLED = 9
    SHOWN = 10


class Doing(IntEnum):
    """What an instance's consumer does."""

    BOOTING = 0
    RESTING = 1
    POLLING = 2
    WORKING = 3
    ENDED = 4


@dataclass(slots=True, eq=False)
class Machine:
    """An instance; `turn` tells apart events of its present doing from overtaken ones."""

    id: str
    launched_at: float
    doing: Doing = Doing.BOOTING
    turn: int = 0
    taken: int = 0
    limit: int = 0
    wait: int = 0
    starts_at: float = 0.0
    stopping: bool = False
    left: bool = False
    batch: Batch | None = None
    received_at: float = 0.0
    running_at: float | None = None
    processed: int = 0
    billed: float = 0.0
