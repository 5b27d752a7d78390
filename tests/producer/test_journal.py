"""Tests of the journal of acknowledged lines."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.fakes.producing import (
    LOST,
    FakeDestination,
    FakeProgress,
    body_of,
    everything,
    outgoings,
    seeded,
)
from support.fakes.stopping import FakeStop

from producer.errors import JournalError, UsageError
from producer.journal import Header, Journal, header_of, opened_journal
from producer.messages.line_reader import opened
from producer.run import messages_to_send
from producer.send_results import SendResults
from producer.sending import Sender, SendLimits
from producer.sent_log import NoSentLog
from shared.errors import QueueRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.ports import Destination
    from producer.send_results import SendTotals
    from shared.queue import OutgoingEntry, SendBatchResult

HEADER = Header(1, "run-1", "queue-1", "--format auto", 120, "hash-1")
ENDED = QueueRefusedError("ended")


def still() -> float:
    """Return a time that does not pass."""
    return 0.0


def run(path: Path, destination: Destination, number: int = 30, attempts: int = 1) -> SendTotals:
    """Send lines 1 to `number` with this journal, in batches of ten, one after the other."""
    with opened_journal(path, HEADER, still) as journal:
        results = SendResults(FakeProgress(), NoSentLog(), journal)
        sender = Sender(destination, results, FakeStop(), SendLimits(attempts, 1), seeded())
        items = messages_to_send(outgoings(number), results, FakeStop(), skip_invalid=False)
        messages = [item for item in items if item]
        for start in range(0, len(messages), 10):
            sender.submit(messages[start : start + 10])
        sender.finish()
        results.finish()
    return results.totals


def state(path: Path) -> tuple[list[tuple[int, int]], set[int]]:
    """Return the acknowledged ranges and the open lines, as the next run finds them."""
    with opened_journal(path, HEADER, still) as journal:
        return journal.acknowledged.ranges(), journal.open


def test_a_second_run_sends_what_the_first_did_not(tmp_path: Path) -> None:
    """SQS refused the first one after ten lines."""
    path = tmp_path / "journal"
    first = run(path, FakeDestination([everything, ENDED]))
    assert (first.sent, first.unsent, first.last_line) == (10, 20, 10)
    assert state(path) == ([(1, 10)], set())

    destination = FakeDestination()
    second = run(path, destination)

    assert (second.resumed, second.sent, second.last_line) == (10, 20, 30)
    assert (second.indeterminate, second.perhaps_twice) == ([], [])
    assert [len(call) for call in destination.calls] == [10, 10]
    assert state(path) == ([(1, 30)], set())


def test_a_run_that_was_complete_has_nothing_to_send(tmp_path: Path) -> None:
    """It says how many lines were sent before."""
    path = tmp_path / "journal"
    run(path, FakeDestination())
    destination = FakeDestination()

    totals = run(path, destination)

    assert (totals.resumed, totals.sent, totals.last_line) == (30, 0, 30)
    assert destination.calls == []


def test_lines_whose_answer_was_lost_stay_open_and_are_named_when_sent_again(
    tmp_path: Path,
) -> None:
    """They may be in the queue twice then."""
    path = tmp_path / "journal"
    first = run(path, FakeDestination([everything, LOST]))
    assert [number for _, number in first.indeterminate] == list(range(11, 21))
    assert (first.unsent, first.last_line) == (10, 10)
    assert state(path) == ([(1, 10)], set(range(11, 21)))

    second = run(path, FakeDestination())

    assert (second.resumed, second.sent) == (10, 20)
    assert [number for _, number in second.perhaps_twice] == list(range(11, 21))
    assert run(path, FakeDestination()).perhaps_twice == second.perhaps_twice


def test_what_stayed_open_is_indeterminate_until_it_is_acknowledged(tmp_path: Path) -> None:
    """A second run that SQS refuses altogether does not make it certain."""
    path = tmp_path / "journal"
    run(path, FakeDestination([LOST]))

    second = run(path, FakeDestination([ENDED]))

    assert [number for _, number in second.indeterminate] == list(range(1, 11))
    assert state(path) == ([], set(range(1, 11)))


class Photographer:
    """A destination that keeps what the journal held while each request was under way."""

    def __init__(self, path: Path) -> None:
        """Look at the journal at this path."""
        self.photos: list[bytes] = []
        self.lines: list[str] = []
        self._path = path

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Keep the journal and accept everything."""
        self.photos.append(self._path.read_bytes())
        self.lines += map(body_of, messages)
        return everything(messages)


def test_a_run_that_is_killed_at_any_point_is_resumed_without_doubt(tmp_path: Path) -> None:
    """Acknowledged lines are never sent again, and those under way are named."""
    path = tmp_path / "journal"
    photographer = Photographer(path)
    run(path, photographer)
    whole = path.read_bytes()
    torn = [whole[:end] for end in range(len(msgspec.json.encode(HEADER)) + 2, len(whole))]

    for left in [*photographer.photos, *torn]:
        path.write_bytes(left)
        acknowledged, under_way = state(path)
        known = {n for first, last in acknowledged for n in range(first, last + 1)}
        again = Photographer(path)

        totals = run(path, again)

        assert totals.resumed == len(known)
        assert set(again.lines) == {item.body for item in outgoings(30) if item.number not in known}
        assert {number for _, number in totals.perhaps_twice} == under_way
        assert len(under_way) <= 10
        assert state(path) == ([(1, 30)], set())
    assert len(photographer.photos) == 3


@pytest.mark.parametrize("size", [0, 1, 20, 60])
def test_a_journal_whose_beginning_was_cut_short_begins_anew(tmp_path: Path, size: int) -> None:
    """The run was killed before it sent anything."""
    path = tmp_path / "journal"
    path.write_bytes(msgspec.json.encode(HEADER)[:size])

    assert run(path, FakeDestination()).sent == 30


def changed(**fields: object) -> bytes:
    """Return the line of a header that differs from this run's."""
    return msgspec.json.encode(msgspec.structs.replace(HEADER, **fields)) + b"\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(changed(queue="other"), "about the queue other", id="other queue"),
        pytest.param(changed(sha256="x"), "another file, or this one has changed", id="changed"),
        pytest.param(changed(size=1), "another file, or this one has changed", id="other size"),
        pytest.param(changed(reading="--format csv"), "with other options then", id="other format"),
        pytest.param(changed(journal=2), "of version 2", id="other version"),
        pytest.param(b'{"order": 1}\n{"order": 2}\n', "no journal of the producer", id="data"),
        pytest.param(b'{"order": 1}', "no journal of the producer", id="data without a line end"),
        pytest.param(changed() + b"nope\n", "damaged in line 2", id="damaged"),
    ],
)
def test_a_journal_of_something_else_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    """It stays as it is: it may be a file of the user's that was named by mistake."""
    path = tmp_path / "journal"
    path.write_bytes(content)

    with pytest.raises(UsageError) as caught:
        run(path, FakeDestination())

    assert reason in str(caught.value)
    assert path.read_bytes() == content


def test_two_runs_cannot_use_one_journal(tmp_path: Path) -> None:
    """Each would send the other's lines."""
    path = tmp_path / "journal"
    with opened_journal(path, HEADER, still), pytest.raises(UsageError, match="another producer"):
        run(path, FakeDestination())


def test_a_journal_that_cannot_be_opened_is_wrong_usage(tmp_path: Path) -> None:
    """The reason is the system's."""
    with pytest.raises(UsageError, match=r"--resume .*: Is a directory"):
        run(tmp_path, FakeDestination())


def test_nothing_is_sent_that_the_journal_cannot_name() -> None:
    """A full disk ends the run before the request."""
    destination = FakeDestination()
    with Path("/dev/full").open("wb", buffering=0) as full:
        journal = Journal(full, HEADER, still)
        results = SendResults(FakeProgress(), NoSentLog(), journal)
        sender = Sender(destination, results, FakeStop(), SendLimits(1, 1), seeded())
        sender.submit(outgoings(5))
        sender.finish()

    assert destination.calls == []
    assert isinstance(sender.error, JournalError)
    assert "No space left on device" in str(sender.error)
    assert results.totals.unsent == 5


def test_the_header_names_the_file_by_size_and_hash(tmp_path: Path) -> None:
    """The file is left at its beginning."""
    path = tmp_path / "orders.jsonl"
    path.write_bytes(b"[1]\n")
    with opened(str(path)) as file:
        header = header_of(file, "run", "queue", "reading")
        assert file.read() == b"[1]\n"

    assert header.size == 4
    assert header.sha256 == sha256(b"[1]\n").hexdigest()
