"""Tests of received messages on their way to handlers."""

from __future__ import annotations

import json

from support.examples.envelopes import NOTIFICATION, TEST_EVENT
from support.fakes.consuming import CIVIC, START, message

from consumer.attempt import AttemptResult
from consumer.messages.intake import take_in


def test_deliveries_are_numbered_and_out_of_their_envelopes() -> None:
    """Without an envelope, and in SNS's."""
    wrapped = json.dumps({**NOTIFICATION, "Message": "hello"})
    deliveries, ended = take_in("auto", [message(1), message(2, wrapped)], 7, START)
    assert [(one.key, one.body, one.envelope) for one in deliveries] == [
        (7, CIVIC, None),
        (8, "hello", "sns"),
    ]
    assert {one.received_at for one in deliveries} == {START}
    assert ended == {}


def test_what_holds_nothing_for_a_handler_has_ended() -> None:
    """Its attempt took no time."""
    bodies = [json.dumps(TEST_EVENT), "hello"]
    deliveries, ended = take_in("s3", [message(n, body) for n, body in enumerate(bodies)], 1, START)
    assert [ended[one.key].result for one in deliveries] == [
        AttemptResult.PROCESSED,
        AttemptResult.INVALID,
    ]
    assert {(one.duration, one.finished_at) for one in ended.values()} == {(0.0, START)}
