"""Tests of log records as lines."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import pytest
from support.fakes.consuming import FakeSink

from consumer.logs import logging_setup
from consumer.logs.events import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fresh_logging() -> Iterator[None]:
    """Restore logging and warnings afterwards."""
    root = logging.getLogger()
    others = [logging.getLogger(name) for name in ("py.warnings", *logging_setup.LIBRARIES)]
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    with warnings.catch_warnings():
        show, form = warnings.showwarning, warnings.formatwarning
        yield
        logging.captureWarnings(capture=False)
        warnings.showwarning, warnings.formatwarning = show, form
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger in others:
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)


@pytest.mark.usefixtures("fresh_logging")
def test_records_become_lines_of_their_instance() -> None:
    """Records of the chosen level become lines; of libraries, only warnings."""
    sink, stdout = FakeSink(), FakeSink()
    logging_setup.configure(sink, stdout, "DEBUG", "i-0123")
    get_logger("consumer.worker").debug("queue empty", extra={"fields": {"wait": 1}})
    logging.getLogger("botocore.endpoint").debug("a very long story")
    logging.getLogger("urllib3.connectionpool").warning("slow")
    assert [(line["event"], line["level"]) for line in sink.lines] == [
        ("queue empty", "DEBUG"),
        ("slow", "WARNING"),
    ]
    assert (sink.lines[0]["instance_id"], sink.lines[0]["wait"]) == ("i-0123", 1)
    assert stdout.lines == []


@pytest.mark.usefixtures("fresh_logging")
def test_the_warnings_of_libraries_do_not_depend_on_the_root_logger() -> None:
    """A handler's module may take the root logger over when it is imported."""
    sink = FakeSink()
    logging_setup.configure(sink, FakeSink(), "INFO", "i-0123")
    logging.basicConfig(level="CRITICAL", handlers=[logging.NullHandler()], force=True)
    logging.getLogger("botocore.credentials").warning("refreshing failed")
    assert [line["event"] for line in sink.lines] == ["refreshing failed"]


@pytest.mark.usefixtures("fresh_logging")
def test_warnings_go_to_standard_output_alone() -> None:
    """A warning about CloudWatch Logs, sent to CloudWatch Logs, would cause the next one."""
    sink, stdout = FakeSink(), FakeSink()
    logging_setup.configure(sink, stdout, "INFO", "i-0123")
    warnings.simplefilter("always")
    warnings.warn("Failed to deliver logs", stacklevel=1)
    assert sink.lines == []
    [line] = stdout.lines
    assert (line["level"], line["event"]) == ("WARNING", "Failed to deliver logs")


@pytest.mark.usefixtures("fresh_logging")
def test_a_sink_that_is_gone_breaks_no_log_call() -> None:
    """The worker's own next write raises the error of a closed standard output."""
    sink = FakeSink()
    sink.error = BrokenPipeError()
    logging_setup.configure(sink, sink, "INFO", "i-0123")
    get_logger("consumer").info("stopping")
    logging.getLogger("mine").warning("odd")
    assert sink.lines == []
