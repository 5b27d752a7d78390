"""Tests of the sent log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.fakes.producing import outgoing

from producer.errors import SentLogError, UsageError
from producer.messages.outgoing_message import Origin
from producer.sent_log import recording
from shared.body_digest import body_digest

NOW = 1_790_000_000.12345


def now() -> float:
    """Return the same instant each time."""
    return NOW


def lines_in(path: Path) -> list[dict[str, Any]]:
    """Return what the file holds."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_accepted_message_is_a_line_at_once(tmp_path: Path) -> None:
    """Lines are flushed at once, so a killed run leaves a complete log."""
    path = tmp_path / "sent.jsonl"
    path.write_text("left over from before\n")
    with recording(path, now) as log:
        log.accepted([(outgoing(7), "m-1"), (outgoing(3, origin=Origin.VEHICLE), "m-2")])
        log.accepted([])
        log.accepted([(outgoing(1, origin=Origin.POISON), "m-3")])
        lines = lines_in(path)

    common = {"poison": False, "sent_at": 1_790_000_000.123}
    assert lines == [
        {"message_id": "m-1", "line": 7, "vehicle_id": "VH7", **common},
        {"message_id": "m-2", "index": 3, "vehicle_id": "VH3", **common},
        {"message_id": "m-3", "index": 1, "vehicle_id": "VH1", **common, "poison": True},
    ]


def test_what_is_asked_for_and_refused_is_in_the_log_at_once(tmp_path: Path) -> None:
    """A run that is killed before an answer leaves what recognises the messages later."""
    path = tmp_path / "sent.jsonl"
    line, poison = outgoing(7), outgoing(1, origin=Origin.POISON)
    with recording(path, now) as log:
        log.sending([line, poison])
        log.not_sent([poison])
        log.not_sent([])
        lines = lines_in(path)

    named = [["line", 7, body_digest(line.body)], ["poison", 1, body_digest(poison.body)]]
    assert lines == [
        {"sending": named, "at": 1_790_000_000.123},
        {"not_sent": [["poison", 1]], "at": 1_790_000_000.123},
    ]


def test_without_a_path_nothing_is_written() -> None:
    """Without a path no log is written."""
    with recording(None, now) as log:
        log.sending([outgoing()])
        log.accepted([(outgoing(), "m-1")])
        log.not_sent([outgoing()])


def test_a_log_that_cannot_be_opened_is_a_usage_error(tmp_path: Path) -> None:
    """A log that cannot be opened ends the program before anything is sent."""
    path = tmp_path / "absent" / "sent.jsonl"
    with (
        pytest.raises(UsageError, match=r"cannot write the sent log .*: No such file"),
        recording(path, now),
    ):
        pass


def test_a_full_disk_is_reported() -> None:
    """A write error is reported; /dev/full stands for a full disk."""
    with (
        pytest.raises(SentLogError, match="writing the sent log /dev/full failed: No space left"),
        recording(Path("/dev/full"), now) as log,
    ):
        log.accepted([(outgoing(), "m-1")])
