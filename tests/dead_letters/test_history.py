"""Histories: why and how often each message failed, by the consumers' lines."""

from __future__ import annotations

import json

from support.builders.letters import a_letter

from tidemill.dead_letters.history import Histories, histories


def line(message_id: str, second: int, outcome: str, reason: str | None = None) -> bytes:
    """Return a consumer's line about an attempt."""
    fields = {
        "time": f"2026-11-27T06:00:{second:02}.000+00:00",
        "level": "WARNING",
        "event": "message",
        "instance_id": "i-1",
        "message_id": message_id,
        "receive_count": second,
        "age_seconds": 1.0,
        "duration_seconds": 0.5,
        "outcome": outcome,
    }
    return json.dumps(fields | ({"reason": reason} if reason else {})).encode() + b"\n"


def test_the_last_attempt_that_failed_is_the_reason() -> None:
    """And all of them are counted, whatever the order of the lines."""
    found = histories(
        [line("a", 3, "timed_out", "60 s"), line("a", 1, "failed", "x"), line("a", 2, "failed")]
    )
    letter = a_letter("a")
    assert found.reason_of(letter) == "timed_out: 60 s"
    assert found.outcomes_of(letter) == "failed 2, timed_out 1"
    assert [one.receive_count for one in found.of(letter)] == [1, 2, 3]


def test_a_line_that_was_delivered_twice_is_one_attempt() -> None:
    """CloudWatch Logs may have a line twice."""
    found = histories([line("a", 1, "failed", "x")] * 2)
    assert found.outcomes_of(a_letter("a")) == "failed 1"


def test_the_lines_of_a_rejected_message_have_its_own_id() -> None:
    """Its copy names it."""
    found = histories([line("m", 1, "rejected", "no such order")])
    copy = a_letter("a", attributes={"tidemill.message_id": "m"})
    assert found.reason_of(copy) == "rejected: no such order"


def test_other_lines_are_left_out() -> None:
    """What a handler prints may be anything, also in front of a line."""
    noise = [
        b"\xff\xfe\n",
        b'{"time": 5}\n',
        b'{"event":"message"}\n',
        b"[" * 100_000,
        b'{"time":"x","event":"cycle","message_id":"a","outcome":"failed"}\n',
    ]
    found = histories([*noise, b"printed" + line("a", 1, "failed", "x").replace(b'": ', b'":')])
    assert found.outcomes_of(a_letter("a")) == "failed 1"


def test_without_lines_the_copy_itself_may_say_why() -> None:
    """Else the reason is unknown, or there was no attempt."""
    rejected = a_letter("a", attributes={"tidemill.reason": "no such order"})
    assert Histories({}, read=False).reason_of(rejected) == "rejected: no such order"
    assert Histories({}, read=False).reason_of(a_letter()) == "unknown: no logs were read"
    assert histories([]).reason_of(a_letter()) == "no attempt in the logs"
