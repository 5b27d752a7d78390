"""Deleting letters for good: those that were counted and confirmed, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from tidemill.dead_letters.sweep import Sweep


def remove(sweep: Sweep, ids: Collection[str], deleted: set[str]) -> None:
    """Delete these letters, and add the id of each to `deleted`; all others stay.

    Raises:
        QueueError: SQS does not answer, or refuses to; what is in `deleted` is gone.
    """
    try:
        for letters in sweep.batches():
            chosen = [letter for letter in letters if letter.id in ids]
            left = {letter.id for letter in sweep.delete(chosen)} if chosen else set()
            deleted |= {letter.id for letter in chosen} - left
            if len(deleted) == len(ids):
                return
    finally:
        sweep.give_back()
