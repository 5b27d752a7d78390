"""The journal: what it remembers, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidemill.dead_letters.errors import DeadLetterError
from tidemill.dead_letters.journal import Journal, opened_journal

QUEUES = ("https://sqs/1/dead", "https://sqs/1/work")


def test_a_later_run_knows_what_was_sent_and_what_is_open(tmp_path: Path) -> None:
    """What SQS did not take is neither."""
    path = tmp_path / "journal"
    with opened_journal(path, *QUEUES) as journal:
        journal.sending(["a", "b", "c"], 5.0)
        journal.was_sent({"a": "new-a"})
        journal.was_not_sent(["c"])
        journal.sending(["b"], 9.0)
    with opened_journal(path, *QUEUES) as journal:
        assert journal.sent == {"a": "new-a"}
        assert journal.open == {"b": 5.0}
        assert journal.arrived == {"new-a"}


def test_a_run_that_is_done_leaves_only_what_was_sent(tmp_path: Path) -> None:
    """What comes back after that may be sent again."""
    path = tmp_path / "journal"
    with opened_journal(path, *QUEUES) as journal:
        journal.sending(["a"], 5.0)
        journal.was_sent({"a": "new-a"})
        journal.finish()
    with opened_journal(path, *QUEUES) as journal:
        assert (journal.sent, journal.arrived) == ({"a": "new-a"}, set())


def test_every_end_of_the_file_can_be_read(tmp_path: Path) -> None:
    """A program may be killed at any byte that it writes."""
    path = tmp_path / "journal"
    with opened_journal(path, *QUEUES) as journal:
        journal.sending(["a"], 5.0)
        journal.was_sent({"a": "new-a"})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with opened_journal(path, *QUEUES) as journal:
            assert set(journal.open) | set(journal.sent) <= {"a"}
            journal.sending(["b"], 6.0)
        with opened_journal(path, *QUEUES) as journal:
            assert "b" in journal.open


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# a README\n", "it is no journal"),
        ("# a README", "it is no journal"),
        ('{"redrive":1,"queue":"x","target":"y"}\n', "from x to y: name another file"),
        (
            '{"redrive":1,"queue":"https://sqs/1/dead","target":"https://sqs/1/work"}\nx\n',
            "damaged in line 2",
        ),
    ],
    ids=["no journal", "one line", "other queues", "damaged"],
)
def test_a_file_that_is_about_something_else_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    """And is not changed."""
    path = tmp_path / "journal"
    path.write_text(text)
    with pytest.raises(DeadLetterError, match=message), opened_journal(path, *QUEUES):
        pass
    assert path.read_text() == text


def test_two_runs_cannot_share_a_journal(tmp_path: Path) -> None:
    """The second one is refused."""
    path = tmp_path / "journal"
    with (
        opened_journal(path, *QUEUES),
        pytest.raises(DeadLetterError, match="another run uses it"),
        opened_journal(path, *QUEUES),
    ):
        pass


def test_a_full_disk_ends_the_run_before_anything_is_sent() -> None:
    """/dev/full is a disk that is full."""
    with (
        Path("/dev/full").open("wb", buffering=0) as file,
        pytest.raises(DeadLetterError, match="no letter is lost"),
    ):
        Journal(file).sending(["a"], 5.0)
