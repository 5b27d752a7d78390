"""Logging: writes records as JSON lines to the sinks of the messages' content."""

from __future__ import annotations

import contextlib
import logging
import warnings
from typing import TYPE_CHECKING, Final

from shared.logs import JsonFormatter

if TYPE_CHECKING:
    from consumer.ports import Sink

LIBRARIES: Final = ("boto3", "botocore", "urllib3")
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


def configure(sink: Sink, stdout: Sink, level: str, instance_id: str) -> None:
    """Send log records to the sink, and Python's warnings to standard output alone.

    Watchtower issues a warning when it cannot send to CloudWatch Logs. Sent to CloudWatch Logs,
    each warning would cause the next one.
    """
    # `force`, since a handler's module may have set up logging when it was imported.
    logging.basicConfig(level=level, handlers=[LineHandler(sink, instance_id)], force=True)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    logging.getLogger("py.warnings").handlers = [LineHandler(stdout, instance_id)]
    logging.getLogger("py.warnings").propagate = False
    warnings.formatwarning = lambda message, *_where, **_line: str(message)
