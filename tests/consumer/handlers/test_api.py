"""Tests of what handlers import."""

from __future__ import annotations

import math
import time

import pytest
from support.builders.handlers import arrival, never_extended
from support.fakes.consuming import CIVIC, START

from consumer.handlers.api import Message, Reject, Retry, current_message
from consumer.handlers.loading import handler_of


def got(**more: dict[str, str]) -> Message:
    """Return the message that a handler of vehicles gets."""
    seen: list[Message] = []
    handler_of(seen.append).call([arrival(**more)], never_extended)  # type: ignore[arg-type]
    [message] = seen
    return message


def test_a_message_has_all_that_is_known_about_it() -> None:
    """Times are epoch seconds; attributes are the sender's, system attributes are SQS's."""
    message = got(attributes={"type": "order"}, system={"MessageGroupId": "tenant-7"})
    assert (message.id, message.body, message.receive_count) == ("id-1", CIVIC, 1)
    assert (message.sent_at, message.received_at) == (START - 5, START)
    assert message.deadline == START + 30
    assert message.attributes == {"type": "order"}
    assert message.system_attributes == {"MessageGroupId": "tenant-7"}
    assert message.group_id == "tenant-7"
    assert got().group_id is None


def test_a_message_can_be_made_in_a_test_of_a_handler() -> None:
    """Id and body are enough; there is no limit, and extending it does nothing."""
    message = Message("1", "{}")
    message.extend(5)
    assert (message.receive_count, message.seconds_left()) == (1, math.inf)


def test_a_message_cannot_be_changed() -> None:
    """Two functions that get the same message see the same."""
    with pytest.raises(AttributeError):
        got().body = "other"  # type: ignore[misc]


def test_extending_moves_the_deadline_to_so_many_seconds_from_now() -> None:
    """The code that ends handlers learns of it; a limit is never brought forward."""
    extended: list[tuple[int, float]] = []
    left: list[float] = []

    def handler(message: Message) -> None:
        message.extend(100)
        left.append(message.seconds_left())
        message.extend(50)
        left.append(message.seconds_left())

    late = arrival()
    handler_of(handler).call([late], lambda place, seconds: extended.append((place, seconds)))
    assert extended == [(0, 100), (0, 50)]
    assert left == [pytest.approx(max(100, late.deadline - time.time()), abs=5)] * 2


@pytest.mark.parametrize("seconds", [0, -1, 43_201, math.nan, math.inf])
def test_a_limit_cannot_be_extended_by_nonsense(seconds: float) -> None:
    """SQS hides a message for twelve hours at most."""
    with pytest.raises(ValueError, match="seconds"):
        Message("1", "{}").extend(seconds)


@pytest.mark.parametrize("seconds", [-1, 43_201, math.nan, math.inf])
def test_a_retry_cannot_wait_for_nonsense(seconds: float) -> None:
    """Nor can a retry wait longer."""
    with pytest.raises(ValueError, match="give 0 to 43200"):
        Retry(after=seconds)


def test_a_retry_waits_for_whole_seconds() -> None:
    """SQS knows no others; the message is not received too early."""
    assert Retry(after=0.2).after == 1
    assert Retry(after=43_200).after == 43_200


def test_a_rejection_keeps_its_reason() -> None:
    """It may be any object."""
    assert Reject({"code": 7}).reason == {"code": 7}


def test_code_called_by_a_handler_finds_the_current_message() -> None:
    """Without one that is passed down; outside of handlers there is none."""
    seen: list[str] = []

    def handler(_: Message) -> None:
        seen.append(current_message().id)

    handler_of(handler).call([arrival(number=7)], never_extended)
    assert seen == ["id-7"]
    with pytest.raises(LookupError, match="no message is being handled here"):
        current_message()


def test_a_message_that_was_not_read_as_a_vehicle_says_so() -> None:
    """The advice names the annotation that brings the vehicle."""
    with pytest.raises(AttributeError, match="first parameter has no annotation, or Message"):
        _ = Message("1", "{}").vehicle
    assert not hasattr(Message("1", "{}"), "extra")
