"""Moving dead letters: nothing is lost, whatever ends the program and wherever."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.builders.letters import Bench, received
from support.fakes.letters import Calls, Killed, Mishap

from shared.errors import QueueError, QueueRefusedError, QueueUnavailableError
from shared.queue import Refusal
from tidemill.dead_letters.sweep import HIDE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = 13
KINDS = pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
BIG = "x" * 400_000


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


def test_letters_that_are_not_wanted_stay_and_are_visible(tmp_path: Path) -> None:
    """They were received once, and no more."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(LETTERS)
    wanted = set(ids[::2])
    moved = bench.redrive(wanted=lambda letter: letter.id in wanted)
    assert moved.moved.keys() == wanted
    assert bench.dead.visible == ids[1::2]
    assert {bench.dead.receives_of(name) for name in ids[1::2]} == {1}


def test_what_waits_behind_an_unwanted_letter_of_its_group_cannot_be_reached(
    tmp_path: Path,
) -> None:
    """SQS shows no more of a group while one of its letters is hidden: the rest stays, in order."""
    bench = Bench(tmp_path / "journal", fifo=True)
    ids = bench.fill(LETTERS, groups=2)
    moved = bench.redrive(wanted=lambda letter: letter.id != ids[2])
    assert moved.moved.keys() == {*ids[:10], *ids[11::2]} - {ids[2]}
    assert bench.dead.visible == [ids[2], *ids[10::2]]


def test_order_in_groups_is_kept_through_refusals_for_now(tmp_path: Path) -> None:
    """SQS decides about each entry of a request alone, so a request has one of each group."""
    bench = Bench(tmp_path / "journal", fifo=True)
    ids = bench.fill(LETTERS)
    now = Refusal(0, "InternalError", "", retry=True)
    bench.work.refusals = {name: [now] for name in ids[::3]} | {ids[4]: [now, now]}
    bench.redrive()
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for entry in bench.work.sent:
        groups[entry.group_id or ""].append(entry.body)
    assert groups == {f"g{number}": ids[number::3] for number in range(3)}


def test_behind_a_refused_letter_its_group_stays(tmp_path: Path) -> None:
    """Other groups go on; what stays is said with the reason."""
    bench = Bench(tmp_path / "journal", fifo=True)
    ids = bench.fill(9)
    bench.work.refusals = {ids[3]: [Refusal(0, "InvalidParameterValue", "too long", retry=False)]}
    moved = bench.redrive()
    assert moved.refused == {ids[3]: "InvalidParameterValue too long"}
    assert moved.held_back == {ids[6]}
    assert bench.dead.visible == [ids[3], ids[6]]
    assert not moved.whole


def test_on_a_standard_queue_a_refused_letter_holds_nothing_back(tmp_path: Path) -> None:
    """It stays, alone."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(5)
    bench.work.refusals = {ids[1]: [Refusal(0, "InvalidParameterValue", "too long", retry=False)]}
    moved = bench.redrive()
    assert (set(moved.refused), bench.dead.visible) == ({ids[1]}, [ids[1]])


def test_a_letter_that_an_answer_does_not_name_is_sent_again_and_said(tmp_path: Path) -> None:
    """SQS may have taken it."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(5)
    unnamed = Refusal(0, "", "the answer does not name it", retry=True, answer_lost=True)
    bench.work.refusals = {ids[1]: [unnamed]}
    moved = bench.redrive()
    assert Counter(bench.work.bodies)[ids[1]] == 2
    assert moved.perhaps_twice == {ids[1]}


def test_a_request_that_is_refused_as_a_whole_is_made_for_each_letter(tmp_path: Path) -> None:
    """One letter is at fault; the others are sent."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(5)
    wrong = Refusal(0, "", "one of them is too long", retry=False)
    bench.work.refusals = {name: [wrong] for name in ids} | {ids[1]: [wrong, wrong]}
    moved = bench.redrive()
    assert set(moved.refused) == {ids[1]}
    assert bench.work.bodies == [ids[0], *ids[2:]]
    assert bench.dead.visible == [ids[1]]


def test_a_letter_that_arrives_damaged_is_not_sent(tmp_path: Path) -> None:
    """Its copy would not be what SQS has, and the letter would be deleted."""
    bench = Bench(tmp_path / "journal")
    bench.fill(2)
    bench.dead.put(msgspec.structs.replace(received("bad"), damage="another MD5"))
    moved = bench.redrive()
    assert moved.refused == {"bad": "another MD5"}
    assert bench.dead.visible == ["bad"]


def test_a_letter_that_came_back_is_not_sent_again_by_the_same_run(tmp_path: Path) -> None:
    """Otherwise messages that fail at once would go round for ever."""
    bench = Bench(tmp_path / "journal")
    bench.fill(2)
    calls = Calls()
    original = bench.work.take

    def fail_at_once(entry: object) -> str:
        new = original(entry)  # type: ignore[arg-type]  # an entry, as the original takes
        bench.dead.put(bench.work.receive(10, 0)[-1])
        return new

    bench.work.take = fail_at_once  # type: ignore[method-assign]  # the target's worker
    moved = bench.redrive(calls)
    assert moved.returned == {"new-1", "new-2"}
    assert sorted(bench.dead.visible) == ["new-1", "new-2"]


def test_a_request_has_no_more_bytes_than_sqs_takes(tmp_path: Path) -> None:
    """Ten letters of a receive may have ten times as many."""
    bench = Bench(tmp_path / "journal")
    for number in range(6):
        bench.dead.put(received(f"letter-{number}", BIG))
    calls = Calls()
    bench.redrive(calls)
    assert calls.names.count("send") == 3
    assert bench.dead.left == []


def test_a_rate_is_kept(tmp_path: Path) -> None:
    """Two a second: the request after the first ten waits for five seconds."""
    bench = Bench(tmp_path / "journal")
    bench.fill(LETTERS)
    begin = bench.time.now
    bench.redrive(rate=2)
    assert bench.time.now - begin == 5


def test_a_slow_rate_takes_few_letters_at_a_time(tmp_path: Path) -> None:
    """Otherwise they would be visible again before they are sent."""
    bench = Bench(tmp_path / "journal", fifo=True)
    ids = bench.fill(5, groups=1)
    moved = bench.redrive(rate=0.1)
    assert bench.work.bodies == ids
    assert moved.whole


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
