"""Which letters a redrive moves, in which order and how fast."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
from support.builders.letters import Bench, received
from support.fakes.letters import Calls

from shared.queue import Refusal

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = 13
BIG = "x" * 400_000


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


def test_what_was_sent_before_the_rest_was_refused_is_deleted(tmp_path: Path) -> None:
    """Otherwise only the next run would do so."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(3)
    now = Refusal(0, "InternalError", "", retry=True)
    wrong = Refusal(0, "InvalidParameterValue", "too long", retry=False)
    bench.work.refusals = {ids[1]: [now, wrong], ids[2]: [now, wrong, wrong]}
    moved = bench.redrive()
    assert (set(moved.refused), moved.not_deleted) == ({ids[2]}, set())
    assert bench.dead.visible == [ids[2]]


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
