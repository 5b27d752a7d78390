"""Rules about messages: their visibility timeout, and their dead-letter queue."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from consumer.setting_table import (
    CONCURRENCY,
    DRAIN_SECONDS,
    MESSAGES_PER_POLL,
    VISIBILITY_TIMEOUT_SECONDS,
)
from shared.quotas import DEFAULT_RETENTION, MAX_BATCH, MAX_RETENTION
from tidemill.lint.finding import Rule, Severity, Violation
from tidemill.lint.linted_fleet import PROPERTIES, path
from tidemill.scaling.template.properties import flag, needed, part, whole
from tidemill.scaling.template.queue import QUEUE, VISIBILITY_DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.lint.linted_fleet import LintedFleet
    from tidemill.scaling.template.resolver import Resolver

RETENTION = "MessageRetentionPeriod"
DRAIN = DRAIN_SECONDS.name
VISIBILITY = VISIBILITY_TIMEOUT_SECONDS.name
MESSAGE = "MESSAGE_SECONDS"
"""A setting that workers of other projects may have: the most seconds of work on one message."""


def _too_short(linted: LintedFleet) -> Iterator[Violation]:
    settings = linted.container.numbers() if linted.container else {}
    name = next((one for one in (MESSAGE, DRAIN) if one in settings), None)
    if name is None:
        return
    work = settings[name]
    if VISIBILITY in settings:  # a worker with this setting also extends the visibility timeout
        if settings[VISIBILITY] < work:
            yield Violation(
                f"{VISIBILITY} is {settings[VISIBILITY]:g}, and {name} is {work:g}",
                linted.at_script(),
            )
        return
    taken = min(MAX_BATCH, settings.get(MESSAGES_PER_POLL.name, 1))
    turns = math.ceil(taken / max(1.0, settings.get(CONCURRENCY.name, 1)))
    for queue in linted.queues():
        hidden = whole(
            linted.resolver.properties(queue),
            "VisibilityTimeout",
            path(queue, PROPERTIES),
            VISIBILITY_DEFAULT,
        )
        if hidden < work * turns:
            waits = (
                f" {turns} times, as {taken:g} messages are received at once" if turns > 1 else ""
            )
            yield Violation(
                f"{queue} hides a message for {hidden} seconds, and {name} is {work:g}{waits}",
                (queue, PROPERTIES, "VisibilityTimeout"),
            )


def _no_redrive(linted: LintedFleet) -> Iterator[Violation]:
    for queue in linted.queues():
        if "RedrivePolicy" not in linted.resolver.properties(queue):
            yield Violation(
                f"{queue} has no dead-letter queue", (queue, PROPERTIES, "RedrivePolicy")
            )


def _expires_first(linted: LintedFleet) -> Iterator[Violation]:
    resolver = linted.resolver
    arns = {
        resolver.resolve({"Fn::GetAtt": [queue, "Arn"]}, queue): queue
        for queue in resolver.present(QUEUE)
    }
    for queue in linted.queues():
        where, properties = path(queue, PROPERTIES), resolver.properties(queue)
        redrive = part(properties, "RedrivePolicy", where)
        # In a FIFO queue the retention period restarts when a message is moved.
        if not redrive or flag(properties, "FifoQueue", where, default=False):
            continue
        target = arns.get(needed(redrive, "deadLetterTargetArn", f"{where}.RedrivePolicy"))
        if target is None:
            continue
        kept, kept_there = _retention(resolver, queue), _retention(resolver, target)
        if kept_there <= kept:
            yield Violation(
                f"{target} keeps messages for {kept_there} seconds, {queue} for {kept}",
                (target, PROPERTIES, RETENTION),
                None if kept_there < kept else Severity.NOTE,
            )


def _retention(resolver: Resolver, queue: str) -> int:
    where = path(queue, PROPERTIES)
    return whole(resolver.properties(queue), RETENTION, where, DEFAULT_RETENTION)


RULES = (
    Rule(
        id="visible-before-done",
        severity=Severity.ERROR,
        problem="The visibility timeout is shorter than the work on a message and the wait for it.",
        why=(
            "The message becomes visible while it is being processed, and another worker processes "
            f"it again. Work is {MESSAGE} or {DRAIN} in the script's `docker run --env`; without "
            f"{VISIBILITY} there, messages of one receive wait for one another."
        ),
        page="Amazon SQS visibility timeout",
        fix="Set VisibilityTimeout above the longest work and wait, or extend it during the work.",
        check=_too_short,
    ),
    Rule(
        id="no-dead-letter-queue",
        severity=Severity.WARNING,
        problem="The queue has no redrive policy.",
        why=(
            "A message that no worker can process is received again until it expires, and keeps an "
            "instance running all that time."
        ),
        page="Using dead-letter queues in Amazon SQS",
        fix="Add a RedrivePolicy with a dead-letter queue and a maxReceiveCount.",
        check=_no_redrive,
    ),
    Rule(
        id="dead-letters-expire-first",
        severity=Severity.WARNING,
        problem="The dead-letter queue does not keep messages longer than the queue itself.",
        why=(
            "In a standard queue a message keeps its sending time when it is moved, so that dead "
            "letters expire early. Where both periods are the same, this is only a note."
        ),
        page="Setting-up dead-letter queue retention in Amazon SQS",
        fix=f"Set the dead-letter queue's {RETENTION} to {MAX_RETENTION}, which is 14 days.",
        check=_expires_first,
    ),
)
