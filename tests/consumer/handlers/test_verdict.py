"""Tests of the table of docs/handlers.md: what returning and raising mean for a message."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.builders.handlers import verdict

from consumer.attempt import AttemptResult
from consumer.handlers.api import Message, Reject, Retry
from consumer.handlers.verdict import REASON_LIMIT, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable


class UnprintableError(Exception):
    """An exception whose text cannot be made, in the worst way."""

    def __str__(self) -> str:
        """Fail."""
        raise SystemExit

    __repr__ = __str__


class SilentRejection(Reject):
    """A subclass that does not call the constructor of its base."""

    def __init__(self) -> None:
        """Leave out the reason."""


class EndlessRetry(Retry):
    """A subclass that spoils its number of seconds."""

    def __init__(self) -> None:
        """Wait for ever."""
        self.after = float("inf")


def raising(error: BaseException) -> Callable[[Message], None]:
    """Return a handler that raises the error."""

    def handler(_: Message) -> None:
        raise error

    return handler


@pytest.mark.parametrize(
    "value", [None, "done", 0, False, [], {}], ids=["nothing", "text", "zero", "no", "list", "dict"]
)
def test_a_handler_that_returns_has_processed_the_message(value: object) -> None:
    """What it returns does not matter."""
    assert verdict(lambda _: value) == Verdict(AttemptResult.PROCESSED)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(ValueError("no such make"), "ValueError: no such make", id="exception"),
        pytest.param(KeyError("make"), "KeyError: 'make'", id="key"),
        pytest.param(RuntimeError(), "RuntimeError", id="no text"),
        pytest.param(MemoryError(), "MemoryError", id="memory"),
        pytest.param(RuntimeError("two\nlines"), "RuntimeError: two lines", id="lines"),
        pytest.param(SystemExit(3), "SystemExit: 3", id="exit"),
        pytest.param(KeyboardInterrupt(), "KeyboardInterrupt", id="interrupt"),
        pytest.param(asyncio.CancelledError(), "CancelledError", id="cancelled"),
        pytest.param(GeneratorExit(), "GeneratorExit", id="generator"),
        pytest.param(
            ExceptionGroup("several", [ValueError("a"), ExceptionGroup("in", [KeyError("b")])]),
            "ExceptionGroup: several (2 sub-exceptions): ValueError: a: KeyError: 'b'",
            id="group",
        ),
    ],
)
def test_whatever_a_handler_raises_fails_its_message(error: BaseException, reason: str) -> None:
    """The reason is the exception's type and text, on one line."""
    found = verdict(raising(error)).reason
    assert verdict(raising(error)).result is AttemptResult.FAILED
    assert found is not None
    assert found.removeprefix("asyncio.exceptions.") == reason


def test_half_a_character_in_an_exception_is_escaped() -> None:
    """The log gets the exception as it is, which a parallel run of pytest cannot report."""
    logging.disable()
    try:
        found = verdict(raising(RuntimeError("half \ud800")))
    finally:
        logging.disable(logging.NOTSET)
    assert found == Verdict(AttemptResult.FAILED, r"RuntimeError: half \ud800")


def test_an_exception_whose_text_cannot_be_made_is_a_failure_like_any_other() -> None:
    """Its type is named."""
    found = verdict(raising(UnprintableError()))
    assert found.result is AttemptResult.FAILED
    assert "UnprintableError" in (found.reason or "")


def test_a_rejection_carries_its_reason() -> None:
    """Any object can be the reason; a subclass may leave it out."""
    assert verdict(raising(Reject("no such order"))) == Verdict(
        AttemptResult.REJECTED, "no such order"
    )
    assert verdict(raising(Reject(404))).reason == "404"
    assert verdict(raising(SilentRejection())) == Verdict(AttemptResult.REJECTED, "rejected")
    assert verdict(raising(Reject(UnprintableError()))).result is AttemptResult.REJECTED


def test_a_retry_carries_its_seconds() -> None:
    """The reason is optional; a subclass with impossible seconds is a failure."""
    assert verdict(raising(Retry(after=59.1))) == Verdict(AttemptResult.RETRY, None, 60)
    assert verdict(raising(Retry(5, "locked"))) == Verdict(AttemptResult.RETRY, "locked", 5)
    assert verdict(raising(EndlessRetry())).result is AttemptResult.FAILED


def test_a_returned_exception_counts_as_raised() -> None:
    """As in a batch, so that a forgotten `raise` loses nothing."""
    assert verdict(lambda _: Reject("old")) == Verdict(AttemptResult.REJECTED, "old")
    assert verdict(lambda _: ValueError("no")) == Verdict(AttemptResult.FAILED, "ValueError: no")


async def _work() -> None:
    """Do nothing."""


def _numbers() -> object:
    yield 1


class Awaitable:
    """An object that can be awaited."""

    def __await__(self) -> object:
        """Return an iterator."""
        return iter(())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(_work, "declare the handler with async def", id="coroutine"),
        pytest.param(Future, "return what its result() returns", id="future"),
        pytest.param(Awaitable, "declare the handler with async def", id="awaitable"),
        pytest.param(_numbers, "use return instead of yield", id="generator"),
    ],
)
def test_work_that_was_not_done_is_a_failure(value: Callable[[], object], reason: str) -> None:
    """A function without async or yield may still return what would have to be awaited or read."""
    found = verdict(lambda _: value())
    assert found.result is AttemptResult.FAILED
    assert reason in (found.reason or "")


def test_a_reason_is_short_enough_for_a_log_line() -> None:
    """An exception's text may hold a whole document."""
    assert len(verdict(raising(ValueError("x" * 10_000))).reason or "") == REASON_LIMIT
    assert len(verdict(raising(Reject("\ud800" * 10_000))).reason or "") == REASON_LIMIT


def test_a_verdict_can_cross_a_pipe() -> None:
    """Whatever characters its reason had."""
    found = verdict(raising(Reject("\udfff")))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Verdict) == found


def test_the_traceback_of_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """By a logger of the standard library, as the lines of handlers are; a decision has none."""
    verdict(raising(ValueError("no")))
    verdict(raising(Reject("no")))
    verdict(raising(Retry(1)))
    [record] = caplog.records
    assert (record.levelname, record.getMessage()) == ("WARNING", "message id-1 failed")
    assert "in handler" in caplog.text
    assert "ValueError: no" in caplog.text


def test_a_broken_setup_of_logging_changes_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """User code may have put anything there."""

    def broken(*_: object, **__: object) -> None:
        raise SystemExit("broken")

    logger = logging.getLogger("consumer.handlers.invocation")
    monkeypatch.setattr(logger, "warning", broken)
    assert verdict(raising(ValueError("no"))).reason == "ValueError: no"
