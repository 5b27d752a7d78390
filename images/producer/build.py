"""Builds the parts that a run needs from the options, and makes the run."""

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
from producer.input_messages import read
from producer.line_reader import opened
from producer.poison import mixed, places_ahead, places_among, poison
from producer.progress import shown_on
from producer.run import admitted, send_all
from producer.send_results import Ledger
from producer.sending import Sender
from producer.sent_log import recording
from producer.summary import Summary
from producer.vehicles import generated
from shared.logs import LineStream
from shared.queue import connect
from shared.stopping import SignalStop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from producer.options import Options
    from producer.outgoing_message import Outgoing, Rejected
    from producer.ports import Destination


def execute(options: Options) -> Summary:
    """Make one run of the checked options.

    Raises:
        UsageError: a file cannot be opened.
        QueueError: the queue cannot be found.
    """
    seed = random.randrange(2**32) if options.seed is None else options.seed  # noqa: S311
    stop = SignalStop()
    with ExitStack() as stack:
        # First of all: as a container's main process we would ignore SIGTERM until then.
        stop.install(once=True)
        stack.callback(stop.restore)
        items = _input(options, seed, stop, stack)
        record = stack.enter_context(recording(options.sent_log, time.time))
        destination = _destination(options)
        progress = stack.enter_context(shown_on(sys.stderr, options.total, time.monotonic))
        ledger = Ledger(progress, record)
        sender = Sender(
            destination,
            ledger,
            stop,
            attempts=options.attempts,
            in_flight=1 if options.dry_run else options.in_flight,
            rng=random.Random(),  # noqa: S311 - two runs of one seed need not wait in step
        )
        start = time.monotonic()
        send_all(
            admitted(items, ledger, stop, skip_invalid=options.skip_invalid),
            _dues(options, seed),
            sender,
            stop,
            time.monotonic,
        )
        sender.finish()
        seconds = time.monotonic() - start
    return Summary(
        tally=ledger.tally,
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
) -> Iterator[Outgoing | Rejected | None]:
    latest_year = datetime.now(UTC).year + 1
    items: Iterator[Outgoing | Rejected | None]
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
    """Return a stream of its own for each purpose, so that poison leaves the vehicles alone."""
    return random.Random(f"{seed}:{purpose}")  # noqa: S311 - repeatable, not secret
