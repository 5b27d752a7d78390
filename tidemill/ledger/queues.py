"""Queues at the end of a run, as one look at each of them found them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from tidemill.ledger.errors import LedgerError

if TYPE_CHECKING:
    from pathlib import Path

QUEUES: Final = "queues.json"
"""The file in a run's folder in which a look at its queues is kept."""


@dataclass(frozen=True, slots=True)
class QueueLook:
    """What is in a queue: the digest of each message's body by its id.

    A copy of a rejected message counts by the id of the message that it copies. `hidden` messages
    are in the queue as well, in flight or delayed, so that nobody can look at them.
    """

    seen: dict[str, str] = field(default_factory=dict)
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Queues:
    """The work queue and its dead-letter queue."""

    work: QueueLook = QueueLook()
    dead: QueueLook = QueueLook()


def write_queues(folder: Path, queues: Queues) -> None:
    """Keep a look at the queues of a run in its folder."""
    (folder / QUEUES).write_bytes(msgspec.json.encode(queues))


def read_queues(folder: Path) -> Queues:
    """Return the look at the queues of a run that is kept in its folder.

    Raises:
        LedgerError: there is none, or it is damaged.
    """
    path = folder / QUEUES
    try:
        return msgspec.json.decode(path.read_bytes(), type=Queues)
    except OSError as error:
        raise LedgerError(f"cannot read {path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise LedgerError(f"{path} is no record of two queues: {error}") from error
