"""Tests of `python -m consumer` as a process of its own, against MiniStack."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from support.emulators.consumer_stage import outcomes
from support.emulators.ministack import free_port
from support.fakes.consuming import CIVIC

if TYPE_CHECKING:
    from support.emulators.consumer_stage import Stage

pytestmark = pytest.mark.impure


def test_messages_are_logged_with_their_content_and_taken_out_of_the_queue(stage: Stage) -> None:
    """Bodies get from the queue to standard output, and SIGTERM ends the consumer in order."""
    bodies = [CIVIC.replace("VH2001", f"VH{number}") for number in range(15)]
    stage.send(*bodies)
    with stage.consumer() as consumer:
        lines = consumer.wait_for("message", 15)
        consumer.wait_for("cycle", 2)
        assert consumer.stop() == 0
    assert {line["body"]["vehicleId"] for line in lines} == {f"VH{n}" for n in range(15)}
    assert {line["instance_id"] for line in lines} == {"i-0123"}
    assert sum(line["MessagesProcessed"] for line in consumer.events("cycle")) == 15
    assert [line["in_hand"] for line in consumer.events("stopping")] == [0]
    assert [line["exit_code"] for line in consumer.events("stopped")] == [0]
    assert consumer.errors == []
    assert stage.counts() == (0, 0)


def test_the_queue_may_be_given_by_name(stage: Stage) -> None:
    """With QUEUE_NAME the consumer asks SQS for the URL."""
    stage.send(CIVIC)
    with stage.consumer(QUEUE_URL="", QUEUE_NAME=stage.name) as consumer:
        consumer.wait_for("message")
        assert consumer.stop() == 0
    [started] = consumer.events("started")
    assert started["queue_url"] == stage.url
    assert consumer.events("cycle")[0]["QueueName"] == stage.name


def test_poison_becomes_a_dead_letter_and_blocks_nothing(stage: Stage) -> None:
    """Poison is received three times without delay; valid messages around it are processed."""
    stage.send("hello", CIVIC, '{"vehicleId": 3}', CIVIC)
    with stage.consumer(MESSAGES_PER_POLL="100") as consumer:
        consumer.wait_for("message", 8)
        assert consumer.stop() == 0
    assert sorted(outcomes(consumer)) == [
        *[("invalid", count) for count in (1, 1, 2, 2, 3, 3)],
        *[("processed", 1)] * 2,
    ]
    assert sorted(stage.dead()) == ["hello", '{"vehicleId": 3}']


def test_a_failing_handler_gets_its_message_again_until_the_dead_letters(stage: Stage) -> None:
    """Each line of a failed attempt holds the reason."""
    stage.send(CIVIC)
    with stage.consumer(
        HANDLER="fleet_handlers:fail", RETRY_DELAY_SECONDS="0.1", RETRY_DELAY_MAX_SECONDS="0.2"
    ) as consumer:
        lines = consumer.wait_for("message", 3)
        assert consumer.stop() == 0
    assert outcomes(consumer) == [("failed", 1), ("failed", 2), ("failed", 3)]
    assert {line["reason"] for line in lines} == {"ValueError: no Honda today"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_at_once(stage: Stage, number: signal.Signals) -> None:
    """A wait of an hour ends at the first signal."""
    with stage.consumer(
        POLL_WAIT_SECONDS="3600", RECEIVE_WAIT_SECONDS="0", LOG_LEVEL="DEBUG"
    ) as consumer:
        consumer.wait_for("queue empty")
        consumer.signal(number)
        assert consumer.wait() == 0
    assert consumer.errors == []


def test_a_signal_during_a_long_poll_loses_no_message(stage: Stage) -> None:
    """Whether or not the receive still gets the message, it is visible right after the end."""
    with stage.consumer(RECEIVE_WAIT_SECONDS="3", LOG_LEVEL="DEBUG") as consumer:
        consumer.wait_for("queue empty")
        consumer.signal()
        stage.send(CIVIC)
        assert consumer.wait() == 0
    assert stage.counts() == (1, 0)
    assert consumer.events("message") == []


def test_a_signal_while_handling_lets_the_handler_finish(stage: Stage) -> None:
    """Only as many messages were received as a drain can finish: here, one."""
    stage.send(CIVIC, CIVIC, CIVIC)
    with stage.consumer(HANDLER="fleet_handlers:wait_for_file", WORKERS="1") as consumer:
        consumer.wait_for("output")
        consumer.signal()
        consumer.wait_for("stopping")
        (stage.directory / "go").touch()
        assert consumer.wait() == 0
    assert outcomes(consumer) == [("processed", 1)]
    assert stage.counts() == (2, 0)
    assert [line["MessagesReceived"] for line in consumer.events("cycle")] == [1]


@pytest.mark.parametrize(
    ("workers", "concurrency"),
    [
        pytest.param("0", "1", id="thread"),
        pytest.param("0", "3", id="threads"),
        pytest.param("2", "1", id="processes"),
        pytest.param("1", "3", id="threads of a process"),
    ],
)
def test_a_handler_that_never_returns_does_not_prevent_the_exit(
    stage: Stage, workers: str, concurrency: str
) -> None:
    """The stuck handler's message returns to the queue, a line names it, and the process ends."""
    stage.send(CIVIC)
    with stage.consumer(
        HANDLER="fleet_handlers:never_return",
        DRAIN_SECONDS="8",
        WORKERS=workers,
        CONCURRENCY=concurrency,
    ) as consumer:
        consumer.wait_for("output")
        assert consumer.stop() == 0
    [stuck] = consumer.events("handler still running at the limit")
    [returned] = consumer.events("messages returned")
    assert stuck["message_ids"] == returned["message_ids"]
    assert stage.counts() == (1, 0)
    assert consumer.events("stopped")


def test_heartbeats_keep_messages_that_take_longer_than_their_visibility(stage: Stage) -> None:
    """With 5 s of work at a visibility timeout of 4 s, a second consumer gets neither message."""
    stage.send(CIVIC, CIVIC)
    slow = {
        "HANDLER": "fleet_handlers:slow",
        "VISIBILITY_TIMEOUT_SECONDS": "4",
        "WORKERS": "2",  # so that both messages are received at once
    }
    with stage.consumer(**slow) as consumer:
        consumer.wait_for("output")
        with stage.consumer() as rival:
            consumer.wait_for("message", 2)
            assert rival.stop() == 0
        assert consumer.stop() == 0
    assert outcomes(consumer) == [("processed", 1), ("processed", 1)]
    assert outcomes(rival) == []
    assert stage.counts() == (0, 0)


def test_all_wrong_settings_are_reported_at_once(stage: Stage) -> None:
    """Each wrong setting has a line; the exit code is 2, and there is no traceback."""
    with stage.consumer(QUEUE_URL="", POLL_WAIT_SECONDS="soon", CONCURRENCY="0") as consumer:
        assert consumer.wait() == 2
    assert consumer.errors == [
        "consumer: POLL_WAIT_SECONDS='soon': give a number of seconds from 0 to 86400",
        "consumer: CONCURRENCY='0': give a whole number from 1 to 100",
        "consumer: set QUEUE_URL or QUEUE_NAME: which queue to work on",
    ]


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("fleet_work:do", "there is no module 'fleet_work'; is it on PYTHONPATH?"),
        ("fleet_handlers:do", "module 'fleet_handlers' has no function 'do'"),
        ("fleet_handlers:not_a_function", "'not_a_function' is of the type int, not a function"),
    ],
)
def test_a_wrong_handler_is_reported(stage: Stage, handler: str, expected: str) -> None:
    """The consumer checks this before it receives anything."""
    with stage.consumer(HANDLER=handler) as consumer:
        assert consumer.wait() == 2
    assert consumer.errors == [f"consumer: HANDLER='{handler}': {expected}"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"QUEUE_URL": "", "QUEUE_NAME": "nowhere"}, "does not exist", id="name"),
        pytest.param({"QUEUE_URL": "{endpoint}/000000000000/nowhere"}, "does not exist", id="URL"),
        pytest.param({"QUEUE_URL": "work"}, "'work' is not a queue URL", id="not a URL"),
        pytest.param(
            {"AWS_ENDPOINT_URL": "{nobody}", "START_SECONDS": "0"},
            "no answer from the endpoint",
            id="down",
        ),
        pytest.param(
            {
                "AWS_ENDPOINT_URL": "{nobody}",
                "START_SECONDS": "0",
                "QUEUE_URL": "",
                "QUEUE_NAME": "work",
            },
            "no answer from the endpoint",
            id="down, by name",
        ),
    ],
)
def test_a_queue_that_cannot_be_reached_is_reported(
    stage: Stage, settings: dict[str, str], expected: str
) -> None:
    """An unreachable queue gives one line and exit code 1, no traceback."""
    places = {
        "endpoint": stage.server.endpoint,
        "nobody": f"http://127.0.0.1:{free_port()}",
    }
    filled = {name: value.format(**places) for name, value in settings.items()}
    with stage.consumer(**filled) as consumer:
        assert consumer.wait() == 1
    [line] = consumer.errors
    assert expected in line


def test_a_queue_that_is_deleted_ends_the_consumer(stage: Stage) -> None:
    """The consumer ends: a deleted queue does not return."""
    with stage.consumer(LOG_LEVEL="DEBUG") as consumer:
        consumer.wait_for("queue empty")
        with stage.server.sqs() as client:
            client.delete_queue(QueueUrl=stage.url)
        assert consumer.wait() == 1
    [line] = consumer.errors
    assert f"queue {stage.url} does not exist" in line
