"""Tests of the consumer's process with worker processes: what handlers do to it and to others."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.consumer_stage import EITHER, outcomes
from support.emulators.pools import HANDLERS, do, is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.emulators.consumer_stage import Stage
    from support.emulators.programs import Program

pytestmark = pytest.mark.impure

TESTS: Final = str(Path(__file__).parents[1])
NOTHING: Final = do("nothing")


def send(stage: Stage, *bodies: dict[str, object]) -> None:
    """Send messages that say what the handler is to do."""
    stage.send(*map(json.dumps, bodies))


@contextmanager
def consumer(stage: Stage, handler: str = f"{HANDLERS}:act", **settings: str) -> Iterator[Program]:
    """Run a consumer with worker processes whose handlers misbehave."""
    given = {
        "HANDLER": handler,
        "WORKERS": "2",
        "POLL_WAIT_SECONDS": "0",
        "RETRY_DELAY_SECONDS": "0.1",
        "RETRY_DELAY_MAX_SECONDS": "0.1",
        "PYTHONPATH": os.pathsep.join([TESTS, os.environ.get("PYTHONPATH", "")]),
        **settings,
    }
    with stage.consumer(**given) as program:
        yield program


def results(program: Program, count: int) -> dict[str, list[str]]:
    """Wait for so many attempts; return their outcomes by what their messages said."""
    found: dict[str, list[str]] = {}
    for line in program.wait_for("message", count):
        found.setdefault(line["body"]["do"], []).append(line["outcome"])
    return found


def workers_of(program: Program) -> list[int]:
    """Return the ids of the program's child processes."""
    children = Path(f"/proc/{program.pid}/task").glob("*/children")
    return [int(pid) for one in children for pid in one.read_text(encoding="ascii").split()]


@pytest.mark.parametrize(
    ("name", "argument", "how"),
    [
        pytest.param("exits_at_once", 137, "ended with exit code 137", id="exit"),
        pytest.param("kills_itself", 9, "was killed by SIGKILL", id="SIGKILL"),
        pytest.param("crashes_the_interpreter", None, "was killed by SIGSEGV", id="SIGSEGV"),
    ],
)
def test_a_message_that_kills_its_process_is_the_only_dead_letter(
    stage: Stage, name: str, argument: object, how: str
) -> None:
    """Nine of ten are processed once; the lines of the tenth say three times what it did."""
    send(stage, *[NOTHING] * 5, do(name, argument), *[NOTHING] * 4)
    with consumer(stage) as program:
        assert results(program, 12) == {"nothing": ["processed"] * 9, name: ["crashed"] * 3}
        stage.wait_until_empty()
        assert program.stop() == 0
    reasons = [line["reason"] for line in program.events("message") if "reason" in line]
    assert [how in reason for reason in reasons] == [True] * 3
    ended = program.events("worker process ended")
    assert len(ended) == 3
    assert all(line["peak_memory_mib"] > 0 for line in ended)
    assert [json.loads(body)["do"] for body in stage.dead()] == [name]
    assert stage.counts() == (0, 0)


@pytest.mark.parametrize("name", ["hangs", "holds_the_interpreter"])
@pytest.mark.parametrize("concurrency", ["1", "2"])
def test_a_message_that_hangs_holds_nobody_and_ends_as_a_dead_letter(
    stage: Stage, name: str, concurrency: str
) -> None:
    """The others are gone from the queue within a second, and a line warns at the limit."""
    send(stage, do(name), *[NOTHING] * 3)
    with consumer(stage, MESSAGE_SECONDS="1", CONCURRENCY=concurrency) as program:
        program.wait_for("message", 3)
        began = time.monotonic()
        while stage.counts() != (0, 1):
            assert time.monotonic() - began < 1
            time.sleep(0.02)
        assert results(program, 6) == {"nothing": ["processed"] * 3, name: ["timed_out"] * 3}
        stage.wait_until_empty()
        assert program.stop() == 0
    warnings = program.events("time limit reached")
    assert [line["level"] for line in warnings][:3] == ["WARNING"] * 3
    assert all(name in line["stacks"] for line in warnings)
    assert [json.loads(body)["do"] for body in stage.dead()] == [name]


@EITHER
@pytest.mark.parametrize("name", ["takes_logging_over", "closes_its_streams", "forks_and_returns"])
def test_lines_after_what_a_handler_did_are_complete(stage: Stage, workers: str, name: str) -> None:
    """What the next handler prints is a line of its own, and the consumer ends in order."""
    send(stage, do(name))
    with consumer(stage, WORKERS=workers, CONCURRENCY="1") as program:
        assert results(program, 1) == {name: ["processed"]}
        send(stage, do("prints", "no newline here"))
        program.wait_for("message", 2)
        assert program.stop() == 0
    assert [line["text"] for line in program.events("output")][-1:] == ["no newline here"]
    assert program.events("started")
    assert [line["exit_code"] for line in program.events("stopped")] == [0]
    assert program.errors == []


@EITHER
def test_what_a_handler_prints_and_logs_has_the_id_of_its_message(
    stage: Stage, workers: str
) -> None:
    """Each is a line of its own, although neither a line's end nor a right format was given."""
    send(stage, do("prints", "no newline here"), do("logs_a_bad_format"))
    with consumer(stage, WORKERS=workers) as program:
        lines = program.wait_for("message", 2)
        assert program.stop() == 0
    ids = {line["body"]["do"]: line["message_id"] for line in lines}
    printed, logged = sorted(program.events("output"), key=lambda line: "logger" in line)
    assert (printed["text"], printed["message_id"]) == ("no newline here", ids["prints"])
    assert (logged["logger"], logged["message_id"]) == ("mine", ids["logs_a_bad_format"])
    assert logged["text"].startswith("%d (not formatted: ")


@pytest.mark.parametrize("stop", ["signal", "press_control_c"], ids=["SIGTERM", "Ctrl-C"])
def test_a_stop_lets_workers_finish(stage: Stage, stop: str) -> None:
    """Neither signal reaches the worker processes; both messages are processed."""
    send(stage, do("sleeps", 1.5), do("sleeps", 1.5))
    with consumer(stage) as program:
        program.wait_for("started")
        time.sleep(0.7)
        workers = workers_of(program)
        getattr(program, stop)()
        assert program.wait() == 0
    assert outcomes(program) == [("processed", 1)] * 2
    assert program.events("worker process ended") == []
    assert not any(is_alive(pid) for pid in workers)
    assert program.errors == []


def test_a_handler_that_does_not_end_in_time_is_killed_and_its_message_returned(
    stage: Stage,
) -> None:
    """No process is left that works on a message which another consumer may have."""
    send(stage, do("hangs"))
    with consumer(stage, DRAIN_SECONDS="12") as program:
        program.wait_for("started")
        time.sleep(0.7)
        workers = workers_of(program)
        assert program.stop() == 0
    assert program.events("handler still running at the limit")
    assert stage.counts() == (1, 0)
    assert not any(is_alive(pid) for pid in workers)


@pytest.mark.parametrize("name", ["hangs", "holds_the_interpreter"])
def test_worker_processes_do_not_outlive_a_consumer_that_was_killed(
    stage: Stage, name: str
) -> None:
    """Even one whose interpreter does not run Python any more."""
    send(stage, do(name))
    with consumer(stage) as program:
        program.wait_for("started")
        time.sleep(0.7)
        workers = workers_of(program)
        assert len(workers) == 2
        program.signal(signal.SIGKILL)
        program.wait()
        deadline = time.monotonic() + 5
        while any(is_alive(pid) for pid in workers):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_handler_that_cannot_start_ends_the_consumer_with_one_line(stage: Stage) -> None:
    """Exit code 2, whether the handler refuses or its import ends the process."""
    kinds = "support.examples.kinds_of_handlers"
    for handler, why in (
        (f"{kinds}:FailsAtStartup", "its startup failed with ConnectionError: no database"),
        ("support.examples.dies_when_imported:do", "ended with exit code 5"),
    ):
        with consumer(stage, handler) as program:
            assert program.wait() == 2
        [line] = program.errors
        assert line.startswith(f"consumer: HANDLER='{handler}': ")
        assert why in line


def test_a_message_of_the_largest_size_reaches_its_handler(stage: Stage) -> None:
    """It is larger than a pipe."""
    large: dict[str, Any] = {**NOTHING, "filling": "x" * 250_000}
    send(stage, large, NOTHING)
    with consumer(stage, WORKERS="1") as program:
        program.wait_for("message", 2)
        assert program.stop() == 0
    assert outcomes(program) == [("processed", 1)] * 2
