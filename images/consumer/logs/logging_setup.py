"""Logging: writes records as JSON lines to the sinks of the messages' content."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.logs import cloudwatch, events
from consumer.logs.message_log import WithoutContent
from shared.errors import WorkloadError
from shared.logs import JsonFormatter, LineStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.logs.counts import MetricLabels
    from consumer.ports import Sink
    from consumer.settings import Settings

LIBRARIES: Final = ("boto3", "botocore", "urllib3", "watchtower")
"""Libraries that log every byte of a request at DEBUG: only their warnings are logged."""


class LineHandler(logging.Handler):
    """A logging handler that writes each record as one line to a sink."""

    def __init__(self, sink: Sink, instance_id: str) -> None:
        """Put the instance's id into every line."""
        super().__init__()
        self.setFormatter(JsonFormatter({"instance_id": instance_id}))
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; ignore a broken sink: it ends the worker at its next write."""
        with contextlib.suppress(OSError):
            self._sink.write([self.format(record).encode()])


@dataclass(frozen=True, slots=True)
class Logs:
    """Where the lines go, and how many were dropped on the way so far.

    `close` sends what has not been sent yet, within the seconds that it is given.
    """

    sink: Sink
    close: Callable[[float], None]
    dropped: Callable[[], int]


def open_logs(settings: Settings, labels: MetricLabels) -> Logs:
    """Open standard output, and CloudWatch Logs if LOG_GROUP is set; start logging to them.

    Raises:
        WorkloadError: standard output is closed, or CloudWatch Logs cannot be called.
    """
    stdout = _open_stdout()
    configure(stdout, stdout, settings.log_level, settings.instance_id)
    if not settings.log_group:
        return Logs(stdout, _nothing_waits, lambda: 0)
    lines = cloudwatch.connect(
        settings.log_group, settings.log_stream, settings.log_buffer, stdout, labels
    )
    without = settings.message_logging == "agent"
    sink = cloudwatch.Tee(stdout, WithoutContent(lines) if without else lines)
    configure(sink, stdout, settings.log_level, settings.instance_id)
    return Logs(sink, lines.close, lambda: lines.dropped)


def configure(sink: Sink, stdout: Sink, level: str, instance_id: str) -> None:
    """Send events and log records to the sink, and Python's warnings to standard output alone.

    A library that sends to CloudWatch Logs may issue a warning about that. Sent to CloudWatch Logs,
    each warning would cause the next one.
    """
    events.root.handlers = [LineHandler(sink, instance_id)]
    events.root.setLevel(level)
    # `force`, since a handler's module may have set up logging when it was imported.
    logging.basicConfig(level=level, handlers=[LineHandler(sink, instance_id)], force=True)
    for name in LIBRARIES:
        # With a handler of its own, a library's warning does not depend on the root logger's.
        _own(name, LineHandler(sink, instance_id)).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    _own("py.warnings", LineHandler(stdout, instance_id))
    warnings.formatwarning = lambda message, *_where, **_line: str(message)


def _own(name: str, handler: logging.Handler) -> logging.Logger:
    logger = logging.getLogger(name)
    logger.handlers, logger.propagate = [handler], False
    return logger


def _open_stdout() -> LineStream:
    """Return standard output under a file descriptor that user code does not close or replace."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # keeps what handlers print in order
    try:
        return LineStream(os.fdopen(os.dup(1), "wb"))
    except OSError as error:
        raise WorkloadError(f"cannot write to standard output: {error.strerror}") from error


def _nothing_waits(_seconds: float) -> None:
    """Do nothing: every line has been written to standard output when its `write` has ended."""
