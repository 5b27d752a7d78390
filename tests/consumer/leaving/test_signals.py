"""Tests of consumers that are told to stop, as processes of their own over a faulty SQS."""

from __future__ import annotations

import signal
import time
from itertools import count
from typing import TYPE_CHECKING

import psutil
import pytest
from support.emulators.consumer_stage import outcomes
from support.emulators.programs import PATIENCE
from support.emulators.recording_proxy import Fault
from support.fakes.consuming import CIVIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.emulators.consumer_stage import Stage
    from support.emulators.programs import Program
    from support.emulators.recording_proxy import Recorder, Request

pytestmark = pytest.mark.impure

DELETE = "DeleteMessageBatch"
CHANGE = "ChangeMessageVisibilityBatch"
LEFT = "messages left, they will be received again after their visibility timeout"


def first(operation: str, fault: Fault) -> Callable[[Request], Fault | None]:
    """Return what lets the first request of this kind hang, and no other."""
    number = count()
    return lambda request: fault if request.operation == operation and next(number) == 0 else None


def ids_of(program: Program, event: str) -> list[str]:
    """Return the ids that the lines of an event name."""
    return [one for line in program.events(event) for one in line["message_ids"]]


def test_a_receive_waits_no_longer_than_there_is_time_after_a_signal(
    stage: Stage, proxy: Recorder
) -> None:
    """So the last receive ends in time: by default after 4 s, and not after SQS's 20."""
    with stage.consumer(RECEIVE_WAIT_SECONDS="", AWS_ENDPOINT_URL=proxy.endpoint) as consumer:
        proxy.wait_for(lambda request: request.operation == "ReceiveMessage")
        consumer.signal()
        consumer.wait_for("stopping")
        stage.send(CIVIC)
        assert consumer.wait() == 0
    waits = [one.parameters["WaitTimeSeconds"] for one in proxy.requests if "Wait" in str(one)]
    assert waits == [4]
    visible, in_flight = stage.counts()
    assert (visible + len(consumer.events("message")), in_flight) == (1, 0)
    assert consumer.events(LEFT) == consumer.events("ended at once") == []


@pytest.mark.parametrize("fault", [Fault.REQUEST_HELD, Fault.ANSWER_HELD], ids=lambda it: it.name)
def test_a_return_that_hangs_is_made_again_on_a_new_connection(
    stage: Stage, proxy: Recorder, fault: Fault
) -> None:
    """No message stays hidden, although SQS has no answer to the first request."""
    stage.send(CIVIC)
    proxy.fault = first(CHANGE, fault)
    with stage.consumer(
        HANDLER="fleet_handlers:fail",
        WORKERS="0",
        RETRY_DELAY_SECONDS="0",
        DRAIN_SECONDS="12",
        AWS_ENDPOINT_URL=proxy.endpoint,
    ) as consumer:
        proxy.wait_until_held()
        assert consumer.stop() == 0
    assert stage.counts() == (1, 0)
    assert outcomes(consumer)[0] == ("failed", 1)


def test_untouched_messages_are_returned_although_the_first_request_hangs(
    stage: Stage, proxy: Recorder
) -> None:
    """The fourth handler never ends; its message and the four behind it are visible at the end.

    They were received because the first three took no time.
    """
    stage.send(*[CIVIC] * 8)
    proxy.fault = first(CHANGE, Fault.REQUEST_HELD)
    with stage.consumer(
        HANDLER="fleet_handlers:note_three_then_never_return",
        WORKERS="1",
        MESSAGE_SECONDS="60",
        RETRY_DELAY_SECONDS="0",
        DRAIN_SECONDS="12",
        AWS_ENDPOINT_URL=proxy.endpoint,
    ) as consumer:
        consumer.wait_for("output")
        assert consumer.stop() == 0
    assert proxy.held
    assert stage.counts() == (5, 0)
    cycles = consumer.events("cycle")
    returned = sum(cycle["returned"] for cycle in cycles)
    assert returned == len(ids_of(consumer, "messages returned")) > 0
    assert returned + len(outcomes(consumer)) == sum(one["MessagesReceived"] for one in cycles)


def test_a_delete_that_hangs_is_made_again_on_a_new_connection(
    stage: Stage, proxy: Recorder
) -> None:
    """What was processed is not handled a second time, and the counts are true."""
    stage.send(CIVIC, CIVIC)
    proxy.fault = first(DELETE, Fault.REQUEST_HELD)
    with stage.consumer(DRAIN_SECONDS="12", AWS_ENDPOINT_URL=proxy.endpoint) as consumer:
        proxy.wait_until_held()
        assert consumer.stop() == 0
    assert stage.counts() == (0, 0)
    assert sorted(ids_of(consumer, "messages deleted")) == sorted(
        line["message_id"] for line in consumer.events("message")
    )
    [cycle] = consumer.events("cycle")
    assert (cycle["MessagesProcessed"], cycle["deleted"]) == (2, 2)


def test_what_cannot_be_deleted_in_time_is_named_and_the_exit_code_says_so(
    stage: Stage, proxy: Recorder
) -> None:
    """SQS answers nothing but receives; the counts are true all the same."""
    stage.send(CIVIC, CIVIC)
    proxy.fault = lambda request: Fault.REQUEST_HELD if request.operation == DELETE else None
    with stage.consumer(DRAIN_SECONDS="12", AWS_ENDPOINT_URL=proxy.endpoint) as consumer:
        proxy.wait_until_held()
        assert consumer.stop() == 1
    processed = sorted(line["message_id"] for line in consumer.events("message"))
    undeleted = ids_of(consumer, "messages not deleted, they will be received again")
    assert sorted({*undeleted, *ids_of(consumer, LEFT)}) == processed
    assert ids_of(consumer, "messages deleted") == []
    [cycle] = consumer.events("cycle")
    assert (cycle["MessagesProcessed"], cycle["deleted"]) == (2, 0)
    assert [line["exit_code"] for line in consumer.events("stopped")] == [1]


@pytest.mark.parametrize(
    ("workers", "number"),
    [
        pytest.param("0", signal.SIGTERM, id="SIGTERM to threads"),
        pytest.param("2", signal.SIGINT, id="SIGINT to processes"),
    ],
)
def test_a_second_signal_ends_at_once_and_names_what_is_left(
    stage: Stage, workers: str, number: signal.Signals
) -> None:
    """The time of a drain may be long; who signals twice does not want to wait for it."""
    stage.send(CIVIC)
    with stage.consumer(
        HANDLER="fleet_handlers:never_return", WORKERS=workers, DRAIN_SECONDS="3600"
    ) as consumer:
        consumer.wait_for("output")
        consumer.signal()
        consumer.wait_for("stopping")
        consumer.signal(number)
        assert consumer.wait() == 1
    [left] = consumer.events(LEFT)
    [printed] = consumer.events("output")
    assert left["message_ids"] == [printed["message_id"]]
    assert (left["reason"], left["handled_ids"]) == ("a second signal", [])
    assert [line["reason"] for line in consumer.events("ended at once")] == ["a second signal"]
    assert stage.counts() == (0, 1)
    assert consumer.errors == []


def test_a_start_that_hangs_ends_in_time(stage: Stage) -> None:
    """A handler's module never ends its import; nothing is in hand yet, so the exit code is 0."""
    (stage.directory / "sleeper.py").write_text(
        "import pathlib, time\npathlib.Path('importing').touch()\ntime.sleep(3600)\n"
    )
    with stage.consumer(HANDLER="sleeper:handle", WORKERS="0", DRAIN_SECONDS="1") as consumer:
        deadline = time.monotonic() + PATIENCE
        while not (stage.directory / "importing").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert consumer.stop() == 0
    [ended] = consumer.events("ended at once")
    assert ended["reason"] == "the time of DRAIN_SECONDS is over"


def test_a_receive_that_never_ends_is_told_of(stage: Stage, proxy: Recorder) -> None:
    """SQS may have given it messages, and nobody knows which."""
    proxy.fault = lambda _: Fault.REQUEST_HELD
    with stage.consumer(DRAIN_SECONDS="9", AWS_ENDPOINT_URL=proxy.endpoint) as consumer:
        proxy.wait_until_held()
        assert consumer.stop() == 1
    assert [line["receiving"] for line in consumer.events(LEFT)] == [True]


def test_a_delete_that_takes_longer_than_the_visibility_timeout_repeats_no_work(
    stage: Stage, proxy: Recorder
) -> None:
    """The heartbeat goes on until SQS has confirmed the delete."""
    names = [f"VH{number}" for number in range(5)]
    stage.send(*(CIVIC.replace("VH2001", name) for name in names))

    def slow(request: Request) -> None:
        if request.operation == DELETE:
            time.sleep(9)

    proxy.fault = slow
    settings = {
        "HANDLER": "fleet_handlers:note",
        "WORKERS": "0",
        "VISIBILITY_TIMEOUT_SECONDS": "6",
        "DRAIN_SECONDS": "60",
        "AWS_ENDPOINT_URL": proxy.endpoint,
    }
    with stage.consumer(**settings) as one, stage.consumer(**settings) as other:
        stage.wait_until_empty()
        assert (one.stop(), other.stop()) == (0, 0)
    assert sorted(stage.handled()) == names


def freeze(pid: int, number: signal.Signals) -> None:
    """Send a signal to a consumer and to its worker processes."""
    for process in [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]:
        process.send_signal(number)


def test_work_that_was_frozen_beyond_the_visibility_timeout_is_said_to_be_done_twice(
    stage: Stage,
) -> None:
    """Nobody can prevent it, but a line names the message."""
    stage.send(CIVIC)
    with stage.consumer(
        HANDLER="fleet_handlers:wait_for_file", WORKERS="2", VISIBILITY_TIMEOUT_SECONDS="2"
    ) as frozen:
        frozen.wait_for("output")
        freeze(frozen.pid, signal.SIGSTOP)
        with stage.consumer(HANDLER="fleet_handlers:note") as other:
            [line] = other.wait_for("message")
            assert other.stop() == 0
        freeze(frozen.pid, signal.SIGCONT)
        (stage.directory / "go").touch()
        assert frozen.wait_for("message")
        frozen.stop()
    warned = [
        one for one in frozen.lines if one["level"] == "WARNING" and line["message_id"] in str(one)
    ]
    assert warned
