"""Operational events: log records as JSON lines, through the same sinks as the content."""

from __future__ import annotations

import contextlib
import logging
import warnings
from typing import TYPE_CHECKING, Final

from shared.logs import JsonFormatter

if TYPE_CHECKING:
    from consumer.ports import Sink

LIBRARIES: Final = ("boto3", "botocore", "urllib3")
"""At DEBUG these tell every byte of every request: their warnings are enough."""


class LineHandler(logging.Handler):
    """Writes each record as one line to a sink."""

    def __init__(self, sink: Sink, instance_id: str) -> None:
        """Put the instance's id into every line."""
        super().__init__()
        self.setFormatter(JsonFormatter({"instance_id": instance_id}))
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; a sink that is gone is for the worker to notice, not for its log."""
        with contextlib.suppress(OSError):
            self._sink.write([self.format(record).encode()])


def configure(sink: Sink, stdout: Sink, level: str, instance_id: str) -> None:
    """Send log records to the sink, and Python's warnings to standard output alone.

    Watchtower reports trouble on the way to CloudWatch Logs by warnings: sent the same way, each
    would cause the next.
    """
    # A handler's module may have set up logging while it was imported.
    logging.basicConfig(level=level, handlers=[LineHandler(sink, instance_id)], force=True)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    logging.getLogger("py.warnings").handlers = [LineHandler(stdout, instance_id)]
    logging.getLogger("py.warnings").propagate = False
    warnings.formatwarning = lambda message, *_where, **_line: str(message)
