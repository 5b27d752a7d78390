"""The consumer's settings: one table of names, kinds, defaults, bounds and meanings.

The consumer, docs/settings.md, the rig, the simulator and the lint rules read this table. To add a
setting, declare it here, list it in CHAPTERS, read it in consumer.settings, and pass it in
consumer.program to the code that uses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.quotas import MAX_BATCH, MAX_LONG_POLL, MAX_VISIBILITY
from shared.settings import Choice, Seconds, Text, Whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.settings import Setting

DAY: Final = 86_400

QUEUE_URL: Final = Text(
    name="QUEUE_URL",
    meaning="URL of the queue to work on; it overrides QUEUE_NAME, and one of the two is needed.",
)
QUEUE_NAME: Final = Text(
    name="QUEUE_NAME",
    meaning="Name of the queue to work on, in the account and region of the credentials.",
)
DEAD_LETTER_QUEUE_URL: Final = Text(
    name="DEAD_LETTER_QUEUE_URL",
    otherwise="a rejected message is received again until SQS moves it",
    meaning=(
        "URL of the queue to which messages that a handler rejects are sent at once, with the "
        "reason among their attributes."
    ),
)
ENVELOPE: Final = Choice(
    name="ENVELOPE",
    default="none",
    allowed=("none", "sns", "eventbridge", "s3", "auto"),
    meaning=(
        "What is around each message and taken off before a handler gets it; with auto, whichever "
        "of them is recognised."
    ),
)
MESSAGES_PER_POLL: Final = Whole(
    name="MESSAGES_PER_POLL",
    default=10,
    low=1,
    high=1_000_000,
    unit="messages",
    meaning=(
        f"Messages that one poll takes at most, in receives of up to {MAX_BATCH}; a poll ends "
        "early when a receive returns no message."
    ),
)
POLL_WAIT_SECONDS: Final = Seconds(
    name="POLL_WAIT_SECONDS",
    default=60,
    low=0,
    high=DAY,
    meaning=(
        "Pause after each poll; with 0 there is none, and RECEIVE_WAIT_SECONDS has to be above 0."
    ),
)
RECEIVE_WAIT_SECONDS: Final = Seconds(
    name="RECEIVE_WAIT_SECONDS",
    default=MAX_LONG_POLL,
    low=0,
    high=MAX_LONG_POLL,
    whole=True,
    meaning=(
        "Time that the first receive of a poll waits for a message (SQS's long polling), no longer "
        "than DRAIN_SECONDS allows; a receive that does not wait may miss messages."
    ),
)
START_SECONDS: Final = Seconds(
    name="START_SECONDS",
    default=300,
    low=0,
    high=DAY,
    meaning=(
        "Time after its start for which the consumer tries again if the queue does not answer, "
        "before it exits with code 1; once it has had an answer, it never gives up."
    ),
)
HANDLER: Final = Text(
    name="HANDLER",
    default="consumer.handlers:log_only",
    meaning=(
        "Function, class or object that handles messages, as package.module:name; it must be "
        "importable, and docs/handlers.md says what it may be."
    ),
)
AUTOMATIC: Final = -1
"""Value of WORKERS where it is not set."""

WORKERS: Final = Whole(
    name="WORKERS",
    default=AUTOMATIC,
    otherwise="one for each CPU if HANDLER is set, else 0",
    low=0,
    high=256,
    unit="processes",
    meaning=(
        "Processes in which handlers run, so that a message that ends its process costs no other "
        "one; with 0 they run in threads of the consumer."
    ),
)
CONCURRENCY: Final = Whole(
    name="CONCURRENCY",
    default=1,
    low=1,
    high=100,
    unit="messages",
    meaning=(
        "Messages that are handled at the same time in each process of WORKERS, each in a thread "
        "or task of its own."
    ),
)
MESSAGE_SECONDS: Final = Seconds(
    name="MESSAGE_SECONDS",
    default=30,
    low=0.001,
    high=MAX_VISIBILITY,
    meaning=(
        "Time limit of a message, after which its handler is ended and the message waits for its "
        "next attempt; a handler can ask for more time."
    ),
)
VISIBILITY_TIMEOUT_SECONDS: Final = Seconds(
    name="VISIBILITY_TIMEOUT_SECONDS",
    default=120,
    low=0.001,
    high=MAX_VISIBILITY,
    whole=True,
    meaning=(
        "Time that a received message is hidden from other consumers; the consumer extends it "
        "whenever half of it is over, until the message is done."
    ),
)
RETRY_DELAY_SECONDS: Final = Seconds(
    name="RETRY_DELAY_SECONDS",
    default=30,
    low=0,
    high=MAX_VISIBILITY,
    whole=True,
    meaning=(
        "Delay until a message that failed once may be received again; each further failure "
        "doubles it."
    ),
)
RETRY_DELAY_MAX_SECONDS: Final = Seconds(
    name="RETRY_DELAY_MAX_SECONDS",
    default=900,
    low=0,
    high=MAX_VISIBILITY,
    whole=True,
    meaning="Longest delay of a failed message, however often it failed.",
)
IDEMPOTENCY_TABLE: Final = Text(
    name="IDEMPOTENCY_TABLE",
    otherwise="no table",
    meaning=(
        "DynamoDB table that remembers which messages were processed, so that copies of them are "
        "deleted and not handled (docs/idempotency.md)."
    ),
)
IDEMPOTENCY_KEY: Final = Text(
    name="IDEMPOTENCY_KEY",
    default="{@message_id}",
    meaning=(
        "Which messages count as the same: a text with fields of the body, as {order.id}, or with "
        "{@message_id}, {@group_id}, {@deduplication_id} or {@attribute.NAME}."
    ),
)
IDEMPOTENCY_SECONDS: Final = Seconds(
    name="IDEMPOTENCY_SECONDS",
    default=DAY,
    low=60,
    high=400 * DAY,
    meaning="Time for which a processed message is remembered.",
)
DRAIN_SECONDS: Final = Seconds(
    name="DRAIN_SECONDS",
    default=9,
    low=1,
    high=DAY,
    meaning=(
        "Time from a signal to stop until the process has ended: more than half of it for running "
        "handlers, then to return what is not done to the queue, at last for logs; by default less "
        "than Docker's ten seconds."
    ),
)
LOG_GROUP: Final = Text(
    name="LOG_GROUP",
    otherwise="no CloudWatch Logs",
    meaning="Log group of CloudWatch Logs for all lines, besides standard output.",
)
LOG_STREAM: Final = Text(
    name="LOG_STREAM",
    otherwise="INSTANCE_ID",
    meaning="Log stream within LOG_GROUP.",
)
LOG_BUFFER_MIB: Final = Whole(
    name="LOG_BUFFER_MIB",
    default=16,
    low=2,
    high=1024,
    unit="MiB",
    meaning=(
        "Memory for lines that wait for LOG_GROUP, as in an outage of CloudWatch Logs; what comes "
        "when it is full is dropped there and counted (docs/reliability.md)."
    ),
)
LOG_LEVEL: Final = Choice(
    name="LOG_LEVEL",
    default="INFO",
    allowed=("DEBUG", "INFO", "WARNING", "ERROR"),
    meaning="Least severe event that is logged; the content of messages is logged at any level.",
)
MESSAGE_LOGGING: Final = Choice(
    name="MESSAGE_LOGGING",
    default="both",
    allowed=("both", "worker", "agent"),
    meaning=(
        "Which programs send the messages' content to CloudWatch Logs: the consumer does not with "
        "agent, and its lines in LOG_GROUP then lack it; standard output always has it."
    ),
)
INSTANCE_ID: Final = Text(
    name="INSTANCE_ID",
    otherwise="the host's name",
    meaning="Name of this consumer in its log lines and metrics.",
)
METRICS_NAMESPACE: Final = Text(
    name="METRICS_NAMESPACE",
    default="Tidemill",
    meaning=(
        "Namespace of the metrics in the log lines, which CloudWatch reads from there (embedded "
        "metric format)."
    ),
)

CHAPTERS: Final[Mapping[str, tuple[Setting, ...]]] = {
    "Queue": (QUEUE_URL, QUEUE_NAME, DEAD_LETTER_QUEUE_URL, ENVELOPE),
    "Polling": (MESSAGES_PER_POLL, POLL_WAIT_SECONDS, RECEIVE_WAIT_SECONDS, START_SECONDS),
    "Handling": (
        HANDLER,
        WORKERS,
        CONCURRENCY,
        MESSAGE_SECONDS,
        VISIBILITY_TIMEOUT_SECONDS,
        RETRY_DELAY_SECONDS,
        RETRY_DELAY_MAX_SECONDS,
    ),
    "Idempotency": (IDEMPOTENCY_TABLE, IDEMPOTENCY_KEY, IDEMPOTENCY_SECONDS),
    "Stopping": (DRAIN_SECONDS,),
    "Logs and metrics": (
        LOG_GROUP,
        LOG_STREAM,
        LOG_BUFFER_MIB,
        LOG_LEVEL,
        MESSAGE_LOGGING,
        INSTANCE_ID,
        METRICS_NAMESPACE,
    ),
}
"""The settings in the order of docs/settings.md, by the title of their chapter there."""

SETTINGS: Final[tuple[Setting, ...]] = tuple(
    setting for chapter in CHAPTERS.values() for setting in chapter
)

DURATIONS: Final = tuple(setting for setting in SETTINGS if isinstance(setting, Seconds))
"""The settings that a rig with a faster clock divides by its speed."""
