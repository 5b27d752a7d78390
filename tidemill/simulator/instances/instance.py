"""State of one simulated instance and of the consumer on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.simulator.instances.hand import Hand


class ConsumerState(IntEnum):
    """States of an instance's consumer; ENDED also means that the instance does not run.

    HOLDING waits for messages in hand: until there is room for more, until all are done and the
    rest can begin, or until the drain is over.
    """

    BOOTING = 0
    RESTING = 1
    POLLING = 2
    HOLDING = 3
    ENDED = 4


@dataclass(slots=True, eq=False)
class SimulatedInstance:
    """An instance of the group and its consumer; moments are epoch seconds.

    Attributes:
        id: the instance's id.
        state: the state of its consumer.
        step: the number of the consumer's present step; events planned for an earlier step are
            dropped.
        taken: messages received in the present poll.
        limit: the largest number of messages for the next receive.
        wait: seconds that the next receive waits for a message.
        asked: the largest number of messages of the long poll under way.
        pause: the rest after the poll, for a consumer that first finishes what it has in hand; None
            for one that waits for room.
        starts_at: when the consumer starts to receive.
        watches_from: when the instance first checks whether it is to be terminated.
        stopping: whether the consumer is stopping.
        stops_by: when a stopping consumer returns what it still has in hand.
        drained: whether the consumer has stopped, so that the lifecycle hook can be completed.
        hand: the messages in hand, None before the consumer starts.
        deleted_at: when its last request to delete began.
        deletes: messages in this request.
        running_at: when the instance began to run, None before its first boot.
        processed: messages processed so far.
        cut_off: messages that its consumer received and, because it ended, did not process.
        billed: seconds billed for its last run.
    """

    id: str
    state: ConsumerState = ConsumerState.BOOTING
    step: int = 0
    taken: int = 0
    limit: int = 0
    wait: int = 0
    asked: int = 0
    pause: float | None = None
    starts_at: float = 0.0
    watches_from: float = 0.0
    stopping: bool = False
    stops_by: float = 0.0
    drained: bool = False
    hand: Hand | None = None
    deleted_at: float = 0.0
    deletes: int = 0
    running_at: float | None = None
    processed: int = 0
    cut_off: int = 0
    billed: float = 0.0
