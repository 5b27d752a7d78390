"""Rules about FIFO queues, and about delays of all messages of a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.lint.finding import Rule, Severity, Violation
from tidemill.lint.linted_fleet import PROPERTIES, path
from tidemill.lint.messages import DRAIN, MESSAGE
from tidemill.scaling.metrics.queue import DELAYED
from tidemill.scaling.template.parameters import placeholder
from tidemill.scaling.template.properties import flag, part, whole
from tidemill.scaling.template.queue import QUEUE, VISIBILITY_DEFAULT, queue_arns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.lint.linted_fleet import LintedFleet

SUFFIX = ".fifo"
IMPORT = "Fn::ImportValue"
FIFO_ONLY = ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
"""Properties that only FIFO queues have (CreateQueue, SQS API reference)."""
PER_GROUP = "perMessageGroupId"
LONG_BLOCK = 6
"""More than so many times the longest work is long for a group to wait after a lost instance."""
SPARE_RECEIVES = 2
"""One receive for the message's own attempt, one for a drain."""


def _fifo(linted: LintedFleet, queue: str) -> bool:
    return flag(
        linted.resolver.properties(queue), "FifoQueue", path(queue, PROPERTIES), default=False
    )


def _mismatch(linted: LintedFleet) -> Iterator[Violation]:
    resolver = linted.resolver
    targets = {resolver.name(name): name for name in resolver.present(QUEUE)}
    arns = {arn: targets[name] for arn, name in queue_arns(resolver).items()}
    related = dict.fromkeys(linted.queues())
    for queue in list(related):
        where, properties = path(queue, PROPERTIES), resolver.properties(queue)
        redrive = part(properties, "RedrivePolicy", where)
        dead = arns.get(str(redrive.get("deadLetterTargetArn")))
        if dead is None:
            continue
        related[dead] = None
        if _fifo(linted, queue) != _fifo(linted, dead):
            kinds = {True: "a FIFO queue", False: "a standard queue"}
            yield Violation(
                f"{queue} is {kinds[_fifo(linted, queue)]}, and its dead-letter queue {dead} is "
                f"{kinds[_fifo(linted, dead)]}",
                (dead, PROPERTIES, "FifoQueue"),
            )
    for queue in related:
        yield from _own_mismatch(linted, queue)


def _own_mismatch(linted: LintedFleet, queue: str) -> Iterator[Violation]:
    properties, fifo = linted.resolver.properties(queue), _fifo(linted, queue)
    name = properties.get("QueueName")
    ends_so = str(name).endswith(SUFFIX)
    if name is not None and ends_so is not fifo and _known_end(linted, queue):
        what = f"does not end in {SUFFIX}" if fifo else f"ends in {SUFFIX}, without FifoQueue"
        yield Violation(f"{queue}: its name {name} {what}", (queue, PROPERTIES, "QueueName"))
    for key in FIFO_ONLY:
        if key in properties and not fifo:
            yield Violation(f"{queue} has {key} without FifoQueue", (queue, PROPERTIES, key))
    scope = properties.get("DeduplicationScope")
    if fifo and properties.get("FifoThroughputLimit") == PER_GROUP and scope != "messageGroup":
        yield Violation(
            f"{queue} has a FifoThroughputLimit of {PER_GROUP} without the DeduplicationScope "
            "messageGroup",
            (queue, PROPERTIES, "FifoThroughputLimit"),
        )


def _known_end(linted: LintedFleet, queue: str) -> bool:
    """Return whether the template says how a queue's name ends: not by a value from elsewhere."""
    written = linted.resolver.template["Resources"][queue][PROPERTIES]["QueueName"]
    ends = str(linted.resolver.properties(queue)["QueueName"])
    return not ends.endswith(placeholder("")[-1]) and IMPORT not in str(written)


def _delay_unseen(linted: LintedFleet) -> Iterator[Violation]:
    counted = {
        query.stat.metric.name
        for alarm in linted.fleet.alarms
        for query in alarm.queries
        if query.stat
    }
    for queue in linted.queues():
        where = path(queue, PROPERTIES)
        delay = whole(linted.resolver.properties(queue), "DelaySeconds", where, 0)
        if delay and DELAYED not in counted:
            yield Violation(
                f"{queue} delays each message by {delay} seconds, and no alarm counts {DELAYED}",
                (queue, PROPERTIES, "DelaySeconds"),
            )


def _blocks_group(linted: LintedFleet) -> Iterator[Violation]:
    settings = linted.container.numbers() if linted.container else {}
    work = settings.get(DRAIN, settings.get(MESSAGE))
    for queue in linted.queues():
        where = path(queue, PROPERTIES)
        hidden = whole(
            linted.resolver.properties(queue), "VisibilityTimeout", where, VISIBILITY_DEFAULT
        )
        if work and _fifo(linted, queue) and hidden > LONG_BLOCK * work:
            yield Violation(
                f"{queue} hides a message for {hidden} seconds, {hidden / work:.0f} times the "
                f"{work:g} that its work may take",
                (queue, PROPERTIES, "VisibilityTimeout"),
            )


def _shares_receives(linted: LintedFleet) -> Iterator[Violation]:
    most = linted.fleet.group.max_size
    for queue in linted.queues():
        where = path(queue, PROPERTIES)
        redrive = part(linted.resolver.properties(queue), "RedrivePolicy", where)
        wanted = most + SPARE_RECEIVES
        count = whole(redrive, "maxReceiveCount", f"{where}.RedrivePolicy", wanted)
        if _fifo(linted, queue) and count < wanted:
            yield Violation(
                f"{queue} has a maxReceiveCount of {count}, and up to {most} instances may receive "
                "a message behind one that fails",
                (queue, PROPERTIES, "RedrivePolicy"),
            )


RULES = (
    Rule(
        id="fifo-mismatch",
        severity=Severity.ERROR,
        problem="The FIFO settings of a queue or of its dead-letter queue contradict one another.",
        why=(
            "SQS refuses it: a FIFO queue has a name that ends in .fifo and a dead-letter queue "
            "that is FIFO, only a FIFO queue has such settings, and a throughput limit per group "
            "needs deduplication per group."
        ),
        page="Amazon SQS FIFO queues; Using dead-letter queues in Amazon SQS",
        fix="Set FifoQueue on both queues or on neither, with names and settings that fit.",
        check=_mismatch,
    ),
    Rule(
        id="group-shares-receives",
        severity=Severity.NOTE,
        problem="One failing message of a FIFO queue may use up the receives of those behind it.",
        why=(
            "A receive returns several messages of one group. If the first one fails, the others "
            "go back unhandled, once for each instance that receives them, and may become dead "
            "letters without an attempt."
        ),
        page="FIFO queue delivery logic in Amazon SQS",
        fix="Set maxReceiveCount to the attempts that you want, plus MaxSize, plus 1 for drains.",
        check=_shares_receives,
    ),
    Rule(
        id="group-blocked-long",
        severity=Severity.NOTE,
        problem="A lost instance blocks message groups for much longer than their work takes.",
        why=(
            "While a message is in flight, those behind it in its group are not received. If its "
            "instance is lost, that lasts until the visibility timeout ends."
        ),
        page="Amazon SQS visibility timeout",
        fix="Shorten VisibilityTimeout, and extend it while the work goes on.",
        check=_blocks_group,
    ),
    Rule(
        id="delay-unseen",
        severity=Severity.NOTE,
        problem="The queue delays all messages, and no alarm counts the delayed ones.",
        why=(
            "A delayed message is neither visible nor in flight, so that the fleet starts only "
            "when the delay is over, and scales in meanwhile. In a FIFO queue a single message "
            "cannot have another delay."
        ),
        page="Amazon SQS delay queues",
        fix=f"Remove DelaySeconds, or add {DELAYED} to the backlog.",
        check=_delay_unseen,
    ),
)
