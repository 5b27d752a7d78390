"""Wiring: builds the parts of a run from the options, and makes the run."""

from __future__ import annotations

import random
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import repeat
from typing import TYPE_CHECKING

from producer.arrivals import due_times
from producer.dry_run import Printer
from producer.messages.input_messages import read
from producer.messages.line_reader import opened
from producer.messages.poison import mixed, places_ahead, places_among, poison
from producer.messages.vehicles import generated
from producer.progress import progress_on
from producer.run import messages_to_send, send_all
from producer.send_results import SendResults
from producer.sending import Sender, SendLimits
from producer.sent_log import recording
from producer.summary import Summary
from shared.logs import LineStream
from shared.queue import connect
from shared.stopping import SignalStop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from producer.messages.outgoing_message import OutgoingMessage, RejectedLine
    from producer.options import Options
    from producer.ports import Destination


def execute(options: Options) -> Summary:
    """Make one run of the checked options.

    Raises:
        UsageError: a file cannot be opened.
        QueueError: the queue cannot be found.
    """
    seed = random.randrange(2**32) if options.seed is None else options.seed  # noqa: S311 - a seed is no secret
    stop = SignalStop()
    with ExitStack() as stack:
        # First, because a container's main process ignores SIGTERM until then.
        stop.install(once=True)
        stack.callback(stop.restore)
        items = _input(options, seed, stop, stack)
        record = stack.enter_context(recording(options.sent_log, time.time))
        destination = _destination(options)
        progress = stack.enter_context(progress_on(sys.stderr, options.total, time.monotonic))
        results = SendResults(progress, record)
        sender = Sender(
            destination,
            results,
            stop,
            SendLimits(options.attempts, 1 if options.dry_run else options.in_flight),
            random.Random(),  # noqa: S311 - pauses may differ between two runs of one seed
        )
        start = time.monotonic()
        send_all(
            messages_to_send(items, results, stop, skip_invalid=options.skip_invalid),
            _dues(options, seed),
            sender,
            stop,
            time.monotonic,
        )
        sender.finish()
        seconds = time.monotonic() - start
    return Summary(
        totals=results.totals,
        total=options.total,
        seconds=seconds,
        seed=seed,
        skip_invalid=options.skip_invalid,
        dry_run=options.dry_run,
        received=stop.received,
        error=sender.error,
    )


def _input(
    options: Options, seed: int, stop: SignalStop, stack: ExitStack
) -> Iterator[OutgoingMessage | RejectedLine | None]:
    latest_year = datetime.now(UTC).year + 1
    items: Iterator[OutgoingMessage | RejectedLine | None]
    if options.file is not None:
        file = stack.enter_context(opened(options.file))
        items = read(file, options.file, latest_year, stop)
    else:
        items = generated(options.count or 0, _rng(seed, "vehicles"), latest_year)
    if not options.poison:
        return items
    rng = _rng(seed, "places")
    places = (
        places_ahead(options.poison, rng)
        if options.count is None
        else places_among(options.count, options.poison, rng)
    )
    return mixed(items, poison(_rng(seed, "poison"), latest_year), places)


def _destination(options: Options) -> Destination:
    if options.dry_run:
        return Printer(LineStream(sys.stdout.buffer))
    return connect(options.queue_url or "", options.queue_name or "", options.in_flight)


def _dues(options: Options, seed: int) -> Iterator[float]:
    if options.rate is None:
        return repeat(0.0)
    period = options.seconds_of_period(options.rate)
    return due_times(options.shape, options.rate, period, _rng(seed, "arrivals"))


def _rng(seed: int, purpose: str) -> random.Random:
    """Return random numbers for one purpose alone, so that poison does not change the vehicles."""
    return random.Random(f"{seed}:{purpose}")  # noqa: S311 - repeatable, not secret
