"""Tests of `python -m producer` with messages that are no vehicles, over a real endpoint."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from support.emulators.producers import NOWHERE, finished

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.ministack import Ministack

pytestmark = pytest.mark.impure

ORDERS = [
    {"orderId": "A-1", "customer": "ada", "total": 9.5},
    {"orderId": "A-2", "customer": "ben", "total": 3},
]
CSV = 'orderId,customer,total,traceparent\nA-1,ada,9.5,00-1\nA-2,"ben",3,\n'


def received(ministack: Ministack, url: str) -> list[Any]:
    """Return every message of the queue with its attributes, and delete it."""
    found: list[Any] = []
    with ministack.sqs() as client:
        while messages := client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages"):
            for message in messages:
                found.append(message)
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        pytest.param("x.jsonl", "\n".join(map(json.dumps, ORDERS)), (), id="lines"),
        pytest.param("x.json", json.dumps(ORDERS, indent=2), (), id="array"),
        pytest.param("x", json.dumps(ORDERS), ("--format", "json"), id="array by option"),
        pytest.param(
            "x.csv",
            CSV.replace(",traceparent", "").replace(",00-1", "").replace("3,", "3"),
            ("--csv-types", "json"),
            id="CSV",
        ),
    ],
)
def test_every_format_gives_the_same_messages(
    tmp_path: Path, name: str, text: str, options: tuple[str, ...], *, zipped: bool
) -> None:
    """A file is recognised by name and content, zipped or not."""
    path = tmp_path / (f"{name}.gz" if zipped else name)
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())

    code, output, errors = finished("--file", path, "--dry-run", *options)

    assert code == 0, errors
    assert [json.loads(line) for line in output.splitlines()] == ORDERS


def test_a_line_that_does_not_fit_the_schema_is_named(tmp_path: Path) -> None:
    """The type is found in the current folder; --skip-invalid goes on."""
    (tmp_path / "shop.py").write_text(
        "import msgspec\nclass Order(msgspec.Struct):\n    orderId: str\n    total: float\n"
    )
    path = tmp_path / "orders.jsonl"
    path.write_text('{"orderId":"A-1","total":1}\n{"orderId":2}\n{"orderId":"A-3","total":3}\n')
    arguments = ("--file", path, "--dry-run", "--schema", "shop:Order")
    environment = {**NOWHERE, "PYTHONPATH": f"{tmp_path}:{NOWHERE.get('PYTHONPATH', '')}"}

    code, output, errors = finished(*arguments, environment=environment)
    skipped = finished(*arguments, "--skip-invalid", environment=environment)

    assert (code, output.count("\n")) == (1, 1)
    assert "stopped at the invalid line 2: Expected `str`, got `int` - at `$.orderId`" in errors
    assert (skipped[0], skipped[1].count("\n")) == (0, 2)


def test_attributes_arrive(ministack: Ministack, tmp_path: Path) -> None:
    """Those of the command line, and those of a column, which leaves the body."""
    url = ministack.create_queue("producer-attributes")
    path = tmp_path / "orders.csv"
    path.write_text(CSV)

    code, _, errors = finished(
        *("--file", path, "--queue-url", url, "--attribute", "type=order"),
        *("--attribute", "n:Number=5", "--attribute-column", "traceparent"),
        *("--group-id", "{customer}"),
        environment=ministack.environment,
    )

    assert code == 0, errors
    by_order = {json.loads(item["Body"])["orderId"]: item for item in received(ministack, url)}
    common = {
        "type": {"DataType": "String", "StringValue": "order"},
        "n": {"DataType": "Number", "StringValue": "5"},
    }
    assert json.loads(by_order["A-1"]["Body"]) == {
        "orderId": "A-1",
        "customer": "ada",
        "total": "9.5",
    }
    assert by_order["A-1"]["MessageAttributes"] == {
        **common,
        "traceparent": {"DataType": "String", "StringValue": "00-1"},
    }
    assert by_order["A-2"]["MessageAttributes"] == common


def test_a_fifo_queue_gets_each_group_in_order_and_once(
    ministack: Ministack, tmp_path: Path
) -> None:
    """Eight batches are sent at once, but no two of one group."""
    url = ministack.create_queue("producer.fifo", {"FifoQueue": "true"})
    path = tmp_path / "orders.jsonl"
    orders = [{"n": number, "customer": f"c{number % 7}"} for number in range(300)]
    path.write_text("\n".join(map(json.dumps, orders)))

    code, output, errors = finished(
        *("--file", path, "--queue-url", url, "--group-id", "{customer}", "--json"),
        environment=ministack.environment,
    )

    assert code == 0, errors
    assert json.loads(output)["sent"] == 300
    found = defaultdict(list)
    for item in received(ministack, url):
        assert item["Attributes"]["MessageDeduplicationId"]
        found[item["Attributes"]["MessageGroupId"]].append(json.loads(item["Body"])["n"])
    assert dict(found) == {f"c{rest}": list(range(rest, 300, 7)) for rest in range(7)}


def test_a_fifo_queue_without_a_group_is_refused_before_anything_is_sent() -> None:
    """One line says what to give."""
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders.fifo"

    code, _, errors = finished("--count", 3, "--queue-url", url)

    assert code == 2
    assert errors == (
        "Error: a FIFO queue needs a group for each message: name one of their fields, such as "
        "--group-id '{vehicleId}'\n"
    )
