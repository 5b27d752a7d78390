"""Tests of `python -m consumer` with code of users: what it may be, and what it costs if it is bad.

Each test runs with threads (WORKERS=0) and with processes, if nothing else is said. The handlers
are those of tests/support/examples/misbehaving.py, whose messages say what to do.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.consumer_stage import EITHER, outcomes, run
from support.examples import misbehaving

if TYPE_CHECKING:
    from support.emulators.consumer_stage import Stage
    from support.emulators.programs import Program

pytestmark = pytest.mark.impure

GOOD: Final = '{"do":"nothing"}'


def does(name: str, *given: object) -> str:
    """Return a message that asks for this."""
    return json.dumps({"do": name} | ({"with": given[0]} if given else {}))


@pytest.fixture(autouse=True)
def _handlers(stage: Stage) -> None:
    """Put the handlers into the consumer's folder, from which it imports."""
    shutil.copy(Path(str(misbehaving.__file__)), stage.directory / "misbehaving.py")


def attempts(program: Program, body: str) -> list[dict[str, Any]]:
    """Return the lines of the attempts at messages with this body."""
    return [line for line in program.events("message") if line["body"] == json.loads(body)]


CULPRITS: Final = [
    pytest.param(does("exits_at_once", 137), "exit code 137", id="exits"),
    pytest.param(does("crashes_the_interpreter"), "SIGSEGV", id="segfault"),
    pytest.param(does("kills_itself", 9), "SIGKILL", id="killed"),
]


@pytest.mark.parametrize(("culprit", "reason"), CULPRITS)
def test_a_message_that_ends_its_process_costs_no_other_one_an_attempt(
    stage: Stage, culprit: str, reason: str
) -> None:
    """Nine of ten are processed at their first attempt; the lines of the tenth say what it did."""
    stage.send(*[GOOD] * 4, culprit, *[GOOD] * 5)
    consumer = run(stage, 12, "2")
    assert [line["outcome"] for line in attempts(consumer, GOOD)] == ["processed"] * 9
    assert {line["receive_count"] for line in attempts(consumer, GOOD)} == {1}
    lines = attempts(consumer, culprit)
    assert [line["outcome"] for line in lines] == ["crashed"] * 3
    assert all(reason in line["reason"] and "MiB" in line["reason"] for line in lines)
    assert stage.dead() == [culprit]


@EITHER
def test_a_message_that_hangs_is_ended_at_its_time_limit(stage: Stage, workers: str) -> None:
    """There is a warning first; the message beside it is processed in time."""
    culprit = does("hangs")
    stage.send(culprit, GOOD)
    consumer = run(stage, 3, workers, MESSAGE_SECONDS="2", CONCURRENCY="2")
    [good] = attempts(consumer, GOOD)
    assert (good["outcome"], good["receive_count"]) == ("processed", 1)
    assert good["duration_seconds"] < 2
    first, *_ = attempts(consumer, culprit)
    assert first["outcome"] == "timed_out"
    warning, *_ = [line for line in consumer.lines if "time limit" in line["event"]]
    assert warning["level"] == "WARNING"
    assert first["message_id"] in json.dumps(warning)


def test_a_message_that_holds_the_interpreter_is_ended_as_well(stage: Stage) -> None:
    """It runs in C for hours; only the end of its process helps."""
    culprit = does("holds_the_interpreter")
    stage.send(culprit, GOOD)
    consumer = run(stage, 2, "2", MESSAGE_SECONDS="2")
    assert [line["outcome"] for line in attempts(consumer, GOOD)] == ["processed"]
    assert attempts(consumer, culprit)[0]["outcome"] == "timed_out"


@EITHER
@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        pytest.param("takes_logging_over", "processed", id="logging"),
        pytest.param("calls_sys_exit", "failed", id="exit"),
        pytest.param("raises", "failed", id="exception"),
        pytest.param("terminates_a_child", "processed", id="child"),
        pytest.param("logs_a_bad_format", "processed", id="log call"),
        pytest.param("starts_a_thread", "processed", id="thread"),
    ],
)
def test_what_a_handler_does_to_its_process_harms_no_other_message(
    stage: Stage, workers: str, name: str, outcome: str
) -> None:
    """The lines of the consumer itself are complete, from `started` to `stopped`."""
    stage.send(does(name), GOOD)
    consumer = run(stage, 2, workers, RETRY_DELAY_SECONDS="60", RETRY_DELAY_MAX_SECONDS="60")
    assert [line["outcome"] for line in attempts(consumer, GOOD)] == ["processed"]
    assert [line["outcome"] for line in attempts(consumer, does(name))] == [outcome]
    assert consumer.events("cycle")


@pytest.mark.parametrize(
    "name", ["closes_its_streams", "closes_all_descriptors", "changes_signals", "forks_and_returns"]
)
def test_what_a_handler_does_to_its_own_process_stays_there(stage: Stage, name: str) -> None:
    """A process of its own may be spoiled: it is mended or replaced."""
    stage.send(does(name), GOOD, GOOD, GOOD)
    consumer = run(stage, 4, "2")
    assert [line["outcome"] for line in attempts(consumer, GOOD)] == ["processed"] * 3


@EITHER
def test_what_a_handler_prints_is_a_line_of_its_own(stage: Stage, workers: str) -> None:
    """Although it ends no line; it has the message's id. Every line here is read as JSON."""
    stage.send(does("prints", "no newline here"), does("logs_a_bad_format"))
    consumer = run(stage, 2, workers)
    assert [outcome for outcome, _ in outcomes(consumer)] == ["processed"] * 2
    ids = {line["body"]["do"]: line["message_id"] for line in consumer.events("message")}
    printed, logged = sorted(consumer.events("output"), key=lambda line: "logger" in line)
    assert (printed["text"], printed["message_id"]) == ("no newline here", ids["prints"])
    assert (logged["logger"], logged["message_id"]) == ("mine", ids["logs_a_bad_format"])
    assert logged["text"].startswith("%d (not formatted: ")
