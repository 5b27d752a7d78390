"""One run: reads messages from the input, batches them, and submits each batch when it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.batching import batches
from producer.errors import InputError
from producer.messages.outgoing_message import OutgoingMessage, RejectedLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from producer.send_results import SendResults
    from producer.sending import Sender
    from shared.stopping import Stop


def messages_to_send(
    items: Iterable[OutgoingMessage | RejectedLine | None],
    results: SendResults,
    stop: Stop,
    *,
    skip_invalid: bool,
) -> Iterator[OutgoingMessage | None]:
    """Yield the messages to send, and None for a pause, until a stop is requested.

    Rejected lines are recorded; the first one ends the run, unless `skip_invalid`. An input that
    cannot be read any further ends the run as well, after the messages read so far.
    """
    try:
        for item in items:
            if stop.requested():
                return
            if isinstance(item, RejectedLine):
                if not skip_invalid:
                    results.record_invalid(item)
                    return
                results.record_skipped(item)
                continue
            if item is not None:
                if results.acknowledged_before(item):
                    continue
                results.record_read(item)
            yield item
    except InputError as error:
        results.record_input_error(error)


def send_all(
    items: Iterable[OutgoingMessage | None],
    dues: Iterator[float],
    sender: Sender,
    stop: Stop,
    clock: Callable[[], float],
) -> None:
    """Submit the messages in batches, each when it is due, in seconds from now.

    A run that is late catches up as fast as it can. Once a stop is requested, the sender records
    all further messages as unsent.
    """
    start = clock()
    for batch in batches(items, dues):
        early = start + batch.due - clock()
        if early > 0:
            stop.wait(early)
        sender.submit(batch.messages)
