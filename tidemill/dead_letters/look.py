"""A look at the letters of a queue, after which all of them are visible again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.quotas import MAX_BATCH
from tidemill.dead_letters.sweep import Sweep

if TYPE_CHECKING:
    from shared.stopping import Stop
    from tidemill.dead_letters.letter import Letter
    from tidemill.dead_letters.sweep import LetterQueue


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen.

    Attributes:
        letters: the letters, oldest first.
        complete: False if the limit or a stop ended the look.
        hidden: how many could not be made visible again at once, and are half a minute later.
    """

    letters: tuple[Letter, ...]
    complete: bool
    hidden: int


def look(queue: LetterQueue, limit: int, stop: Stop) -> Look:
    """Receive up to `limit` letters and make them visible again.

    Raises:
        QueueError: SQS does not answer, or refuses to; what was received is visible again.
    """
    sweep = Sweep(queue, stop)
    letters: list[Letter] = []
    try:
        for batch in sweep.batches(min(limit, MAX_BATCH)):
            letters += batch
            if len(letters) >= limit:
                break
    finally:
        hidden = sweep.give_back()
    letters.sort(key=lambda letter: (letter.received.sent_at, letter.id))
    return Look(tuple(letters[:limit]), sweep.complete, hidden)
