"""Tests of worker processes: handlers that die, hang or disturb, and what that costs others."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from support.emulators import pools
from support.emulators.pools import do, is_alive

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.impure

NOTHING = do("nothing")


def test_what_a_handler_says_becomes_the_attempt() -> None:
    """Returns, errors, rejections and retries come back from the process."""
    with pools.running() as pool:
        results = pool.do(NOTHING, do("raises"), do("rejects"), do("retries"), {"no": "do"})
        assert results == {
            "m1": "processed",
            "m2": "failed",
            "m3": "rejected",
            "m4": "retry",
            "m5": "failed",
        }
        assert pool.seen.of("m2").reason == "ValueError: no luck today"
        assert pool.seen.of("m3").reason == "not ours"
        assert pool.seen.of("m4").retry_after == 7
        assert pool.pool.running() == {}


@pytest.mark.parametrize(
    ("body", "how"),
    [
        pytest.param(do("exits_at_once", 3), "ended with exit code 3", id="os._exit"),
        pytest.param(do("exits_at_once", 0), "ended with exit code 0", id="os._exit(0)"),
        pytest.param(do("kills_itself", 9), "was killed by SIGKILL", id="SIGKILL"),
        pytest.param(do("kills_itself", 15), "was killed by SIGTERM", id="SIGTERM"),
        pytest.param(do("crashes_the_interpreter"), "was killed by SIGSEGV", id="SIGSEGV"),
        pytest.param(do("aborts"), "was killed by SIGABRT", id="SIGABRT"),
    ],
)
def test_a_message_that_ends_its_process_is_the_only_one_that_pays(
    body: dict[str, object], how: str
) -> None:
    """Nine neighbours are processed; the culprit's attempt names the end and the peak memory."""
    with pools.running() as pool:
        results = pool.do(*[NOTHING] * 4, body, *[NOTHING] * 5)
        assert results == {f"m{n}": "crashed" if n == 5 else "processed" for n in range(1, 11)}
        reason = pool.seen.of("m5").reason
        assert reason is not None
        assert reason.startswith(f"the handler's process {how}, peak memory ")
        assert reason.endswith(" MiB")


def test_sys_exit_fails_its_message_and_nothing_else() -> None:
    """The process goes on: SystemExit is an error like any other."""
    with pools.running() as pool:
        before = pool.pids()
        assert pool.do(do("calls_sys_exit"), NOTHING) == {"m1": "failed", "m2": "processed"}
        assert pool.seen.of("m1").reason == "SystemExit: bye"
        assert pool.pids() == before


def test_a_limit_of_memory_fails_its_message_and_nothing_else() -> None:
    """A MemoryError is an error like any other."""
    with pools.running() as pool:
        assert pool.do(do("uses_too_much_memory"), NOTHING) == {"m1": "failed", "m2": "processed"}
        assert pool.seen.of("m1").reason == "MemoryError"


def test_the_peak_memory_of_a_process_that_the_kernel_killed_is_reported() -> None:
    """A handler that used 200 MiB when it was killed is told from one that was not large."""
    with pools.running() as pool:
        assert pool.do(do("fills_memory_and_is_killed", 200)) == {"m1": "crashed"}
        reason = pool.seen.of("m1").reason or ""
        assert int(reason.rpartition("peak memory ")[2].removesuffix(" MiB")) >= 200


def test_the_kernel_prefers_a_worker_process_when_memory_runs_out() -> None:
    """Its score is above the consumer's, so that the consumer survives."""
    with pools.running() as pool:
        [pid] = pool.pids()
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as theirs:  # noqa: PTH123 - proc
            worker = int(theirs.read())
        with open("/proc/self/oom_score_adj", encoding="ascii") as ours:  # noqa: PTH123 - proc
            assert worker > int(ours.read())


def test_of_several_messages_in_hand_only_the_culprit_pays() -> None:
    """With four threads nobody knows who did it, so all are run again, each alone."""
    with pools.running(concurrency=4) as pool:
        results = pool.do(*[do("sleeps", 0.3)] * 3, do("exits_at_once", 3))
        assert results == {"m1": "processed", "m2": "processed", "m3": "processed", "m4": "crashed"}


def test_of_a_batch_only_the_culprit_pays() -> None:
    """The messages of the batch are run again as batches of one."""
    with pools.running("act_on_all") as pool:
        results = pool.do(NOTHING, do("exits_at_once", 3), NOTHING)
        assert results == {"m1": "processed", "m2": "crashed", "m3": "processed"}


@pytest.mark.parametrize("name", ["hangs", "holds_the_interpreter", "ignores_signals_and_hangs"])
def test_a_message_that_exceeds_its_limit_is_ended(name: str) -> None:
    """A neighbour in another process is not delayed, and one behind it is handled afterwards."""
    with pools.running(workers=2, seconds=1.0) as pool:
        began = time.monotonic()
        pool.send(do(name), NOTHING)
        assert pool.seen.wait(1) == {"m2": "processed"}
        assert time.monotonic() - began < 0.9
        assert pool.do(NOTHING) == {"m1": "timed_out", "m2": "processed", "m3": "processed"}
        assert pool.seen.of("m1").reason == "not done within its time limit of 1 s"
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", ["hangs", "holds_the_interpreter"])
def test_threads_beside_one_that_exceeds_its_limit_do_not_pay(name: str) -> None:
    """Even one that holds the interpreter, so that its neighbours exceed their limits as well."""
    with pools.running(concurrency=3, seconds=1.0) as pool:
        results = pool.do(do("sleeps", 0.8), do(name), do("sleeps", 0.7))
        assert results == {"m1": "processed", "m2": "timed_out", "m3": "processed"}


def test_a_finished_message_is_known_although_its_neighbour_holds_the_interpreter() -> None:
    """The page has it; no code of the process can run any more."""
    with pools.running(concurrency=2, seconds=5.0) as pool:
        pool.send(NOTHING, do("holds_the_interpreter"))
        began = time.monotonic()
        assert pool.seen.wait(1) == {"m1": "processed"}
        assert time.monotonic() - began < 1


def test_a_message_that_asks_for_more_time_gets_it() -> None:
    """A handler of 1.8 s with a limit of 1 s extends it and is processed."""
    with pools.running(seconds=1.0) as pool:
        pool.send(do("extends", 2.0))
        time.sleep(1.3)
        [deadline] = pool.pool.running().values()
        assert deadline > time.time()
        assert pool.seen.wait(1) == {"m1": "processed"}


def test_messages_behind_a_slow_one_are_given_to_another_process() -> None:
    """Fast messages travel together until one of them is slow; those behind it are taken back."""
    with pools.running(workers=2) as pool:
        pool.do(*[NOTHING] * 50)
        began = time.monotonic()
        pool.send(do("sleeps", 3.0), *[NOTHING] * 9)
        pool.seen.wait(59)
        assert time.monotonic() - began < 2
        pool.seen.wait(60)


@pytest.mark.parametrize(
    "name",
    [
        "forks_and_returns",
        "terminates_a_child",
        "changes_signals",
        "starts_a_thread",
        "takes_logging_over",
        "closes_its_streams",
        "closes_all_descriptors",
        "logs_a_bad_format",
    ],
)
def test_what_a_handler_leaves_behind_harms_nobody_else(name: str) -> None:
    """The messages before and after it are processed once, and the pool closes in order."""
    with pools.running() as pool:
        results = pool.do(NOTHING, do(name), *[NOTHING] * 3, do("prints", "still here"))
        assert set(results.values()) == {"processed"}
        assert len(pool.seen.attempts) == 6
        assert pool.pool.close(5)
        assert "still here" in pool.seen.texts("m6")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("\x02\0\0\0\xc1\xc1", id="no-messagepack"),
        pytest.param("junk junk junk", id="endless-frame"),
    ],
)
def test_a_handler_that_writes_to_the_pools_own_pipe_costs_one_attempt(data: str) -> None:
    """Its process is replaced, and the pool goes on."""
    with pools.running(workers=2) as pool:
        results = pool.do(NOTHING, do("writes_to_all_pipes", data), *[NOTHING] * 4)
        assert results == {f"m{n}": "crashed" if n == 2 else "processed" for n in range(1, 7)}
        assert pool.seen.of("m2").reason == (
            "the handler's process wrote to the pipe for reports and was ended"
        )


@pytest.mark.parametrize("name", ["leaves_a_program_and_dies", "leaves_a_program_and_hangs"])
def test_a_program_that_a_handler_started_ends_with_its_process(name: str, tmp_path: Path) -> None:
    """Otherwise it would go on with a message that is already retried elsewhere."""
    file = tmp_path / "pid"
    with pools.running(seconds=1.0) as pool:
        pool.do(do(name, str(file)))
        pid = int(file.read_text())
        pool.do(NOTHING)
        assert not is_alive(pid)


def test_a_worker_process_that_dies_idle_is_replaced() -> None:
    """Nobody pays for it."""
    with pools.running() as pool:
        pool.do(NOTHING)
        [pid] = pool.pids()
        os.kill(pid, signal.SIGKILL)
        assert pool.do(NOTHING) == {"m1": "processed", "m2": "processed"}
        assert pool.pids() != [pid]


def test_withdraw_takes_back_what_no_handler_has_begun() -> None:
    """The first messages are kept, from processes and backlog alike."""
    with pools.running() as pool:
        pool.do(*[NOTHING] * 50)
        sent = pool.send(*[do("sleeps", 0.5)] * 6)
        time.sleep(0.2)
        assert pool.pool.withdraw(2) == sent[3:]
        results = pool.seen.wait(53)
        assert set(results.values()) == {"processed"}
        assert pool.pool.close(5)
        assert len(pool.seen.attempts) == 53


def test_a_message_that_is_not_ours_any_more_is_not_handled() -> None:
    """`start` has said so, and the messages around it go on."""
    with pools.running() as pool:
        pool.seen.refused = {2}
        pool.send(NOTHING, do("exits_at_once", 3), NOTHING)
        assert pool.seen.wait(2) == {"m1": "processed", "m3": "processed"}
