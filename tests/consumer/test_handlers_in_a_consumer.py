"""Tests of `python -m consumer` with code of users: what it may be, and what it costs if it is bad.

Each test runs with threads (WORKERS=0) and with processes, if nothing else is said. The handlers
are those of tests/support/examples/misbehaving.py, whose messages say what to do.
"""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.consumer_stage import outcomes
from support.examples import misbehaving

if TYPE_CHECKING:
    from support.emulators.consumer_stage import Stage
    from support.emulators.programs import Program

pytestmark = pytest.mark.impure

EITHER: Final = pytest.mark.parametrize(
    "workers", [pytest.param("0", id="threads"), pytest.param("2", id="processes")]
)
QUICK: Final = {"RETRY_DELAY_SECONDS": "0.1", "RETRY_DELAY_MAX_SECONDS": "0.2"}
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


def run(stage: Stage, lines: int, workers: str, **settings: str) -> Program:
    """Run a consumer until it has written this many lines of messages, and stop it."""
    wanted = {"HANDLER": "misbehaving:act", "WORKERS": workers, **QUICK, **settings}
    with stage.consumer(**wanted) as consumer:
        consumer.wait_for("message", lines)
        assert consumer.stop() == 0
    assert len(consumer.events("started")) == len(consumer.events("stopped")) == 1
    return consumer


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


OWN: Final = """
import asyncio
from dataclasses import dataclass
from consumer.handlers.api import Message, Reject, Retry

@dataclass
class Order:
    sku: str

async def never_awaited(message):
    raise RuntimeError("the work that was never done")

def takes_orders(order: Order, message: Message):
    if order.sku == "old":
        raise Reject("no longer sold")
    if order.sku == "locked" and message.receive_count == 1:
        raise Retry(after=1)

def takes_many(orders: list[Order]):
    return [ValueError("no") if order.sku == "bad" else None for order in orders]

def takes_bytes(body: bytes):
    assert body == b"ISA*00*"

async def sleeps(order: Order):
    await asyncio.sleep(3)

class Connected:
    def startup(self):
        self.ready = True
    def handle(self, order: Order):
        assert self.ready
    def shutdown(self):
        print("closed")

class Unconnected(Connected):
    def startup(self):
        raise ConnectionError("no database")

def yields(order: Order):
    yield order
"""


@pytest.fixture
def own(stage: Stage) -> Stage:
    """Provide a stage with handlers of orders."""
    (stage.directory / "own.py").write_text(OWN)
    return stage


def order(sku: str) -> str:
    """Return an order."""
    return json.dumps({"sku": sku})


@EITHER
def test_the_work_of_an_async_handler_is_done_before_its_message_is_deleted(
    own: Stage, workers: str
) -> None:
    """An exception in it is a failure."""
    vehicle = '{"vehicleId":"A","make":"B","model":"C","year":2020,"color":"D","mileage":1}'
    own.send(vehicle)
    consumer = run(own, 3, workers, HANDLER="own:never_awaited")
    assert outcomes(consumer) == [("failed", 1), ("failed", 2), ("failed", 3)]
    [line, *_] = consumer.events("message")
    assert line["reason"] == "RuntimeError: the work that was never done"
    assert own.dead() == [vehicle]


@EITHER
def test_a_handler_of_orders_decides_what_becomes_of_them(own: Stage, workers: str) -> None:
    """Done, rejected at once, later, or invalid because it is no order or has a key twice."""
    twice = '{"sku":"a","sku":"b"}'
    own.send(order("good"), order("old"), order("locked"), '{"sku":7}', twice)
    consumer = run(
        own, 10, workers, HANDLER="own:takes_orders", DEAD_LETTER_QUEUE_URL=own.dead_letters
    )
    found = sorted(outcomes(consumer))
    assert found == [
        *[("invalid", count) for count in (1, 1, 2, 2, 3, 3)],
        *[("processed", 1), ("processed", 2), ("rejected", 1), ("retry", 1)],
    ]
    reasons = {line.get("reason") for line in consumer.events("message")}
    assert {"no longer sold", "the key 'sku' is twice in one object"} <= reasons
    assert sorted(own.dead()) == sorted([order("old"), '{"sku":7}', twice])


@EITHER
def test_a_batch_handler_reports_failures_by_message(own: Stage, workers: str) -> None:
    """The others are deleted."""
    own.send(*map(order, ["a", "bad", "c"]))
    consumer = run(own, 5, workers, HANDLER="own:takes_many")
    assert sorted(outcomes(consumer)) == [
        *[("failed", count) for count in (1, 2, 3)],
        *[("processed", 1)] * 2,
    ]
    assert own.dead() == [order("bad")]


@EITHER
def test_a_raw_body_may_be_anything(own: Stage, workers: str) -> None:
    """Its line has it as text."""
    own.send("ISA*00*")
    [line] = run(own, 1, workers, HANDLER="own:takes_bytes").events("message")
    assert (line["outcome"], line["body_text"]) == ("processed", "ISA*00*")


@EITHER
def test_a_class_is_started_before_its_messages_and_shut_down_at_the_end(
    own: Stage, workers: str
) -> None:
    """Once in each process."""
    own.send(order("a"), order("b"))
    consumer = run(own, 2, workers, HANDLER="own:Connected")
    assert outcomes(consumer) == [("processed", 1)] * 2
    closed = [line for line in consumer.events("output") if line["text"] == "closed"]
    assert len(closed) == max(1, int(workers))


@EITHER
def test_messages_of_an_async_handler_wait_at_the_same_time(own: Stage, workers: str) -> None:
    """All eight have begun when the first one ends."""
    own.send(*[order("a")] * 8)
    consumer = run(own, 8, workers, HANDLER="own:sleeps", CONCURRENCY="8")
    lines = consumer.events("message")
    assert {line["outcome"] for line in lines} == {"processed"}
    ends = [datetime.fromisoformat(line["time"]) for line in lines]
    begins = [
        end - timedelta(seconds=line["duration_seconds"])
        for end, line in zip(ends, lines, strict=True)
    ]
    assert max(begins) < min(ends)


@EITHER
@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        pytest.param("own:yields", "use return instead of yield", id="generator"),
        pytest.param("own:Unconnected", "ConnectionError: no database", id="startup"),
        pytest.param("own:Order", "has no method `handle`", id="class"),
        pytest.param("nowhere:f", "is it on PYTHONPATH?", id="module"),
    ],
)
def test_a_handler_that_cannot_run_ends_the_consumer_before_it_receives(
    own: Stage, workers: str, handler: str, reason: str
) -> None:
    """With exit code 2 and one line that says what to do."""
    own.send(order("a"))
    with own.consumer(HANDLER=handler, WORKERS=workers) as consumer:
        assert consumer.wait() == 2
    [line] = consumer.errors
    assert line.startswith(f"consumer: HANDLER={handler!r}: ")
    assert reason in line
    assert own.counts() == (1, 0)
