"""Tests of `python -m consumer` with handlers of every kind: async, batches, classes, raw bodies.

Each test runs with threads (WORKERS=0) and with processes.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from support.emulators.consumer_stage import EITHER, outcomes, run

if TYPE_CHECKING:
    from support.emulators.consumer_stage import Stage

pytestmark = pytest.mark.impure


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
