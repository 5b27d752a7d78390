"""Tests of FIFO queues with consumers as processes, against MiniStack."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.emulators.consumer_stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.ministack import Ministack

pytestmark = [pytest.mark.impure, pytest.mark.long]

SETTINGS = {
    "HANDLER": "fleet_handlers:note_and_fail_at_first",
    "RETRY_DELAY_SECONDS": "1",
    "MESSAGE_SECONDS": "1",
    "CONCURRENCY": "4",
}


@pytest.fixture
def stage(ministack: Ministack, tmp_path: Path) -> Stage:
    """Provide a FIFO queue with a dead-letter queue; three receives are the most."""
    return Stage(ministack, tmp_path, fifo=True)


def body(name: str, fails: int = 0) -> str:
    """Return the body of a message whose handler fails so many times."""
    return json.dumps({"name": name, "fails": fails})


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_failed_message_holds_its_group_back_in_order(stage: Stage, workers: str) -> None:
    """A1 fails twice: A2 to A4 wait for it, B1 to B4 do not, and nobody loses an attempt."""
    stage.send_to_group("A", body("A1", fails=2), *[body(f"A{n}") for n in (2, 3, 4)])
    stage.send_to_group("B", *[body(f"B{n}") for n in (1, 2, 3, 4)])
    with stage.consumer(**SETTINGS, WORKERS=workers) as consumer:
        stage.wait_until_empty()
        assert consumer.stop() == 0
    handled = stage.handled()
    assert [name for name in handled if name[0] == "A"] == ["A1", "A1", "A1", "A2", "A3", "A4"]
    assert [name for name in handled if name[0] == "B"] == ["B1", "B2", "B3", "B4"]
    receives = {line["body"]["name"]: line["receive_count"] for line in consumer.events("message")}
    assert receives["A1"] == 3
    assert max(receives[name] for name in ("A2", "A3", "A4")) <= 2
    assert stage.dead() == []


def test_a_poison_message_does_not_take_its_group_into_the_dead_letters(stage: Stage) -> None:
    """After three receives A1 is a dead letter; what followed it is handled, in order."""
    stage.send_to_group("A", body("A1", fails=9), *[body(f"A{n}") for n in (2, 3, 4)])
    with stage.consumer(**SETTINGS, WORKERS="0") as consumer:
        stage.wait_until_empty()
        assert consumer.stop() == 0
    assert stage.handled() == ["A1", "A1", "A1", "A2", "A3", "A4"]
    assert [json.loads(dead)["name"] for dead in stage.dead()] == ["A1"]


def test_two_consumers_keep_the_order_of_every_group(stage: Stage) -> None:
    """Five groups, one with a message that fails once, and a consumer that is stopped amid them."""
    for group in "ABCDE":
        stage.send_to_group(group, *[body(f"{group}{n}", fails=n == 3) for n in range(1, 7)])
    with ExitStack() as stack:
        one = stack.enter_context(stage.consumer(**SETTINGS, WORKERS="0"))
        two = stack.enter_context(stage.consumer(**SETTINGS, WORKERS="0", INSTANCE_ID="i-2"))
        one.wait_for("message", 3)
        assert one.stop() == 0
        stage.wait_until_empty()
        assert two.stop() == 0
    for group in "ABCDE":
        names = [name for name in stage.handled() if name[0] == group]
        assert names == [f"{group}{n}" for n in (1, 2, 3, 3, 4, 5, 6)]
    assert stage.dead() == []
