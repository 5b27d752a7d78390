"""CloudWatch Logs as a sink of lines, through the library watchtower.

Watchtower sends: it puts a batch in order and makes the call. Its own queue is not used, because it
has no limit, forgets a batch after five attempts within seconds, and waits by the clock on the
wall. Lines wait in consumer.logs.backlog, and consumer.logs.delivery says when they are sent.
"""

from __future__ import annotations

import atexit
import random
import threading
from typing import TYPE_CHECKING, Any, Final

import boto3
import watchtower
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from consumer.clock import SystemClock, SystemThreads
from consumer.logs.backlog import Backlog
from consumer.logs.delivery import Delivery, DeliveryError, LinesRefusedError
from consumer.logs.events import get_logger
from consumer.logs.message_log import fitting
from shared.errors import WorkloadError
from shared.region import chosen_region
from shared.sqs.wrong_answers import PASSING, SERVER_ERROR, THROTTLING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_logs import CloudWatchLogsClient

    from consumer.logs.backlog import Event
    from consumer.logs.counts import MetricLabels
    from consumer.ports import Sink

log = get_logger(__name__)

EXIT_SECONDS: Final = 5.0
"""Limit for sending what waits where the program ends before it has begun to work."""

EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException"})
"""Errors that pass: a role's credentials are refreshed."""
FOREIGN: Final = "the answer is not CloudWatch Logs' own"
TOO_LARGE: Final = 413
"""HTTP's "content too large"."""


class LogGroupError(WorkloadError):
    """CloudWatch Logs cannot be called at all, for want of a region or such: exit with code 1."""


class CloudWatchLines:
    """A sink whose lines are sent to CloudWatch Logs by a thread of its own."""

    def __init__(self, backlog: Backlog, delivery: Delivery) -> None:
        """Start the thread; at the latest, the interpreter's exit ends it."""
        self._backlog, self._delivery, self._clock = backlog, delivery, SystemClock()
        self._thread = SystemThreads().start("logs", delivery.run)
        atexit.register(self.close, EXIT_SECONDS)

    @property
    def dropped(self) -> int:
        """Return how many lines were dropped so far."""
        return self._backlog.dropped

    def write(self, lines: list[bytes]) -> None:
        """Pass the lines on without waiting until they are sent."""
        self._backlog.add(self._clock.time(), [fitting(line) for line in lines])

    def close(self, seconds: float) -> None:
        """Send the lines that wait, within this time; lines that are written later are not sent."""
        atexit.unregister(self.close)
        self._backlog.close()
        self._thread.join(seconds)
        self._delivery.given_up = True
        if left := len(self._backlog):
            fields = {"lines": left, "lines_dropped": self.dropped}
            log.warning("log lines not sent", extra={"fields": fields})


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


class WatchtowerStream:
    """A log stream, which is created when it is first needed, or when it has gone."""

    def __init__(self, client: CloudWatchLogsClient, group: str, stream: str) -> None:
        """Send to this stream of the group; nothing is called yet."""
        self._client, self._group, self._stream = client, group, stream
        self._call = _Call(client)
        self._sender = _Sender(
            log_group_name=group,
            log_stream_name=stream,
            use_queues=False,
            boto3_client=self._call,  # type: ignore[arg-type] # it has what watchtower calls
            create_log_group=False,
            create_log_stream=False,
        )
        self._exists = False

    def put(self, events: list[Event]) -> int:
        """Send the events; return how many of them the service has refused.

        Raises:
            DeliveryError, LinesRefusedError.
        """
        try:
            if not self._exists:
                self._create()
            self._sender.send(events)
            answer = self._call.result()
        except DeliveryError:
            raise
        except ClientError as error:
            raise self._translated(error) from error
        except BotoCoreError as error:
            raise DeliveryError(str(error)) from error
        except Exception as error:  # of any kind: botocore's parser meets an answer of odd shape
            raise DeliveryError(f"{FOREIGN}: {type(error).__name__} {error}") from error
        if "json" not in (kind := _type(answer)):
            raise DeliveryError(f"{FOREIGN}: its type is {kind}")
        return refused_events(answer, len(events))

    def _create(self) -> None:
        try:
            self._client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        except self._client.exceptions.ResourceAlreadyExistsException:
            pass
        except self._client.exceptions.InvalidParameterException as error:
            raise DeliveryError(self._unusable(error), for_people=True) from error
        self._exists = True

    def _translated(self, error: ClientError) -> DeliveryError | LinesRefusedError:
        code, status = error.response["Error"].get("Code", "?"), _status(error)
        if code == "ResourceNotFoundException":
            existed, self._exists = self._exists, False
            if existed:
                return DeliveryError(f"log stream {self._stream} is gone")
            return DeliveryError(
                f"log group {self._group} does not exist: create it, or unset LOG_GROUP",
                for_people=True,
            )
        if code == "InvalidParameterException" or status == TOO_LARGE:
            return LinesRefusedError(_words(error))
        passing = code in THROTTLING or code in EXPIRED or status in PASSING
        if passing or status >= SERVER_ERROR:
            return DeliveryError(_words(error))
        return DeliveryError(self._unusable(error), for_people=True)

    def _unusable(self, error: ClientError) -> str:
        return f"log group {self._group} cannot be used: {_words(error)}"


class _Call:
    """The client that watchtower gets, of which it makes one call; it keeps how that ended.

    Watchtower would catch an error and turn it into a warning.
    """

    def __init__(self, client: CloudWatchLogsClient) -> None:
        self._client = client
        self._ended: list[Mapping[str, Any] | Exception] = []

    def put_log_events(self, **parameters: Any) -> Mapping[str, Any]:  # noqa: ANN401 - boto3's
        try:
            self._ended.append(self._client.put_log_events(**parameters))
        except Exception as error:  # noqa: BLE001 - `result` raises it, outside of watchtower
            self._ended.append(error)
        return {}

    def result(self) -> Mapping[str, Any]:
        """Return the answer to the call, or raise its error."""
        ended = self._ended.pop()
        if isinstance(ended, Exception):
            raise ended
        return ended


class _Sender(watchtower.CloudWatchLogHandler):
    """Watchtower's handler, which gets whole batches."""

    def send(self, events: list[Event]) -> None:
        """Make one call; the client has its answer."""
        self.sequence_tokens[self.log_stream_name] = None  # the service needs none since 2023
        batch = [{"timestamp": int(at * 1000), "message": line.decode()} for at, line in events]
        self._submit_batch(batch, self.log_stream_name, max_retries=1)  # type: ignore[no-untyped-call] # watchtower annotates some methods only


def connect(
    group: str, stream: str, limit: int, stdout: Sink, labels: MetricLabels
) -> CloudWatchLines:
    """Return a sink that writes to the stream; up to `limit` bytes of lines wait for it in memory.

    Nothing is called before the first line: the consumer's work does not depend on its log.

    Raises:
        LogGroupError: no region, or an endpoint that is no URL.
    """
    try:
        client = boto3.client(
            "logs",
            region_name=chosen_region(),
            config=Config(
                connect_timeout=5,
                read_timeout=10,
                retries={"mode": "standard", "total_max_attempts": 1},
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise LogGroupError(f"cannot use CloudWatch Logs: {error}") from error
    backlog = Backlog(limit)
    pauses = random.Random()  # noqa: S311 - random pauses are no secret
    delivery = Delivery(
        backlog, WatchtowerStream(client, group, stream), stdout, SystemClock(), labels, pauses
    )
    return CloudWatchLines(backlog, delivery)


def refused_events(answer: Mapping[str, Any], count: int) -> int:
    """Return how many events of a batch in order of time were refused, by the answer."""
    info = answer.get("rejectedLogEventsInfo") or {}
    ends = (info.get("tooOldLogEventEndIndex", 0), info.get("expiredLogEventEndIndex", 0))
    refused: int = max(ends) + count - info.get("tooNewLogEventStartIndex", count)
    return refused


def _type(answer: Mapping[str, Any]) -> str:
    """Return the media type of an answer, which a proxy may have given in the service's place."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(headers.get("content-type", "application/x-amz-json-1.1"))


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _words(error: ClientError) -> str:
    details = error.response["Error"]
    return f"{details.get('Code', '?')} {details.get('Message', '')}".rstrip()
