"""The consumer's settings, read from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.cycle import RECEIVE_LIMIT, Rhythm
from consumer.retry import whole_seconds
from shared.queue import LONG_POLL, MAX_VISIBILITY
from shared.settings import SettingsReader

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_HANDLER: Final = "consumer.handlers:log_only"
DAY: Final = 86_400.0
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a consumer can be told; durations are in seconds.

    `queue_url` wins over `queue_name`. `visibility` is whole, as SQS takes it, and rounded up.
    An empty `log_group` means no CloudWatch Logs.
    """

    queue_url: str
    queue_name: str
    rhythm: Rhythm
    concurrency: int
    handler: str
    visibility: int
    retry_delay: float
    retry_delay_max: float
    drain: float
    log_group: str
    log_stream: str
    log_level: str
    instance_id: str
    metrics_namespace: str


def read(environment: Mapping[str, str], host_name: str) -> Settings:
    """Read the settings; `host_name` stands in for an instance id that is not set.

    Raises:
        SettingsError: something is missing or wrong; it holds all of the problems.
    """
    reader = SettingsReader(environment)
    instance_id = reader.text("INSTANCE_ID", host_name)
    settings = Settings(
        queue_url=reader.text("QUEUE_URL"),
        queue_name=reader.text("QUEUE_NAME"),
        rhythm=_rhythm(reader),
        # A receive brings ten messages at most, so there is never work for an eleventh thread.
        concurrency=reader.whole("CONCURRENCY", 1, 1, RECEIVE_LIMIT),
        handler=reader.text("HANDLER", DEFAULT_HANDLER),
        visibility=whole_seconds(
            reader.seconds("VISIBILITY_TIMEOUT_SECONDS", 120, 0.001, MAX_VISIBILITY)
        ),
        retry_delay=reader.seconds("RETRY_DELAY_SECONDS", 30, 0, MAX_VISIBILITY),
        retry_delay_max=reader.seconds("RETRY_DELAY_MAX_SECONDS", 900, 0, MAX_VISIBILITY),
        drain=reader.seconds("DRAIN_SECONDS", 30, 0, DAY),
        log_group=reader.text("LOG_GROUP"),
        log_stream=reader.text("LOG_STREAM", instance_id),
        log_level=reader.choice("LOG_LEVEL", "INFO", LEVELS),
        instance_id=instance_id,
        metrics_namespace=reader.text("METRICS_NAMESPACE", "Tidemill"),
    )
    if not settings.queue_url and not settings.queue_name:
        reader.problem("set QUEUE_URL or QUEUE_NAME: which queue to work on")
    reader.finish()
    return settings


def _rhythm(reader: SettingsReader) -> Rhythm:
    rhythm = Rhythm(
        messages_per_poll=reader.whole("MESSAGES_PER_POLL", 10, 1, 1_000_000),
        poll_wait=reader.seconds("POLL_WAIT_SECONDS", 60, 0, DAY),
        receive_wait=whole_seconds(reader.seconds("RECEIVE_WAIT_SECONDS", 20, 0, LONG_POLL)),
    )
    if rhythm.poll_wait == 0 and rhythm.receive_wait == 0:
        reader.problem(
            "POLL_WAIT_SECONDS=0 and RECEIVE_WAIT_SECONDS=0 would ask an empty queue without a "
            "pause, and SQS charges for every request: give one of them a time"
        )
    return rhythm
