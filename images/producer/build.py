"""Wiring: builds the parts of a run from the options, and makes the run."""

from __future__ import annotations

import random
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import repeat
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from producer.arrivals import due_times
from producer.dry_run import Printer
from producer.journal import header_of, opened_journal
from producer.messages.attributes import read_option
from producer.messages.input_messages import Input, read
from producer.messages.line_reader import opened
from producer.messages.message_maker import MessageMaker
from producer.messages.poison import mixed, places_ahead, places_among, poison
from producer.messages.schema import schema_of
from producer.messages.template_text import TemplateText
from producer.messages.vehicles import generated
from producer.progress import progress_on
from producer.run import messages_to_send, send_all
from producer.send_results import SendResults, SendTotals
from producer.sending import Sender, SendLimits
from producer.sent_log import recording
from producer.summary import Summary
from shared.first_contact import patiently
from shared.logs import LineStream
from shared.queue_connection import connect
from shared.queue_names import without_login
from shared.stopping import SignalStop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

    from producer.messages.outgoing_message import OutgoingMessage, RejectedLine
    from producer.options import Options
    from producer.ports import Destination
    from shared.errors import WorkloadError
    from shared.queue import SqsQueue

CONNECT_SECONDS: Final = 20.0
"""Time in which a queue is found by its name, if SQS does not answer at once."""


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
        stop.install(twice=True)
        stack.callback(stop.restore)
        file = stack.enter_context(opened(options.file)) if options.file is not None else None
        maker = _maker(options)
        record = stack.enter_context(
            recording(options.sent_log, time.time, append=options.resume is not None)
        )
        reached = _destination(options, stop)
        if reached is None:
            return _summary(options, seed, stop, SendTotals())
        destination, queue = reached
        journal = None
        run = uuid4().hex
        if options.resume and file:
            header = header_of(file, run, queue, f"--format {options.format}")
            journal = stack.enter_context(opened_journal(options.resume, header, time.monotonic))
            run = journal.run
        if options.fifo:
            maker = replace(maker, run=run)
        items = _input(options, seed, file, maker, stop)
        progress = stack.enter_context(progress_on(sys.stderr, options.total, time.monotonic))
        results = SendResults(progress, record, journal)
        sender = Sender(
            destination,
            results,
            stop,
            SendLimits(options.attempts, 1 if options.dry_run else options.in_flight, options.fifo),
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
        sender.finish(lambda: stop.hurried)
        results.finish()
        seconds = time.monotonic() - start
    return _summary(options, seed, stop, results.totals, seconds, sender.error)


def _summary(
    options: Options,
    seed: int,
    stop: SignalStop,
    totals: SendTotals,
    seconds: float = 0.0,
    error: WorkloadError | None = None,
) -> Summary:
    return Summary(
        totals=totals,
        total=options.total,
        seconds=seconds,
        seed=seed,
        skip_invalid=options.skip_invalid,
        dry_run=options.dry_run,
        received=stop.received,
        error=error,
    )


def _maker(options: Options) -> MessageMaker:
    latest_year = datetime.now(UTC).year + 1
    attributes = [read_option(given) for given in options.attributes]
    return MessageMaker(
        check=schema_of(options.schema, latest_year) if options.schema is not None else None,
        attributes={name: value for name, _, value in attributes},
        attribute_types={name: kind for name, kind, _ in attributes if kind != "String"},
        group=TemplateText(options.group_id) if options.group_id is not None else None,
        deduplication=(
            TemplateText(options.deduplication_id) if options.deduplication_id is not None else None
        ),
        with_attributes=options.with_attributes,
    )


def _input(
    options: Options, seed: int, file: FileIO | None, maker: MessageMaker, stop: SignalStop
) -> Iterator[OutgoingMessage | RejectedLine | None]:
    latest_year = datetime.now(UTC).year + 1
    items: Iterator[OutgoingMessage | RejectedLine | None]
    if file is not None and options.file is not None:
        source = Input(options.file, options.format, options.csv_types, options.attribute_columns)
        items = read(file, source, maker, stop)
    else:
        vehicles = generated(options.count or 0, _rng(seed, "vehicles"), latest_year)
        items = map(maker.of_generated, vehicles)
    if not options.poison:
        return items
    rng = _rng(seed, "places")
    places = (
        places_ahead(options.poison, rng)
        if options.count is None
        else places_among(options.count, options.poison, rng)
    )
    malformed = map(maker.of_generated, poison(_rng(seed, "poison"), latest_year))
    return mixed(items, malformed, places)


def _destination(options: Options, stop: SignalStop) -> tuple[Destination, str] | None:
    """Return the destination, and the queue's URL for the journal; None if a stop came first."""
    if options.dry_run:
        return Printer(LineStream(sys.stdout.buffer)), ""

    def found() -> SqsQueue:
        # One attempt each: the sender makes the others, and knows of every lost answer.
        return connect(
            options.queue_url or "", options.queue_name or "", options.in_flight, attempts=1
        )

    queue = patiently(
        found,
        stop,
        CONNECT_SECONDS,
        lambda reason: sys.stderr.write(f"trying again: {reason}\n"),
    )
    return (queue, without_login(queue.url)) if queue is not None else None


def _dues(options: Options, seed: int) -> Iterator[float]:
    if options.rate is None:
        return repeat(0.0)
    period = options.seconds_of_period(options.rate)
    return due_times(options.shape, options.rate, period, _rng(seed, "arrivals"))


def _rng(seed: int, purpose: str) -> random.Random:
    """Return random numbers for one purpose alone, so that poison does not change the vehicles."""
    return random.Random(f"{seed}:{purpose}")  # noqa: S311 - repeatable, not secret
