"""Tests of reading what was sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.ledger import Story
from support.fakes.producing import outgoing

from producer.messages.outgoing_message import Origin
from producer.sent_log import recording
from tidemill.ledger.errors import LedgerError
from tidemill.ledger.sent import SentMessage, read_sent_logs


def test_what_the_producer_writes_is_read_back(tmp_path: Path) -> None:
    """Accepted messages have their names; a request without an answer is in doubt."""
    path = tmp_path / "sent.jsonl"
    line, poison = outgoing(7), outgoing(1, origin=Origin.POISON)
    vehicle, element = outgoing(1, origin=Origin.VEHICLE), outgoing(2, origin=Origin.ELEMENT)
    with recording(path, lambda: 5.0) as log:
        log.sending([line, poison, vehicle, element])
        log.accepted([(line, "a"), (poison, "p"), (vehicle, "v")])
        log.sending([element])
        log.not_sent([element])

    history = read_sent_logs([path])

    assert history.accepted == {
        "a": SentMessage("a", poison=False, sent_at=5.0, name="line 7"),
        "p": SentMessage("p", poison=True, sent_at=5.0, name="poison 1"),
        "v": SentMessage("v", poison=False, sent_at=5.0, name="vehicle 1"),
    }
    assert dict(history.unanswered) == {"element 2": 1}
    assert history.begun() == 5.0


requests = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(["accepted", "not sent", "no answer"])),
    max_size=20,
)


@given(requests)
def test_doubts_are_requests_without_an_answer(made: list[tuple[int, str]]) -> None:
    """Each request has one of three ends."""
    story = Story()
    for place, (number, end) in enumerate(made):
        story.sending(number)
        if end == "accepted":
            story.accepted(number, f"m-{place}")
        elif end == "not sent":
            story.not_sent(number)

    history = story.history()

    assert len(history.accepted) == sum(end == "accepted" for _, end in made)
    for number in range(1, 5):
        doubts = sum(end == "no answer" for place, end in made if place == number)
        assert history.unanswered[f"line {number}"] == doubts
    assert sum(map(len, history.ids_by_name().values())) == len(history.accepted)


def test_several_logs_keep_their_lines_apart(tmp_path: Path) -> None:
    """Line 1 of two files are two messages."""
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        story = Story()
        story.sending(1)
        story.accepted(1, path.name)
        path.write_bytes(b"".join(story.sent_lines))

    history = read_sent_logs(paths)

    assert [len(ids) for ids in history.ids_by_name().values()] == [1, 1]


def test_a_line_that_was_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    """What it would have said is in doubt."""
    path = tmp_path / "sent.jsonl"
    story = Story()
    story.sent(1)
    story.sending(2)
    story.accepted(2)
    path.write_bytes(b"".join(story.sent_lines)[:-5])

    history = read_sent_logs([path])

    assert (set(history.accepted), dict(history.unanswered)) == ({"1"}, {"line 2": 1})


def test_a_log_of_another_program_needs_only_ids(tmp_path: Path) -> None:
    """Lines with a message id, poison and a time are enough."""
    path = tmp_path / "sent.jsonl"
    path.write_text('{"message_id": "a", "poison": false, "sent_at": 1.5}\n{"message_id": "b"}\n')

    history = read_sent_logs([path])

    assert set(history.accepted) == {"a", "b"}
    assert not history.unanswered


@pytest.mark.parametrize("text", ["nonsense\n", "[]\n", '{"message_id": 5}\n'], ids=repr)
def test_what_is_no_sent_log_is_refused(tmp_path: Path, text: str) -> None:
    """One sentence names the file."""
    path = tmp_path / "sent.jsonl"
    path.write_text(text)

    with pytest.raises(LedgerError, match="is no sent log of the producer"):
        read_sent_logs([path])


def test_a_log_that_is_not_there_is_named() -> None:
    """One sentence says what is missing."""
    with pytest.raises(LedgerError, match="cannot read the sent log absent: No such file"):
        read_sent_logs([Path("absent")])
