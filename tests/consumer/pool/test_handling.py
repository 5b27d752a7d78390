"""Tests of handling one message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.fakes.consuming import CIVIC, START, FakeClock, delivery

from consumer.attempt import Attempt, AttemptResult
from consumer.handlers import log_only
from consumer.handlers.loading import handler_of
from consumer.handlers.verdict import REASON_LIMIT
from consumer.pool.handling import make_attempt

if TYPE_CHECKING:
    from consumer.handlers.api import Message


class UnprintableError(Exception):
    """An exception whose text cannot be made."""

    def __str__(self) -> str:
        """Fail."""
        raise ValueError


def attempted(body: str = CIVIC, *, handler: object = log_only) -> Attempt:
    """Attempt a message with this body."""
    assert callable(handler)
    return make_attempt(handler_of(handler), FakeClock(), delivery(body=body))


def test_a_handler_gets_the_whole_message() -> None:
    """A handler gets the vehicle, the body as it was sent, and all additional fields."""
    seen: list[Message] = []
    body = CIVIC.replace("}", ',"dealer":{"city":"Turin"}}')
    make_attempt(handler_of(seen.append), FakeClock(), delivery(3, body, receive_count=2))
    [got] = seen
    assert (got.id, got.receive_count, got.sent_at) == ("id-3", 2, START - 5)
    assert (got.vehicle.vehicle_id, got.vehicle.year) == ("VH2001", 2020)
    assert got.extra == {"dealer": {"city": "Turin"}}
    assert got.body == body


def test_a_handler_that_returns_has_processed_the_message() -> None:
    """An attempt holds the handler's duration and the message's age when it was received."""
    clock = FakeClock()
    attempt = make_attempt(handler_of(lambda _: clock.sleep(2.5)), clock, delivery())
    assert (attempt.result, attempt.reason) == (AttemptResult.PROCESSED, None)
    assert (attempt.delivery.age, attempt.duration, attempt.finished_at) == (5, 2.5, START + 2.5)


def test_a_clock_behind_that_of_sqs_makes_no_negative_age() -> None:
    """Clocks of different machines differ by milliseconds."""
    assert delivery(sent_at=START + 1).age == 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("no such make"), "ValueError: no such make"),
        (KeyError("make"), "KeyError: 'make'"),
        (RuntimeError(), "RuntimeError"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_a_handler_that_raises_has_failed(error: Exception, reason: str) -> None:
    """The reason of a failure names the exception's type and text."""

    def handler(_message: Message) -> None:
        raise error

    attempt = attempted(handler=handler)
    assert (attempt.result, attempt.reason) == (AttemptResult.FAILED, reason)


def test_an_exception_whose_text_cannot_be_made_is_a_failure_like_any_other() -> None:
    """An exception whose __str__ raises is caught like any other."""

    def handler(_message: Message) -> None:
        raise UnprintableError

    assert attempted(handler=handler).result is AttemptResult.FAILED


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("hello", id="not JSON"),
        pytest.param("", id="empty"),
        pytest.param("[]", id="not an object"),
        pytest.param("{}", id="no fields"),
        pytest.param(CIVIC.replace("2020", '"2020"'), id="a type that does not fit"),
        pytest.param(CIVIC.replace("2020", "2028"), id="a year to come"),
        pytest.param(CIVIC.replace("15000", "-1"), id="less than nothing"),
        pytest.param("[" * 100_000, id="nested beyond reason"),
        pytest.param('{"wheels":NaN}', id="malformed after a field that is not known"),
        pytest.param('"\ud800"', id="half a character"),
        pytest.param(CIVIC.replace("2020", "9" * 100_000), id="a number without end"),
    ],
)
def test_a_body_that_is_no_vehicle_is_invalid_and_does_not_reach_the_handler(body: str) -> None:
    """Poison of any kind gives an invalid attempt, never an exception."""
    seen: list[Message] = []
    attempt = attempted(body, handler=seen.append)
    assert attempt.result is AttemptResult.INVALID
    assert attempt.reason
    assert len(attempt.reason) <= REASON_LIMIT
    assert not seen


def test_a_handler_that_ends_the_program_fails_its_message() -> None:
    """sys.exit() costs one attempt at this message; the worker goes on."""

    def handler(_message: Message) -> None:
        raise SystemExit(3)

    attempt = attempted(handler=handler)
    assert (attempt.result, attempt.reason) == (AttemptResult.FAILED, "SystemExit: 3")
