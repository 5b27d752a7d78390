"""Tests of idempotency with consumers as processes: copies, crashes at each point, outages."""

from __future__ import annotations

import signal
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from support.emulators.consumer_stage import Stage
from support.emulators.ministack import free_port
from support.emulators.recording_proxy import Fault, Recorder, Request, recording
from support.fakes.consuming import CIVIC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.emulators.ministack import Ministack
    from support.emulators.programs import Program

pytestmark = [pytest.mark.impure, pytest.mark.long]


class Table:
    """A queue, and a table of claims that several consumers share."""

    def __init__(self, stage: Stage, name: str) -> None:
        """Wrap both."""
        self.stage = stage
        self.name = name

    @contextmanager
    def consumer(self, handler: str = "note", **settings: str) -> Iterator[Program]:
        """Run a consumer whose claims live for three seconds; a vehicle's id is its key."""
        with self.stage.consumer(
            **{
                "HANDLER": f"fleet_handlers:{handler}",
                "IDEMPOTENCY_TABLE": self.name,
                "IDEMPOTENCY_KEY": "{vehicleId}",
                "VISIBILITY_TIMEOUT_SECONDS": "3",
                "RETRY_DELAY_SECONDS": "1",
                "WORKERS": "0",
                **settings,
            }
        ) as program:
            yield program


@pytest.fixture
def table(ministack: Ministack, tmp_path: Path) -> Iterator[Table]:
    """Provide a queue and an empty table."""
    name = f"claims-{uuid.uuid4().hex[:8]}"
    with ministack.client("dynamodb") as dynamodb:
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
    yield Table(Stage(ministack, tmp_path), name)
    with ministack.client("dynamodb") as dynamodb:
        dynamodb.delete_table(TableName=name)


@pytest.fixture
def proxy(ministack: Ministack) -> Iterator[Recorder]:
    """Provide a proxy in front of SQS and DynamoDB, which can hold requests."""
    with recording(ministack.endpoint) as recorder:
        yield recorder


def ends(*programs: Program) -> list[str]:
    """Return the outcomes of all message lines, sorted."""
    return sorted(line["outcome"] for program in programs for line in program.events("message"))


def test_two_consumers_handle_copies_once(table: Table) -> None:
    """Ten copies of each of three messages, received by both of them at the same time."""
    bodies = [CIVIC.replace("VH2001", f"VH{number}") for number in range(3)]
    table.stage.send(*(body for _ in range(10) for body in bodies))
    with table.consumer("note_slowly") as one, table.consumer("note_slowly") as two:
        table.stage.wait_until_empty()
        assert one.stop() == two.stop() == 0
    assert sorted(table.stage.handled()) == ["VH0", "VH1", "VH2"]
    outcomes = ends(one, two)
    assert outcomes.count("processed") == 3
    assert set(outcomes) <= {"processed", "duplicate", "retry"}


@pytest.mark.parametrize(
    ("operation", "fault", "handled", "outcome"),
    [
        ("PutItem", Fault.ANSWER_HELD, 1, "processed"),
        ("BatchWriteItem", Fault.REQUEST_HELD, 2, "processed"),
        ("BatchWriteItem", Fault.ANSWER_HELD, 1, "duplicate"),
        ("DeleteMessageBatch", Fault.REQUEST_HELD, 1, "duplicate"),
    ],
    ids=["claimed", "worked", "noted", "about-to-delete"],
)
def test_a_crash_costs_what_the_page_says(
    table: Table, proxy: Recorder, operation: str, fault: Fault, handled: int, outcome: str
) -> None:
    """The consumer is killed with SIGKILL while a request is held; another one goes on."""
    proxy.fault = lambda request: fault if request.operation == operation else None
    table.stage.send(CIVIC)
    with table.consumer(AWS_ENDPOINT_URL=proxy.endpoint) as first:
        proxy.wait_until_held()
        first.signal(signal.SIGKILL)
        first.wait()
    with table.consumer() as second:
        [line] = second.wait_for("message")
        assert second.stop() == 0
    assert (line["outcome"], line["receive_count"]) == (outcome, 2)
    assert len(table.stage.handled()) == handled
    assert table.stage.counts() == (0, 0)


@pytest.mark.parametrize("workers", ["0", "1"], ids=["threads", "processes"])
def test_a_crash_during_the_work_lets_another_consumer_do_it(table: Table, workers: str) -> None:
    """As soon as the message is received again, its claim is over, too."""
    table.stage.send(CIVIC)
    with table.consumer("note_begin_and_wait_for_file", WORKERS=workers) as first:
        first.wait_for("output")
        first.signal(signal.SIGKILL)
        first.wait()
    with table.consumer() as second:
        [line] = second.wait_for("message")
        assert second.stop() == 0
    assert (line["outcome"], line["receive_count"]) == ("processed", 2)
    assert table.stage.handled() == ["VH2001", "VH2001"]


def test_a_handler_that_ends_its_process_leaves_the_key_free(table: Table) -> None:
    """The consumer goes on, so it releases the claim before the message's retry."""
    table.stage.send(CIVIC)
    with table.consumer("note_and_exit_at_first", WORKERS="1") as consumer:
        consumer.wait_for("message", 2)
        assert consumer.stop() == 0
    assert ends(consumer) == ["crashed", "processed"]
    assert table.stage.handled() == ["VH2001", "VH2001"]


def test_a_long_handler_keeps_its_claim(table: Table) -> None:
    """Its copy is received again when a claim would be over, and still not handled beside it.

    The copy's second attempt ends two seconds or more before its third one.
    """
    table.stage.send(CIVIC)
    with table.consumer("wait_for_file") as one:
        one.wait_for("output")
        table.stage.send(CIVIC)
        with table.consumer("note", INSTANCE_ID="i-2") as two:
            two.wait_for("message", 2)
            (table.stage.directory / "go").touch()
            two.wait_for("message", 3)
            table.stage.wait_until_empty()
            assert one.stop() == two.stop() == 0
    assert ends(one) == ["processed"]
    assert ends(two) == ["duplicate", "retry", "retry"]
    assert table.stage.handled() == []


def test_nothing_is_handled_while_the_table_does_not_answer(table: Table, proxy: Recorder) -> None:
    """A message goes back once, no other is received, and both are handled when it answers."""
    down = True

    def fault(request: Request) -> Fault | None:
        probes = [one for one in proxy.requests if one.operation == "GetItem"]
        refused = down and request.service == "dynamodb" and len(probes) > 1
        return Fault.REFUSED if refused or (down and request.operation == "PutItem") else None

    proxy.fault = fault
    table.stage.send(CIVIC, CIVIC.replace("VH2001", "VH2002"))
    with table.consumer(AWS_ENDPOINT_URL=proxy.endpoint) as consumer:
        [line] = consumer.wait_for("message")
        assert (line["outcome"], line["receive_count"]) == ("retry", 1)
        consumer.wait_for("idempotency table unavailable, nothing is received until it answers")
        # One at the start, and two each time that the consumer asks whether the table answers.
        proxy.wait_for(lambda _: [one.operation for one in proxy.requests].count("GetItem") >= 5)
        assert [one.operation for one in proxy.requests].count("ReceiveMessage") == 1
        assert table.stage.handled() == []
        down = False
        consumer.wait_for("idempotency table answers again")
        consumer.wait_for("message", 3)
        assert consumer.stop() == 0
    assert sorted(table.stage.handled()) == ["VH2001", "VH2002"]
    assert table.stage.counts() == (0, 0)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"IDEMPOTENCY_TABLE": "absent"}, "cannot use table absent: ResourceNotFoundException"),
        (
            {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:{port}"},
            "no answer from the endpoint",
        ),
    ],
    ids=["no-table", "no-answer"],
)
def test_a_table_that_cannot_be_used_ends_the_consumer_at_its_start(
    table: Table, settings: dict[str, str], reason: str
) -> None:
    """Before it receives a message."""
    table.stage.send(CIVIC)
    given: dict[str, Any] = {
        name: value.replace("{port}", str(free_port())) for name, value in settings.items()
    }
    with table.consumer(**given) as consumer:
        assert consumer.wait() == 1
    assert reason in " ".join(consumer.errors)
    assert table.stage.counts() == (1, 0)
