"""Moving dead letters: nothing is lost, whatever ends the program and wherever."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from support.builders.letters import Bench
from support.fakes.letters import Calls, Killed, Mishap

from shared.errors import QueueError, QueueRefusedError, QueueUnavailableError
from shared.queue import Refusal
from tidemill.dead_letters.sweep import HIDE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = 13
KINDS = pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])


def calls_of_a_whole_run(folder: Path, *, fifo: bool) -> list[str]:
    """Return the calls of a run in which nothing happens."""
    bench = Bench(folder / "whole.jsonl", fifo=fifo)
    bench.fill(LETTERS)
    calls = Calls()
    bench.redrive(calls)
    assert bench.dead.left == []
    return calls.names


def tear(journal: Path, lines: int) -> None:
    """Cut off the end of the journal: whole lines, and a part of the one before."""
    text = journal.read_bytes()
    for _ in range(lines):
        text = text[:-1].rpartition(b"\n")[0]
    journal.write_bytes(text[:-3])


def check_nothing_is_lost(bench: Bench, ids: list[str], said: set[str]) -> None:
    """Every letter is in the target; one that is there twice was named."""
    assert bench.dead.left == []
    copies = Counter(bench.work.bodies)
    assert set(copies) == set(ids)
    assert {name for name, count in copies.items() if count > 1} <= said


@KINDS
@pytest.mark.parametrize("mishap", [Mishap.KILLED_BEFORE, Mishap.KILLED_AFTER])
def test_a_run_that_is_killed_at_any_call_loses_nothing(
    tmp_path: Path, mishap: Mishap, *, fifo: bool
) -> None:
    """The next run does the rest; what may be twice is said, and on FIFO queues nothing is."""
    for number in range(len(calls_of_a_whole_run(tmp_path, fifo=fifo))):
        bench = Bench(tmp_path / f"{number}.jsonl", fifo=fifo)
        ids = bench.fill(LETTERS)
        with pytest.raises(Killed):
            bench.redrive(Calls({number: mishap}))
        bench.time.wait(61)
        resumed = bench.redrive()
        check_nothing_is_lost(bench, ids, set() if fifo else resumed.perhaps_twice)
        assert resumed.whole
        assert not resumed.gone


@KINDS
@pytest.mark.parametrize("lines", [0, 1], ids=["torn", "gone"])
def test_a_run_that_is_killed_while_it_writes_its_journal_loses_nothing(
    tmp_path: Path, lines: int, *, fifo: bool
) -> None:
    """The same if a machine without power had not written its last line to the disk."""
    for number in range(len(calls_of_a_whole_run(tmp_path, fifo=fifo))):
        bench = Bench(tmp_path / f"{number}.jsonl", fifo=fifo)
        ids = bench.fill(LETTERS)
        with pytest.raises(Killed):
            bench.redrive(Calls({number: Mishap.KILLED_BEFORE}))
        tear(bench.journal, lines)
        bench.time.wait(61)
        resumed = bench.redrive()
        assert bench.dead.left == []
        assert set(bench.work.bodies) == set(ids)
        assert resumed.whole


@KINDS
def test_a_run_that_is_killed_again_and_again_loses_nothing(tmp_path: Path, *, fifo: bool) -> None:
    """Each program makes a few calls; the last one names what any of them has sent twice."""
    for steps in (2, 3, 4, 5, 7):
        bench = Bench(tmp_path / f"{steps}.jsonl", fifo=fifo)
        ids = bench.fill(LETTERS)
        for _ in range(200):
            if not bench.dead.left:
                break
            with suppress(Killed):
                bench.redrive(Calls({steps: Mishap.KILLED_AFTER}))
            bench.time.wait(61)
        else:
            pytest.fail("no progress")
        said = bench.redrive().perhaps_twice
        twice = {body for body, count in Counter(bench.work.bodies).items() if count > 1}
        assert set(bench.work.bodies) == set(ids)
        assert twice <= (set() if fifo else said)


@KINDS
@pytest.mark.parametrize("mishap", [Mishap.THROTTLED, Mishap.UNREACHED, Mishap.LOST, Mishap.DENIED])
def test_a_wrong_answer_at_any_call_loses_nothing(
    tmp_path: Path, mishap: Mishap, *, fifo: bool
) -> None:
    """A passing fault is tried again at once; after one for good, the next run does the rest."""
    for number in range(len(calls_of_a_whole_run(tmp_path, fifo=fifo))):
        bench = Bench(tmp_path / f"{number}.jsonl", fifo=fifo)
        ids = bench.fill(LETTERS)
        said: set[str] = set()
        try:
            said = bench.redrive(Calls({number: mishap})).perhaps_twice
        except QueueError:
            assert mishap is Mishap.DENIED
        bench.time.wait(61)
        said |= bench.redrive().perhaps_twice
        check_nothing_is_lost(bench, ids, said)
        assert mishap is Mishap.LOST or len(bench.work.bodies) == LETTERS


@KINDS
def test_an_outage_ends_the_run_and_makes_all_letters_visible(
    tmp_path: Path, *, fifo: bool
) -> None:
    """They are not hidden from others; the outage concerns the target only."""
    bench = Bench(tmp_path / "journal", fifo=fifo)
    ids = bench.fill(3)
    outage = dict.fromkeys(range(1, 6), Mishap.LOST)
    with pytest.raises(QueueUnavailableError):
        bench.redrive(Calls(outage))
    assert bench.dead.visible == ids
    resumed = bench.redrive()
    assert bench.dead.left == []
    if not fifo:
        assert resumed.perhaps_twice == set(ids)
        assert Counter(bench.work.bodies) == dict.fromkeys(ids, 6)
    else:
        assert bench.work.bodies == ids


def test_a_fifo_queue_that_has_forgotten_the_first_copy_may_have_two(tmp_path: Path) -> None:
    """After five minutes a second copy is no duplicate for SQS, so it is named."""
    bench = Bench(tmp_path / "journal", fifo=True)
    ids = bench.fill(3)
    with pytest.raises(Killed):
        bench.redrive(Calls({1: Mishap.KILLED_AFTER}))
    bench.time.wait(301)
    assert bench.redrive().perhaps_twice == set(ids)
    assert Counter(bench.work.bodies) == dict.fromkeys(ids, 2)


def test_a_letter_that_an_answer_does_not_name_is_sent_again_and_said(tmp_path: Path) -> None:
    """SQS may have taken it."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(5)
    unnamed = Refusal(0, "", "the answer does not name it", retry=True, answer_lost=True)
    bench.work.refusals = {ids[1]: [unnamed]}
    moved = bench.redrive()
    assert Counter(bench.work.bodies)[ids[1]] == 2
    assert moved.perhaps_twice == {ids[1]}


def test_a_delete_that_sqs_refuses_for_an_old_receipt_is_made_with_a_new_one(
    tmp_path: Path,
) -> None:
    """On a FIFO queue a receipt is over with its time; the letter is received again, not sent."""
    bench = Bench(tmp_path / "journal", fifo=True)
    ids = bench.fill(4, groups=1)
    refuse = bench.dead.delete
    refused = 5  # as often as one delete is tried

    def once_too_late(receipt: str) -> bool:
        nonlocal refused
        refused -= 1
        if refused < 0:
            return refuse(receipt)
        bench.time.wait(HIDE_SECONDS)
        return False

    bench.dead.delete = once_too_late  # type: ignore[method-assign]  # SQS is late, too
    moved = bench.redrive()
    assert (bench.work.bodies, bench.dead.left, moved.not_deleted) == (ids, [], set())


def test_a_letter_that_sqs_has_refused_is_not_open_afterwards(tmp_path: Path) -> None:
    """The target has no copy of it, and nothing says that it might."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(3)
    with pytest.raises(QueueRefusedError):
        bench.redrive(Calls({1: Mishap.DENIED}))
    moved = bench.redrive()
    assert (moved.perhaps_twice, bench.work.bodies) == (set(), ids)


def test_without_permission_to_delete_no_more_than_a_request_is_sent(tmp_path: Path) -> None:
    """The run ends and says which letters it has sent; the next one deletes them."""
    bench = Bench(tmp_path / "journal")
    bench.fill(LETTERS)
    with pytest.raises(QueueRefusedError):
        bench.redrive(Calls({2: Mishap.DENIED}))
    assert len(bench.work.bodies) == 10
    assert len(bench.redrive().moved) == LETTERS
    assert len(bench.work.bodies) == LETTERS
