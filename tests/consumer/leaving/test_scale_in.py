"""Tests of consumers that leave a queue which always has messages, as processes of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.endurance.fleet import Fleet, Leaving
from support.endurance.trial import Plan, run

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.ministack import Ministack

pytestmark = pytest.mark.impure


def test_consumers_that_leave_at_full_load_leave_nothing_hidden_and_lose_nothing(
    ministack: Ministack, tmp_path: Path
) -> None:
    """One leaves after another while messages are sent, without work done twice or a wait."""

    def scale_in(fleet: Fleet) -> None:
        for member in fleet.living[:2]:
            fleet.ask(member)
            fleet.go_on_until(lambda: not fleet.going)

    plan = Plan(Leaving(drained=True, hook_seconds=60), scale_in, size=3, backlog=40)
    outcome = run(ministack, tmp_path / "trial", plan)
    assert outcome.stops == 3
    assert outcome.ledger["problems"] == []
    assert outcome.ledger["processed"] == outcome.ledger["sent"] == outcome.sent
    assert outcome.ledger["dead_lettered"] == outcome.ledger["lost"] == 0
    assert (outcome.waiting, outcome.hidden_receives) == (0, 0)
    assert (outcome.killed, outcome.handled_again, outcome.cut_off) == (0, 0, 0)


def test_the_same_trial_sees_what_a_killed_consumer_leaves_hidden(
    ministack: Ministack, tmp_path: Path
) -> None:
    """So the zeros of the other test are not those of a trial that sees nothing."""

    def wait_for_work(fleet: Fleet) -> None:
        fleet.go_on_until(lambda: fleet.counts()[1] > 0)

    timeout = {"VISIBILITY_TIMEOUT_SECONDS": "4"}
    plan = Plan(Leaving(drained=False), wait_for_work, 1, timeout, 0.4, backlog=20)
    outcome = run(ministack, tmp_path / "trial", plan)
    assert outcome.waiting > 0
    assert outcome.hidden_receives > 0
    assert outcome.cut_off > 0
    assert outcome.ledger["lost"] == 0
