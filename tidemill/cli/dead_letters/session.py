"""A session: the place that the options name, what was looked at, and why it is there."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from shared.stopping import SignalStop
from tidemill.cli.options import refuse_usage
from tidemill.cli.rig import RIG_FOLDER
from tidemill.dead_letters.errors import DeadLetterError
from tidemill.dead_letters.history import Histories, histories
from tidemill.dead_letters.look import look
from tidemill.rig import background
from tidemill.rig.local_aws.clients import without_aws

if TYPE_CHECKING:
    from tidemill.cli.dead_letters.options import PlaceOptions
    from tidemill.dead_letters.letter import Letter
    from tidemill.dead_letters.log_lines import LogLines
    from tidemill.dead_letters.look import Look
    from tidemill.dead_letters.place import Account, Place
    from tidemill.dead_letters.selection import Selection

LOGS = "logs"
"""The folder of the consumers' lines in a rig's folder."""

WORKERS = "/tidemill/{stack}/workers"
"""The log group of a stack's consumers, as the template names it."""


@dataclass(frozen=True, slots=True)
class Found:
    """The letters that are selected, of those that were looked at."""

    letters: tuple[Letter, ...]
    histories: Histories
    look: Look


class Session:
    """The dead-letter queue and the consumers' lines that one command is about."""

    def __init__(self, place: Place, logs: LogLines | None, limit: int) -> None:
        """Look at `limit` letters at most."""
        self.place = place
        self.stop = SignalStop()
        self._logs = logs
        self._limit = limit

    def find(self, selection: Selection, *, check: bool = True) -> Found:
        """Look at the letters, read the lines about them, and select.

        Raises:
            DeadLetterError: an id is not clear, or reasons are asked for that cannot be read.
            QueueError: SQS does not answer, or refuses to.
        """
        looked = look(self.place.queue, self._limit, self.stop)
        if looked.hidden:
            typer.echo(f"{looked.hidden} letters stay hidden for up to half a minute", err=True)
        if check:
            selection.check_ids(looked.letters)
        now = time.time()
        before = tuple(one for one in looked.letters if selection.matches(one, None, now))
        read = self._histories(before, needed=selection.reason is not None)
        letters = (one for one in before if selection.matches(one, read.reason_of(one), now))
        return Found(tuple(letters), read, looked)

    def find_again(self, selection: Selection) -> tuple[Letter, ...]:
        """Return the letters that are selected now; ids were checked already."""
        return self.find(selection, check=False).letters

    def check_stop(self) -> None:
        """End the command with a signal's exit code if one has arrived.

        Raises:
            typer.Exit: one has.
        """
        if self.stop.received is not None:
            raise typer.Exit(128 + self.stop.received)

    def _histories(self, letters: tuple[Letter, ...], *, needed: bool) -> Histories:
        if self._logs is None or not letters:
            return Histories({}, read=False)
        since = min(letter.received.sent_at for letter in letters)
        ids = sorted({name for letter in letters for name in (letter.id, letter.original_id)})
        try:
            return histories(self._logs.read(since, ids))
        except DeadLetterError as error:
            if needed:
                raise
            typer.echo(f"reasons are unknown: {error}", err=True)
            return Histories({}, read=False)


def open_session(options: PlaceOptions) -> Session:
    """Return the session of a stack, a queue, or else of the rig that is up.

    Raises:
        typer.BadParameter: options contradict each other.
        DeadLetterError: there is no such place.
    """
    if options.stack and options.queue:
        refuse_usage("--stack and --queue: give one of them")
    if options.logs and options.log_group:
        refuse_usage("--logs and --log-group: give one of them")
    # boto3 is slow to import.
    from tidemill.dead_letters.log_lines import FolderLines, GroupLines  # noqa: PLC0415
    from tidemill.dead_letters.place import (  # noqa: PLC0415
        LOGS_CONFIG,
        Account,
        place_of,
        place_of_stack,
    )

    account = Account(options.region, options.endpoint_url)
    group, logs = options.log_group, options.logs
    if options.queue:
        place = place_of(account, options.queue, counted=options.count_receives)
    elif options.stack:
        place = place_of_stack(account, options.stack)
        group = group or WORKERS.format(stack=options.stack)
    else:
        place = _place_of_rig(account)
        logs = logs or RIG_FOLDER / LOGS
    lines: LogLines | None = None
    if logs is not None:
        lines = FolderLines(logs)
    elif group is not None:
        lines = GroupLines(account.client("logs", LOGS_CONFIG), group)
    return Session(place, lines, options.limit)


def _place_of_rig(account: Account) -> Place:
    """Return the place of the rig that is up; this process talks to nobody else from then on."""
    from shared.queue import SqsQueue  # noqa: PLC0415 - boto3 is slow to import
    from tidemill.dead_letters.place import Place  # noqa: PLC0415 - the same

    state = background.read_state(RIG_FOLDER)
    if state is None:
        raise DeadLetterError(f"{background.NONE_UP}, or give --stack or --queue")
    if state.dead_letter_url is None:
        raise DeadLetterError("the rig that is up has no dead-letter queue")
    kept = without_aws(os.environ)
    os.environ.clear()
    os.environ.update(kept | state.client)
    client = account.client("sqs")
    return Place(client, SqsQueue(client, state.dead_letter_url), state.queue_url)
