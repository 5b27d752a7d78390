"""One run: takes messages from the input, batches them, and hands them over when they are due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.batching import batches
from producer.errors import InputError
from producer.outgoing_message import Outgoing, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from producer.send_results import Ledger
    from producer.sending import Sender
    from shared.stopping import Stop


def admitted(
    items: Iterable[Outgoing | Rejected | None], ledger: Ledger, stop: Stop, *, skip_invalid: bool
) -> Iterator[Outgoing | None]:
    """Yield the items to send, and None for a pause, until stopping is asked for.

    Rejected lines are booked; the first one ends the run unless they are to be skipped. An input
    that breaks off ends it too, after what was read.
    """
    try:
        for item in items:
            if stop.requested():
                return
            if isinstance(item, Rejected):
                if not skip_invalid:
                    ledger.reject(item)
                    return
                ledger.skip(item)
                continue
            if item is not None:
                ledger.take(item)
            yield item
    except InputError as error:
        ledger.break_off(error)


def send_all(
    items: Iterable[Outgoing | None],
    dues: Iterator[float],
    sender: Sender,
    stop: Stop,
    clock: Callable[[], float],
) -> None:
    """Hand the items over in batches, each when it is due, counted in seconds from now on.

    A run that has fallen behind catches up as fast as it can. When stopping is asked for, the
    sender books what comes after as unsent.
    """
    start = clock()
    for batch in batches(items, dues):
        early = start + batch.due - clock()
        if early > 0:
            stop.wait(early)
        sender.submit(batch.messages)
