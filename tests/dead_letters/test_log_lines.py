"""Where the consumers' lines are read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tidemill.dead_letters.errors import DeadLetterError
from tidemill.dead_letters.log_lines import FolderLines, GroupLines, pattern

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_all_lines_of_a_folder_are_read(tmp_path: Path) -> None:
    """Of its files *.jsonl."""
    (tmp_path / "i-1.jsonl").write_text("a\nb\n")
    (tmp_path / "i-2.jsonl").write_text("c")
    (tmp_path / "i-1.err").write_text("no line\n")
    assert list(FolderLines(tmp_path).read(0, [])) == [b"a\n", b"b\n", b"c"]


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    """It names the option."""
    with pytest.raises(DeadLetterError, match="--logs: there is no folder"):
        list(FolderLines(tmp_path / "none").read(0, []))


class Logs:
    """A client of CloudWatch Logs that has two pages."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self.asked: dict[str, Any] = {}

    def get_paginator(self, name: str) -> Logs:
        """Return the paginator of an action."""
        assert name == "filter_log_events"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - as boto3's
        """Yield pages."""
        self.asked = asked
        yield {"events": [{"message": "a"}]}
        yield {"events": [{"message": "b"}], "nextToken": "x"}


def test_a_log_group_is_asked_since_the_oldest_letter_was_sent() -> None:
    """Some seconds before, since clocks differ; all pages are read."""
    client = Logs()
    assert list(GroupLines(client, "/tidemill/x/workers").read(1_000.5, ["a"])) == [b"a", b"b"]
    assert client.asked == {
        "logGroupName": "/tidemill/x/workers",
        "startTime": 940_500,
        "filterPattern": '{ $.event = "message" && ($.message_id = "a") }',
    }


def test_a_pattern_for_many_messages_asks_for_all_that_failed() -> None:
    """A pattern may have 1,024 characters, and an id has 36."""
    many = [f"{number:036}" for number in range(9)]
    assert "message_id" not in pattern(many)
    assert len(pattern(many[:8])) < 1_024
