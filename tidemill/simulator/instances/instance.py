"""One simulated instance, and what the consumer on it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.simulator.instances.handling import Batch


class ConsumerState(IntEnum):
    """What an instance's consumer does; ENDED also means that the instance does not run."""

    BOOTING = 0
    RESTING = 1
    POLLING = 2
    WORKING = 3
    ENDED = 4


@dataclass(slots=True, eq=False)
class SimulatedInstance:
    """An instance of the group and its consumer; moments are epoch seconds.

    Attributes:
        id: the instance's id.
        state: what its consumer does.
        step: grows whenever the consumer goes on to something else, so that events planned for an
            earlier step can be dropped.
        taken: messages taken in the present poll.
        limit: messages that the next receive takes at most.
        wait: seconds that the next receive waits for a message.
        starts_at: when the consumer starts.
        stopping: the consumer has noticed that the instance is to be terminated.
        drained: the consumer has stopped, so the lifecycle hook can be completed.
        batch: the messages that the consumer handles, None while it handles none.
        received_at: when it received them.
        running_at: when the instance began to run, None before its first boot.
        processed: messages processed so far.
        billed: seconds billed for its last run.
    """

    id: str
    state: ConsumerState = ConsumerState.BOOTING
    step: int = 0
    taken: int = 0
    limit: int = 0
    wait: int = 0
    starts_at: float = 0.0
    stopping: bool = False
    drained: bool = False
    batch: Batch | None = None
    received_at: float = 0.0
    running_at: float | None = None
    processed: int = 0
    billed: float = 0.0
