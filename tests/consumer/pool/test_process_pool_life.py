"""Tests of the life of a pool of worker processes: its start, its end, and kinds of handlers."""

from __future__ import annotations

import time

import pytest
from support.emulators import pools
from support.emulators.pools import do, is_alive

from consumer.handlers.errors import HandlerError

pytestmark = pytest.mark.impure

NOTHING = do("nothing")


@pytest.mark.parametrize("concurrency", [1, 3])
def test_close_lets_handlers_finish_and_shut_down(concurrency: int) -> None:
    """Their last line arrives, and every process is gone."""
    with pools.running(
        "support.examples.kinds_of_handlers:SaysGoodbye", workers=2, concurrency=concurrency
    ) as pool:
        pids = pool.pids()
        pool.do(*[NOTHING] * 4)
        assert pool.pool.close(5)
        assert sorted(pool.seen.texts(None)) == ["goodbye", "goodbye", "hello", "hello"]
        assert not any(is_alive(pid) for pid in pids)


def test_close_kills_what_does_not_end() -> None:
    """It says so, and no attempt is made of what still ran."""
    with pools.running() as pool:
        pool.send(do("hangs"))
        time.sleep(0.3)
        pids = pool.pids()
        began = time.monotonic()
        assert not pool.pool.close(0.5)
        assert time.monotonic() - began < 3
        assert not any(is_alive(pid) for pid in pids)
        assert pool.seen.attempts == []


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        pytest.param("nowhere:do", "there is no module 'nowhere'", id="module"),
        pytest.param("nobody", "has no function 'nobody'", id="function"),
        pytest.param(
            "support.examples.kinds_of_handlers:FailsAtStartup",
            "its startup failed with ConnectionError",
            id="startup",
        ),
        pytest.param("support.examples.dies_when_imported:do", "exit code 5", id="import"),
    ],
)
def test_a_handler_that_cannot_be_used_is_refused_at_the_start(handler: str, why: str) -> None:
    """The line names HANDLER and the reason, and no process is left."""
    with pytest.raises(HandlerError) as caught, pools.running(handler, workers=2):
        pass
    assert "HANDLER=" in str(caught.value)
    assert why in str(caught.value)


def test_a_pool_that_fails_gives_everything_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would see how its messages end; its processes end, and so does the consumer."""
    with pools.running(workers=2) as pool:
        pids = pool.pids()
        pool.send(do("hangs"))
        time.sleep(0.3)
        monkeypatch.setattr(pool.seen, "write", None)  # to call it is a TypeError
        pool.send(do("prints", "a line"))
        with pool.seen.changed:
            assert pool.seen.changed.wait_for(lambda: pool.seen.broken, pools.PATIENCE)
        assert "the pool failed: TypeError" in str(pool.seen.broken[0])
        assert "m1" in {one.received.message_id for one in pool.seen.returned}
        began = time.monotonic()
        assert pool.pool.close(5)
        assert time.monotonic() - began < 1
        assert not any(is_alive(pid) for pid in pids)


@pytest.mark.parametrize("concurrency", [1, 5])
def test_async_handlers_run_at_the_same_time(concurrency: int) -> None:
    """Five messages of 0.3 s with five at a time take as long as one."""
    with pools.running(
        "support.examples.kinds_of_handlers:acts_async", concurrency=concurrency
    ) as pool:
        began = time.monotonic()
        results = pool.do(*[do("sleeps", 0.3)] * 5)
        assert set(results.values()) == {"processed"}
        assert (time.monotonic() - began < 1.2) == (concurrency == 5)
