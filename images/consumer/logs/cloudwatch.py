"""CloudWatch Logs as a sink of lines, through the library watchtower."""

from __future__ import annotations

import atexit
import logging
import threading
from typing import TYPE_CHECKING, Final

import boto3
import watchtower
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from consumer.logs.events import get_logger
from shared.errors import WorkloadError
from shared.queue_errors import THROTTLING
from shared.region import chosen_region

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

    from consumer.ports import Sink

log = get_logger(__name__)

SEND_SECONDS: Final = 5
"""Longest time that a line waits, so that more lines can be sent in the same request."""

FLUSH_SECONDS: Final = 5
"""Limit for sending the remaining lines at the end."""

LARGEST_EVENT: Final = 1_048_576
"""Bytes of a log event, 26 of overhead included (API reference, PutLogEvents)."""


class LogGroupError(WorkloadError):
    """A log group that cannot be used: exit with code 1."""


class LastingHandler(watchtower.CloudWatchLogHandler):
    """Watchtower's handler, which `logging.shutdown` does not close: `finish` does.

    A handler's module may call it, and `logging.config.dictConfig` does so, too.
    """

    def flush(self) -> None:
        """Do nothing: lines are sent when they are due."""

    def close(self) -> None:
        """Do nothing, see `finish`."""

    def finish(self) -> None:
        """Send what waits, for FLUSH_SECONDS at most, and accept no more."""
        super().close()  # type: ignore[no-untyped-call] # watchtower annotates some methods only


class CloudWatchLines:
    """Passes lines to watchtower, which sends them in batches from a thread of its own.

    Lines written during an outage are missing in CloudWatch Logs. They are on standard output.
    """

    def __init__(self, handler: LastingHandler) -> None:
        """Write to this handler; at the latest, the interpreter's exit closes it."""
        self._handler = handler
        atexit.register(handler.finish)

    def close(self) -> None:
        """Send the lines that wait, and end: lines that are written later are not sent."""
        atexit.unregister(self._handler.finish)
        self._handler.finish()

    def write(self, lines: list[bytes]) -> None:
        """Pass the lines on without waiting until they are sent."""
        for line in lines:
            text = line.decode()
            self._handler.handle(
                logging.LogRecord(__name__, logging.INFO, "", 0, text, args=None, exc_info=None)
            )


class Tee:
    """Several sinks that all get the same lines in the same order."""

    def __init__(self, *sinks: Sink) -> None:
        """Write to these sinks, in this order."""
        self._sinks = sinks
        self._lock = threading.RLock()  # reentrant, since a failing sink may log through this one

    def write(self, lines: list[bytes]) -> None:
        """Write the lines to all sinks before any other thread's lines."""
        with self._lock:
            for sink in self._sinks:
                sink.write(lines)


def connect(group: str, stream: str) -> CloudWatchLines:
    """Create the stream in the group if it does not exist; return a sink that writes to it.

    A service that does not answer causes only a warning: watchtower creates the stream later.

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
    handler = LastingHandler(
        log_group_name=group,
        log_stream_name=stream.replace("{", "{{").replace(
            "}", "}}"
        ),  # watchtower takes a format string
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
