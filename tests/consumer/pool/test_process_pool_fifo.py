"""Tests of worker processes on a FIFO queue: message groups keep their order."""

from __future__ import annotations

import time

import pytest
from support.emulators import pools
from support.emulators.pools import do

pytestmark = pytest.mark.impure


def of(group: str, name: str, argument: object = None) -> dict[str, object]:
    """Return the body of a message of this group."""
    return {**do(name, argument), "group": group}


def finished(pool: pools.RunningPool) -> list[int]:
    """Return the keys of the attempts so far, in the order of their ends."""
    return [attempt.delivery.key for attempt in pool.seen.attempts]


def returned(pool: pools.RunningPool) -> list[int]:
    """Return the keys of the messages that went back."""
    return [delivery.key for delivery in pool.seen.returned]


def test_groups_are_handled_side_by_side_and_each_in_order() -> None:
    """Two processes: three slow messages of A one after another, B beside them."""
    with pools.running(workers=2, concurrency=2, fifo=True) as pool:
        slow, quick = of("A", "sleeps", 0.3), of("B", "nothing")
        began = time.monotonic()
        pool.do(slow, slow, slow, quick, quick)
        assert time.monotonic() - began >= 0.9
        assert [key for key in finished(pool) if key <= 3] == [1, 2, 3]
        assert [key for key in finished(pool) if key > 3] == [4, 5]
        assert finished(pool)[0] == 4
        assert returned(pool) == []


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (of("A", "raises"), "failed"),
        (of("A", "retries"), "retry"),
        (of("A", "exits_at_once", 3), "crashed"),
    ],
    ids=["raise", "retry", "crash"],
)
def test_the_followers_of_a_failed_message_are_not_handled(
    body: dict[str, object], result: str
) -> None:
    """They go back in order, and the other group is not touched."""
    with pools.running(workers=2, fifo=True) as pool:
        pool.send(body, of("A", "nothing"), of("B", "nothing"), of("A", "nothing"))
        assert pool.seen.wait(2) == {"m1": result, "m3": "processed"}
        with pool.seen.changed:
            pool.seen.changed.wait_for(lambda: pool.seen.returned, pools.PATIENCE)
        assert returned(pool) == [2, 4]
        pool.send(of("A", "nothing"))
        assert pool.seen.wait(3)["m5"] == "processed"


def test_a_batch_ends_for_a_group_at_its_first_failure() -> None:
    """The handler says that A3 is done, but it has done it before A2, so A3 comes again."""
    with pools.running("answer_for_all", fifo=True) as pool:
        pool.send(
            of("A", "works"), of("A", "fails"), of("B", "works"), of("A", "works"), of("B", "works")
        )
        results = pool.seen.wait(4)
        assert results == {"m1": "processed", "m2": "failed", "m3": "processed", "m5": "processed"}
        with pool.seen.changed:
            pool.seen.changed.wait_for(lambda: pool.seen.returned, pools.PATIENCE)
        assert returned(pool) == [4]


def test_what_is_withdrawn_from_a_pool_is_the_end_of_each_group() -> None:
    """A stop keeps the first ones, and everything else comes back once, in order."""
    with pools.running(fifo=True) as pool:
        pool.send(of("A", "sleeps", 1), *[of("A", "nothing")] * 3, of("B", "nothing"))
        while not pool.pool.running():
            time.sleep(0.01)
        withdrawn = [delivery.key for delivery in pool.pool.withdraw(1)]
        assert withdrawn == [3, 4, 5]
        assert pool.seen.wait(2) == {"m1": "processed", "m2": "processed"}
