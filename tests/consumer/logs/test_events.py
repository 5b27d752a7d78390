"""Tests of the consumer's own events, which user code cannot silence."""

from __future__ import annotations

import logging
import logging.config
from typing import TYPE_CHECKING

import pytest
from support.fakes.consuming import FakeSink

from consumer.logs import events, logging_setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = events.get_logger("consumer.logs.test_events")


@pytest.fixture
def sink() -> Iterator[FakeSink]:
    """Provide the sink of events that are logged from INFO on, and restore `logging` afterwards."""
    factory, root = logging.getLogRecordFactory(), logging.getLogger()
    before, level = root.handlers[:], root.level
    loggers = [
        each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger)
    ]
    disabled = {logger: logger.disabled for logger in loggers}
    sink = FakeSink()
    events.root.handlers = [logging_setup.LineHandler(sink, "i-0123")]
    events.root.setLevel("INFO")
    yield sink
    for logger, was in disabled.items():  # dictConfig disables the loggers of all libraries
        logger.disabled = was
    logging.disable(logging.NOTSET)
    logging.setLogRecordFactory(factory)
    logging.addLevelName(logging.INFO, "INFO")
    logging.setLoggerClass(logging.Logger)
    root.handlers[:] = before
    root.setLevel(level)


class Mute(logging.Logger):
    """A logger of user code that logs nothing."""

    def handle(self, record: logging.LogRecord) -> None:
        """Drop the record."""


def own_records(*_: object, **__: object) -> logging.LogRecord:
    """Fail as a factory of records."""
    raise RuntimeError("no record today")


@pytest.mark.parametrize(
    "takes_over",
    [
        pytest.param(lambda: logging.config.dictConfig({"version": 1}), id="dictConfig"),
        pytest.param(lambda: logging.disable(logging.CRITICAL), id="disable"),
        pytest.param(logging.shutdown, id="shutdown"),
        pytest.param(logging.getLogger().handlers.clear, id="handlers removed"),
        pytest.param(
            lambda: logging.getLogger(log.name).setLevel(logging.CRITICAL), id="level of its name"
        ),
        pytest.param(
            lambda: logging.basicConfig(level=logging.CRITICAL, force=True), id="basicConfig"
        ),
        pytest.param(lambda: logging.setLogRecordFactory(own_records), id="factory of records"),
        pytest.param(lambda: logging.addLevelName(logging.INFO, "hint"), id="name of a level"),
        pytest.param(lambda: logging.setLoggerClass(Mute), id="class of loggers"),
    ],
)
def test_nothing_that_user_code_does_to_logging_silences_events(
    sink: FakeSink, takes_over: Callable[[], object]
) -> None:
    """Loggers that were there before and loggers that are new both write, at their levels."""
    takes_over()
    log.info("stopping", extra={"fields": {"in_hand": 3}})
    events.get_logger(f"{log.name}.{takes_over!r}").error("worker failed")
    log.debug("queue empty")
    assert [(line["event"], line["level"]) for line in sink.lines] == [
        ("stopping", "INFO"),
        ("worker failed", "ERROR"),
    ]
    assert sink.lines[0]["in_hand"] == 3


def test_an_event_that_is_logged_in_a_wrong_way_is_a_line_all_the_same(sink: FakeSink) -> None:
    """A format with other arguments, and extra fields that are none, raise nothing."""
    log.info("%d messages", "many")
    log.info("odd", extra={"fields": 3, "msg": "taken"})  # noqa: G101 - on purpose
    assert [line["event"] for line in sink.lines] == ["%d messages ('many',)", "odd"]
    assert sink.lines[1]["fields"] == "3"
