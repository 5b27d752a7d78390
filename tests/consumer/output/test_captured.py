"""Tests of what handlers print and log in threads of the consumer."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import pytest
from support.fakes.consuming import CIVIC, START, FakeSink

from consumer.attempt import AttemptResult
from consumer.handlers.arrival import Arrival
from consumer.handlers.errors import HandlerError
from consumer.handlers.loading import handler_of, load
from consumer.output.captured import load_captured

if TYPE_CHECKING:
    from consumer.handlers.handler import Handler

ARRIVAL = Arrival("id-1", CIVIC, 1, START, START, START + 30)


def no_extension(_place: int, _seconds: float) -> None:
    """Extend nothing."""


def captured(handler: object, sink: FakeSink) -> Handler:
    """Load a handler with capture."""
    return load_captured(lambda: handler_of(handler), sink, "INFO", "i-0123")


def test_lines_of_a_handler_have_its_messages_id() -> None:
    """A line without an end is written when the message is done."""

    def handle(_message: object) -> None:
        print("one")  # noqa: T201 - what is tested
        logging.getLogger("mine").warning("two %d", 2)
        print("three", end="")  # noqa: T201 - what is tested

    sink, before = FakeSink(), sys.stdout
    handler = captured(handle, sink)
    [verdict] = handler.call([ARRIVAL], no_extension)
    handler.shutdown()
    assert verdict.result is AttemptResult.PROCESSED
    assert [line["text"] for line in sink.events("output")] == ["one", "two 2", "three"]
    assert {line["message_id"] for line in sink.lines} == {"id-1"}
    assert {line["instance_id"] for line in sink.lines} == {"i-0123"}
    assert sys.stdout is before


def test_what_is_written_around_python_is_kept_apart(capfd: pytest.CaptureFixture[str]) -> None:
    """It could be glued to the consumer's own lines, which go to a copy of standard output."""

    def handle(_message: object) -> None:
        os.write(1, b"by C, without an end")
        sys.stdout.close()

    sink = FakeSink()
    handler = captured(handle, sink)
    handler.call([ARRIVAL], no_extension)
    handler.shutdown()
    assert sink.lines == []
    assert capfd.readouterr() == ("", "by C, without an end")
    os.write(1, b"free again\n")
    assert capfd.readouterr().out == "free again\n"


def test_a_handler_that_cannot_be_loaded_leaves_the_streams_as_they_were() -> None:
    """The program prints the reason to standard error itself."""
    before = sys.stdout, sys.stderr
    with pytest.raises(HandlerError):
        load_captured(lambda: load("no_such_module:do"), FakeSink(), "INFO", "i-0123")
    assert (sys.stdout, sys.stderr) == before
