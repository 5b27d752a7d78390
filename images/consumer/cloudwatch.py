"""CloudWatch Logs as a sink, by watchtower."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

import boto3
import watchtower
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from shared.errors import WorkloadError
from shared.queue import THROTTLING
from shared.region import chosen_region

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

    from consumer.ports import Sink

log = logging.getLogger(__name__)

SEND_SECONDS: Final = 5
"""Longest that a line waits for company before it is sent."""

FLUSH_SECONDS: Final = 5
"""Limit for sending what is left at the end."""

LARGEST_EVENT: Final = 1_048_576
"""Bytes of a log event, 26 of overhead included (API reference, PutLogEvents)."""


class LogGroupError(WorkloadError):
    """CloudWatch Logs refuses to take lines: exit with code 1."""


class CloudWatchLines:
    """Hands lines to watchtower, which sends them in batches from a thread of its own.

    An outage costs the lines of its time, and nothing else: they are on standard output as well.
    """

    def __init__(self, handler: logging.Handler) -> None:
        """Write to this handler; logging.shutdown() flushes and closes it."""
        self._handler = handler

    def write(self, lines: list[bytes]) -> None:
        """Hand the lines over, without waiting for them to be sent."""
        for line in lines:
            text = line.decode()
            self._handler.handle(
                logging.LogRecord(__name__, logging.INFO, "", 0, text, args=None, exc_info=None)
            )


class Tee:
    """Writes to several sinks, which all get their lines in the same order."""

    def __init__(self, *sinks: Sink) -> None:
        """Write to these sinks, in this order."""
        self._sinks = sinks
        self._lock = threading.RLock()  # a sink in trouble may log, through this one

    def write(self, lines: list[bytes]) -> None:
        """Write the lines to all sinks before another thread's lines come."""
        with self._lock:
            for sink in self._sinks:
                sink.write(lines)


def connect(group: str, stream: str) -> CloudWatchLines:
    """Create the stream in the group, if need be, and return a sink that writes to it.

    A service that does not answer is only a warning: the stream is created when it does.

    Raises:
        LogGroupError: no such group, not allowed, no credentials or region.
    """
    try:
        client = boto3.client(
            "logs",
            region_name=chosen_region(),
            config=Config(
                connect_timeout=5,
                read_timeout=10,
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
        )
        _ensure_stream(client, group, stream)
    except (BotoConnectionError, HTTPClientError) as error:
        log.warning("CloudWatch Logs unavailable", extra={"fields": {"reason": str(error)}})
    except (BotoCoreError, ValueError) as error:
        raise LogGroupError(f"cannot use CloudWatch Logs: {error}") from error
    handler = watchtower.CloudWatchLogHandler(
        log_group_name=group,
        log_stream_name=stream.replace("{", "{{").replace("}", "}}"),  # it is a format string
        boto3_client=client,
        create_log_group=False,
        send_interval=SEND_SECONDS,
        max_message_size=LARGEST_EVENT,
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.FLUSH_TIMEOUT = FLUSH_SECONDS
    return CloudWatchLines(handler)


def _ensure_stream(client: CloudWatchLogsClient, group: str, stream: str) -> None:
    try:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    except client.exceptions.ResourceAlreadyExistsException:
        return
    except client.exceptions.ResourceNotFoundException as error:
        raise LogGroupError(
            f"log group {group} does not exist: create it, or unset LOG_GROUP"
        ) from error
    except ClientError as error:
        details = error.response["Error"]
        text = f"{details.get('Code', '?')} {details.get('Message', '')}".rstrip()
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if details.get("Code") not in THROTTLING and status < 500:  # noqa: PLR2004 - HTTP's limit
            raise LogGroupError(f"log group {group} cannot be used: {text}") from error
        log.warning("CloudWatch Logs unavailable", extra={"fields": {"reason": text}})
