"""Looking at letters: each once, and all are visible afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.letters import Bench
from support.fakes.letters import Caller, Calls, Killed, Mishap

from shared.errors import QueueRefusedError, QueueUnavailableError
from tidemill.dead_letters.look import look
from tidemill.dead_letters.sweep import HIDE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path


def test_every_letter_is_received_once_and_visible_again(tmp_path: Path) -> None:
    """A look costs each of them one receive."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(35)
    found = look(Caller(bench.dead, Calls()), 1_000, bench.time)
    assert [letter.id for letter in found.letters] == ids
    assert (found.complete, found.hidden) == (True, 0)
    assert bench.dead.visible == ids
    assert {bench.dead.receives_of(name) for name in ids} == {1}


def test_no_more_than_the_limit_is_received(tmp_path: Path) -> None:
    """What is not looked at costs no receive."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(35)
    found = look(Caller(bench.dead, Calls()), 7, bench.time)
    assert len(found.letters) == 7
    assert not found.complete
    assert sum(bench.dead.receives_of(name) for name in ids) == 7
    assert bench.dead.visible == ids


def test_letters_that_come_back_while_it_looks_do_not_keep_it_going(tmp_path: Path) -> None:
    """A slow look at many ends all the same, with all of them."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(60)
    receive = bench.dead.receive

    def slowly(limit: int, seconds: int) -> object:
        bench.time.wait(HIDE_SECONDS / 3)
        return receive(limit, seconds)

    bench.dead.receive = slowly  # type: ignore[method-assign,assignment]  # SQS takes its time
    found = look(Caller(bench.dead, Calls()), 1_000, bench.time)
    assert {letter.id for letter in found.letters} <= set(ids)
    assert len({letter.id for letter in found.letters}) == len(found.letters)
    assert bench.dead.visible == ids


def test_of_a_fifo_queue_the_first_letters_of_each_group_are_seen(tmp_path: Path) -> None:
    """SQS shows no more of a group while some of it is hidden."""
    bench = Bench(tmp_path / "journal", fifo=True)
    ids = bench.fill(35, groups=1)
    found = look(Caller(bench.dead, Calls()), 1_000, bench.time)
    assert [letter.id for letter in found.letters] == ids[:10]
    assert bench.dead.visible == ids


def test_an_error_in_the_middle_makes_everything_visible_again(tmp_path: Path) -> None:
    """It is raised then."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(35)
    with pytest.raises(QueueRefusedError):
        look(Caller(bench.dead, Calls({2: Mishap.DENIED})), 1_000, bench.time)
    assert bench.dead.visible == ids


def test_a_receive_without_an_answer_is_tried_again(tmp_path: Path) -> None:
    """What its lost answer held is hidden for half a minute, and no longer."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(5)
    lost = look(Caller(bench.dead, Calls({0: Mishap.LOST})), 1_000, bench.time)
    assert lost.letters == ()
    bench.time.wait(HIDE_SECONDS)
    assert bench.dead.visible == ids
    with pytest.raises(QueueUnavailableError):
        look(Caller(bench.dead, Calls(dict.fromkeys(range(5), Mishap.THROTTLED))), 9, bench.time)


def test_letters_that_stay_hidden_are_counted(tmp_path: Path) -> None:
    """If SQS does not take them back at once."""
    bench = Bench(tmp_path / "journal")
    bench.fill(5)
    found = look(Caller(bench.dead, Calls({2: Mishap.THROTTLED})), 1_000, bench.time)
    assert found.hidden == 5


def test_a_look_that_is_killed_hides_letters_for_half_a_minute(tmp_path: Path) -> None:
    """No program is left that could make them visible before."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(35)
    with pytest.raises(Killed):
        look(Caller(bench.dead, Calls({2: Mishap.KILLED_AFTER})), 1_000, bench.time)
    assert len(bench.dead.visible) == 5
    bench.time.wait(HIDE_SECONDS)
    assert bench.dead.visible == ids
