"""Tests of batch handlers: several messages in one call, some of which may fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders.handlers import arrival, verdicts

from consumer.attempt import AttemptResult
from consumer.handlers.api import Message, Reject, Retry, current_message
from consumer.handlers.handler import HandlerKind
from consumer.handlers.loading import handler_of
from consumer.handlers.verdict import PROCESSED, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

FAILED = Verdict(AttemptResult.FAILED, "ValueError: no")


def returning(value: object) -> Callable[..., object]:
    """Return a batch handler of numbers that returns the value."""

    def handler(_: list[int]) -> object:
        return value

    return handler


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, [PROCESSED, PROCESSED], id="None"),
        pytest.param([None, None], [PROCESSED, PROCESSED], id="all done"),
        pytest.param((None, ValueError("no")), [PROCESSED, FAILED], id="one failed"),
        pytest.param(
            [Reject("old"), Retry(after=5)],
            [Verdict(AttemptResult.REJECTED, "old"), Verdict(AttemptResult.RETRY, None, 5)],
            id="one rejected, one later",
        ),
        pytest.param(ValueError("no"), [FAILED, FAILED], id="an exception for all"),
    ],
)
def test_a_batch_handler_says_what_became_of_each_message(
    value: object, expected: list[Verdict]
) -> None:
    """None is done; an exception in a message's place counts as raised for it."""
    assert verdicts(returning(value), "1", "2") == expected


def _numbers() -> object:
    yield 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param([None], "a list of 1 for 2 messages", id="too few"),
        pytest.param([None] * 3, "a list of 3 for 2 messages", id="too many"),
        pytest.param([], "a list of 0 for 2 messages", id="none"),
        pytest.param({}, "returned a dict: a batch handler returns", id="dict"),
        pytest.param(True, "returned a bool", id="bool"),
        pytest.param(_numbers(), "use return instead of yield", id="generator"),
        pytest.param(["ok", "ok"], "returned a str for this message", id="texts"),
        pytest.param([ValueError, ValueError], "returned a type for this message", id="classes"),
    ],
)
def test_an_answer_that_names_no_message_fails_all(value: object, reason: str) -> None:
    """Nothing is deleted of which it is not sure that it is done."""
    found = verdicts(returning(value), "1", "2")
    assert [one.result for one in found] == [AttemptResult.FAILED] * 2
    assert all(reason in (one.reason or "") for one in found)


def test_an_exception_concerns_the_whole_batch() -> None:
    """Who knows how far the handler came?"""

    def handler(_: list[int]) -> None:
        raise ValueError("no")

    assert verdicts(handler, "1", "2") == [FAILED, FAILED]


def test_a_body_that_cannot_be_read_does_not_reach_the_handler() -> None:
    """The answer's places are those of the messages that the handler got."""
    seen: list[list[int]] = []

    def handler(numbers: list[int], messages: list[Message]) -> list[Exception | None]:
        assert [message.body for message in messages] == [str(number) for number in numbers]
        seen.append(numbers)
        return [None, ValueError("no")]

    found = verdicts(handler, '"one"', "2", "three", "4")
    assert seen == [[2, 4]]
    assert [one.result.value for one in found] == ["invalid", "processed", "invalid", "failed"]
    assert [one.result.value for one in verdicts(handler, "x")] == ["invalid"]
    assert len(seen) == 1


def test_an_async_batch_handler_works_as_well() -> None:
    """It is awaited."""

    async def handler(numbers: list[int]) -> list[Any]:
        return [ValueError("no") if number > 1 else None for number in numbers]

    assert handler_of(handler).kind is HandlerKind.BATCH
    assert verdicts(handler, "1", "2") == [PROCESSED, FAILED]


def test_extending_one_message_extends_the_batch() -> None:
    """A batch is one call, which has one time limit."""
    extended: list[tuple[int, float]] = []

    def handler(_: list[int], messages: list[Message]) -> None:
        messages[0].extend(60)

    arrivals = [arrival("1", 1), arrival("bad", 2), arrival("3", 3)]
    handler_of(handler).call(arrivals, lambda place, seconds: extended.append((place, seconds)))
    assert extended == [(0, 60), (1, 60), (2, 60)]


def test_a_batch_has_a_current_message_only_if_it_is_the_only_one() -> None:
    """Otherwise it is an error to ask."""
    seen: list[str] = []

    def handler(_: list[int]) -> None:
        seen.append(current_message().id)

    assert verdicts(handler, "1") == [PROCESSED]
    assert seen == ["id-1"]
    [first, _] = verdicts(handler, "1", "2")
    assert first.reason == (
        "LookupError: a batch of several messages is being handled here, so there is no current "
        "message"
    )
