"""The consumer's settings, read from the environment by the table of settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer import setting_table as table
from consumer.cycle import Rhythm
from consumer.idempotency.key import IdempotencyKey
from consumer.retry import whole_seconds
from shared.queue_names import is_queue_url, without_login
from shared.settings import SettingsReader

if TYPE_CHECKING:
    from collections.abc import Mapping

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one consumer; durations are in seconds, `log_buffer` is in bytes.

    `queue_url` overrides `queue_name`. `visibility` is whole, as SQS takes it, and rounded up.
    An empty `log_group` means no CloudWatch Logs. With an empty `dead_letter_queue_url`, rejected
    messages are left to SQS. `workers` is None where it is not set.
    """

    queue_url: str
    queue_name: str
    dead_letter_queue_url: str
    envelope: str
    rhythm: Rhythm
    start: float
    workers: int | None
    concurrency: int
    message_seconds: float
    handler: str
    visibility: int
    retry_delay: float
    retry_delay_max: float
    drain: float
    idempotency_table: str
    idempotency_key: str
    idempotency_seconds: float
    log_group: str
    log_stream: str
    log_buffer: int
    log_level: str
    message_logging: str
    instance_id: str
    metrics_namespace: str


def read(environment: Mapping[str, str], host_name: str) -> Settings:
    """Read the settings; `host_name` stands in for an instance id that is not set.

    Raises:
        SettingsError: something is missing or wrong; it holds all of the problems.
    """
    reader = SettingsReader(environment)
    instance_id = reader.read(table.INSTANCE_ID) or host_name
    workers, drain = reader.read(table.WORKERS), reader.read(table.DRAIN_SECONDS)
    settings = Settings(
        queue_url=reader.read(table.QUEUE_URL),
        queue_name=reader.read(table.QUEUE_NAME),
        dead_letter_queue_url=_dead_letter_queue_url(reader),
        envelope=reader.read(table.ENVELOPE),
        rhythm=_rhythm(reader, drain),
        start=reader.read(table.START_SECONDS),
        workers=None if workers == table.AUTOMATIC else workers,
        concurrency=reader.read(table.CONCURRENCY),
        message_seconds=reader.read(table.MESSAGE_SECONDS),
        handler=reader.read(table.HANDLER),
        visibility=whole_seconds(reader.read(table.VISIBILITY_TIMEOUT_SECONDS)),
        retry_delay=reader.read(table.RETRY_DELAY_SECONDS),
        retry_delay_max=reader.read(table.RETRY_DELAY_MAX_SECONDS),
        drain=drain,
        idempotency_table=reader.read(table.IDEMPOTENCY_TABLE),
        idempotency_key=_idempotency_key(reader),
        idempotency_seconds=reader.read(table.IDEMPOTENCY_SECONDS),
        log_group=reader.read(table.LOG_GROUP),
        log_stream=reader.read(table.LOG_STREAM) or instance_id,
        log_buffer=reader.read(table.LOG_BUFFER_MIB) * MIB,
        log_level=reader.read(table.LOG_LEVEL),
        message_logging=reader.read(table.MESSAGE_LOGGING),
        instance_id=instance_id,
        metrics_namespace=reader.read(table.METRICS_NAMESPACE),
    )
    if not settings.queue_url and not settings.queue_name:
        reader.problem("set QUEUE_URL or QUEUE_NAME: which queue to work on")
    reader.finish()
    return settings


def _idempotency_key(reader: SettingsReader) -> str:
    template = reader.read(table.IDEMPOTENCY_KEY)
    try:
        IdempotencyKey(template, "")
    except ValueError as error:
        reader.problem(f"{table.IDEMPOTENCY_KEY.name}={template!r}: {error}")
    return template


def _dead_letter_queue_url(reader: SettingsReader) -> str:
    url = reader.read(table.DEAD_LETTER_QUEUE_URL)
    if url and not is_queue_url(url):
        reader.problem(
            f"DEAD_LETTER_QUEUE_URL={without_login(url)!r} is not a queue URL: give one like "
            "https://sqs.eu-west-1.amazonaws.com/123456789012/name"
        )
    return url


def _rhythm(reader: SettingsReader, drain: float) -> Rhythm:
    rhythm = Rhythm.of_settings(
        messages_per_poll=reader.read(table.MESSAGES_PER_POLL),
        poll_wait=reader.read(table.POLL_WAIT_SECONDS),
        receive_wait=reader.read(table.RECEIVE_WAIT_SECONDS),
        drain=drain,
    )
    if rhythm.poll_wait == 0 and rhythm.receive_wait == 0:
        reader.problem(
            "POLL_WAIT_SECONDS=0 and RECEIVE_WAIT_SECONDS=0 would ask an empty queue without a "
            "pause, and SQS charges for every request: give one of them a time"
        )
    return rhythm
