"""Tests of the program with handlers that misbehave: each costs its own message, and no other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest
from support.emulators.programs import PATIENCE
from support.fakes.consuming import CIVIC

if TYPE_CHECKING:
    from support.emulators.consumer_stage import Stage
    from support.emulators.programs import Program

pytestmark = pytest.mark.impure

HANDLERS: Final = """
import gc, logging, logging.config, multiprocessing, os, signal, sys, threading, time

def ends_the_program(message):
    if message.vehicle.vehicle_id == "BAD":
        sys.exit(1)

def kills_the_process(message):
    if message.vehicle.vehicle_id == "BAD":
        os._exit(137)

def hangs(message):
    while message.vehicle.vehicle_id == "BAD":
        time.sleep(1)

def holds_the_interpreter(message):
    if message.vehicle.vehicle_id == "BAD":
        pow(3, 10 ** 9)

def takes_logging_over(message):
    logging.config.dictConfig({"version": 1})
    logging.disable(logging.CRITICAL)
    if message.vehicle.vehicle_id == "BAD":
        raise SystemExit("bye")

def closes_standard_output(message):
    if message.vehicle.vehicle_id == "BAD":
        sys.stdout.close()
        os.close(1)
        raise RuntimeError("closed")

def closes_its_stream(message):
    if message.vehicle.vehicle_id == "BAD":
        sys.stdout.close()
        sys.stdout = None
        raise RuntimeError("closed")

def changes_signals(message):
    if message.vehicle.vehicle_id == "BAD":
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        raise RuntimeError("changed")

def starts_threads(message):
    if message.vehicle.vehicle_id == "BAD":
        for _ in range(20):
            threading.Thread(target=time.sleep, args=(60,)).start()
        raise RuntimeError("threads")

def prints_without_newline(message):
    print("no newline here", end="")
    if message.vehicle.vehicle_id == "BAD":
        raise RuntimeError("printed")

def logs_a_bad_format(message):
    logging.getLogger("mine").warning("%d", "no number")
    if message.vehicle.vehicle_id == "BAD":
        raise RuntimeError("logged")

def terminates_a_child(message):
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
    child.start()
    time.sleep(0.3)
    child.terminate()
    child.join(4)
    if child.is_alive():
        child.kill()
        raise RuntimeError("the child survived terminate()")
    if message.vehicle.vehicle_id == "BAD":
        raise RuntimeError("terminated")

async def never_awaited(message):
    if message.vehicle.vehicle_id == "BAD":
        raise RuntimeError("the work that was never done")

def forks(message):
    if message.vehicle.vehicle_id == "BAD" and os.fork():
        raise RuntimeError("forked")
"""

BAD: Final = CIVIC.replace("VH2001", "BAD")
GOOD: Final = 9
LONG_DELAY: Final = "600"


def run(stage: Stage, handler: str, **settings: str) -> Program:
    """Run a consumer on one bad message and nine good ones until each has a line."""
    (stage.directory / "unruly.py").write_text(HANDLERS, encoding="utf-8")
    stage.send(BAD, *[CIVIC] * GOOD)
    given = {
        "HANDLER": f"unruly:{handler}",
        "MESSAGE_SECONDS": "3",
        "RETRY_DELAY_SECONDS": LONG_DELAY,
        **settings,
    }
    with stage.consumer(**given) as consumer:
        consumer.wait_for("message", GOOD + 1)
        assert consumer.stop() == 0
    return consumer


def by_vehicle(consumer: Program) -> dict[str, list[str]]:
    """Return the outcomes of the bad message and of the good ones."""
    found: dict[str, list[str]] = {"BAD": [], "VH2001": []}
    for line in consumer.events("message"):
        found[line["body"]["vehicleId"]].append(line["outcome"])
    return found


ANYWHERE: Final = {
    "ends_the_program": "failed",
    "hangs": "timed_out",
    "takes_logging_over": "failed",
    "closes_its_stream": "failed",
    "starts_threads": "failed",
    "prints_without_newline": "failed",
    "logs_a_bad_format": "failed",
    "terminates_a_child": "failed",
    "never_awaited": "failed",
    "forks": "failed",
}
IN_PROCESSES: Final = {
    "kills_the_process": "crashed",
    "holds_the_interpreter": "timed_out",
    "closes_standard_output": "failed",
    "changes_signals": "failed",
}


@pytest.mark.parametrize(
    ("workers", "handler", "outcome"),
    [
        *(pytest.param("0", *case, id=f"{case[0]}-in-threads") for case in ANYWHERE.items()),
        *(
            pytest.param("2", *case, id=f"{case[0]}-in-processes")
            for case in (ANYWHERE | IN_PROCESSES).items()
        ),
    ],
)
def test_a_bad_message_costs_only_itself(
    stage: Stage, workers: str, handler: str, outcome: str
) -> None:
    """One attempt at the bad message, nine good ones processed, and all lines of the consumer."""
    consumer = run(stage, handler, WORKERS=workers)
    assert by_vehicle(consumer) == {"BAD": [outcome], "VH2001": ["processed"] * GOOD}
    assert stage.counts() == (0, 1)
    assert len(consumer.events("started")) == 1
    assert [line["exit_code"] for line in consumer.events("stopped")] == [0]
    assert consumer.errors == []


def test_good_messages_are_deleted_while_a_bad_one_hangs(stage: Stage) -> None:
    """Nine are gone from the queue long before the bad one's time limit."""
    (stage.directory / "unruly.py").write_text(HANDLERS, encoding="utf-8")
    stage.send(BAD, *[CIVIC] * GOOD)
    settings = {"HANDLER": "unruly:hangs", "CONCURRENCY": "2", "DRAIN_SECONDS": "8"}
    with stage.consumer(WORKERS="0", POLL_WAIT_SECONDS="0", **settings) as consumer:
        lines = consumer.wait_for("message", GOOD)
        assert {line["outcome"] for line in lines} == {"processed"}
        deadline = time.monotonic() + PATIENCE
        while stage.counts() != (0, 1):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert consumer.stop() == 0
    assert stage.counts() == (1, 0)
    [stuck] = consumer.events("handler still running at the limit")
    assert len(stuck["message_ids"]) == 1


def test_a_stop_wastes_no_receives(stage: Stage) -> None:
    """Of ten messages with a handler of 3 s, only those that a drain can finish are received."""
    stage.send(*[CIVIC] * 10)
    settings = {"HANDLER": "fleet_handlers:slow", "WORKERS": "1", "DRAIN_SECONDS": "12"}
    with stage.consumer(**settings, MESSAGE_SECONDS="12") as consumer:
        consumer.wait_for("message")
        assert consumer.stop() == 0
    cycles = consumer.events("cycle")
    received = sum(line["MessagesReceived"] for line in cycles)
    assert received == sum(line["MessagesProcessed"] + line["returned"] for line in cycles)
    assert sum(line["returned"] for line in cycles) <= 1
    visible, in_flight = stage.counts()
    assert in_flight == 0
    assert visible == 10 - sum(line["MessagesProcessed"] for line in cycles)
