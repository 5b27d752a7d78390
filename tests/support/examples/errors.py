"""Kinds of published examples of SQS's errors: the call of each, and what the product makes of it.

The calls go to MiniStack, and to moto where MiniStack refuses nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from support.emulators.ministack import local_client
from support.examples.described_calls import call_of
from support.examples.kind import Expected, Given, Kind, Place, fields
from support.examples.queues import a_queue, answer_to
from support.examples.sqs_answers import NO_QUEUE, SHAPES, agrees, answers, client_of, told

from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.queue_errors import translated
from shared.quotas import MAX_BATCH, MAX_BYTES, MAX_LONG_POLL, MAX_VISIBILITY
from shared.sqs.wrong_answers import ABSENT, PREFIX, THROTTLING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.emulators.ministack import Ministack

LIMITS: Final = {"WaitTimeSeconds": MAX_LONG_POLL, "VisibilityTimeout": MAX_VISIBILITY}
REFUSED: Final = re.compile(
    r"Value (-?\d+) for parameter (\w+) is invalid\. Reason: .*\b(\d+)\D*\."
)
"""AWS's text about seconds that are too many, of which MiniStack takes as many as there can be."""


def check_error(given: Given, expected: Expected, server: Ministack) -> None:
    """Make the call; the error is the published one, and the product says what can be done."""
    found = [told(answer) for answer in answers(call_of(given), server)]
    assert any(agrees(one, expected) for one in found), found
    if expected.get("http_status", 400) >= 400:
        check_product(
            expected["Code"], expected.get("http_status", 400), expected.get("Message", "")
        )


def check_product(code: str, status: int, text: str) -> None:
    """Raise the error in a call of the product: it tells whether the call may succeed later."""
    answer: Any = {
        "Error": {"Code": code, "Message": text},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    passes = code in THROTTLING or status >= 500
    with (
        pytest.raises(QueueUnavailableError if passes else QueueRefusedError) as raised,
        translated("jobs"),
    ):
        raise ClientError(answer, "SendMessage")
    assert code.removeprefix(PREFIX) in ABSENT or code in str(raised.value)


def check_limit(given: Given, expected: Expected) -> None:
    """Find our limit in the text with which SQS refuses a higher value."""
    found = REFUSED.fullmatch(expected["Message"])
    assert found is not None
    value, parameter, longest = found.groups()
    assert int(longest) == LIMITS[parameter]
    assert value in str(given["case"][parameter])
    assert SHAPES[expected["Code"]] == expected.get("QueryErrorCode", SHAPES[expected["Code"]])
    assert expected.get("http_status", 400) == 400
    check_product(expected["Code"], 400, expected["Message"])


BATCH, SEND = "send_message_batch", "send_message"
CAUSES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "BatchEntryIdsNotDistinct": (BATCH, {"Entries": [{"Id": "a", "MessageBody": "one"}] * 2}),
    "BatchRequestTooLong": (
        BATCH,
        {"Entries": [{"Id": name, "MessageBody": "x" * (MAX_BYTES // 2 + 1)} for name in "ab"]},
    ),
    "EmptyBatchRequest": (BATCH, {"Entries": []}),
    "InvalidBatchEntryId": (BATCH, {"Entries": [{"Id": "a b", "MessageBody": "one"}]}),
    "InvalidMessageContents": (SEND, {"MessageBody": "\x00"}),
    "QueueDoesNotExist": (
        SEND,
        {"QueueUrl": f"http://none/000000000000/{NO_QUEUE}", "MessageBody": "one"},
    ),
    "QueueNameExists": ("create_queue", {"Attributes": {"VisibilityTimeout": "31"}}),
    "ReceiptHandleIsInvalid": ("delete_message", {"ReceiptHandle": "garbage"}),
    "TooManyEntriesInBatchRequest": (
        BATCH,
        {"Entries": [{"Id": str(one), "MessageBody": "one"} for one in range(MAX_BATCH + 1)]},
    ),
}
"""The method of a client, and its parameters, with which a call ends with each of these errors."""


def check_code(given: Given, expected: Expected, server: Ministack) -> None:
    """Make a call that ends with this error, and compare its code and its HTTP status."""
    shape = given["shape"]
    client, url = client_of(server.endpoint), a_queue(server)
    method, parameters = CAUSES[shape]
    if method == "create_queue":
        parameters = {"QueueName": url.rpartition("/")[2], **parameters}
    else:
        parameters = {"QueueUrl": url, **parameters}
    compare_code(answer_to(getattr(client, method), **parameters), shape, expected)


def compare_code(answer: Mapping[str, Any], shape: str, expected: Expected) -> None:
    """Compare an error's code by the query protocol, its name and its HTTP status."""
    found = told(answer)
    assert found.get("QueryErrorCode") in {shape, None}  # moto leaves some of them out
    assert found["Code"] == expected["query_code"]
    assert expected.get("http_status", found["http_status"]) == found["http_status"]
    check_product(expected["query_code"], found["http_status"], "")


def second_purge() -> dict[str, Any]:
    """Return moto's answer to a purge right after another one; MiniStack allows it."""
    with mock_aws():
        client = local_client("sqs", "https://sqs.eu-west-1.amazonaws.com")
        url = client.create_queue(QueueName="example")["QueueUrl"]
        client.purge_queue(QueueUrl=url)
        answer = answer_to(client.purge_queue, QueueUrl=url)
        client.close()
    return answer


def check_purging(given: Given, expected: Expected) -> None:
    """Purge a queue twice, and compare the error's code."""
    compare_code(second_purge(), given["shape"], expected)


def check_purges(_: Given, expected: Expected) -> None:
    """Purge a queue twice, and find in the error how many seconds have to be between."""
    pause = re.search(r"allowed every (\d+) seconds", told(second_purge())["Message"])
    assert pause is not None
    assert int(pause[1]) == expected["one_per_s"]


def check_throttling(given: Given, expected: Expected) -> None:
    """See that the product tries again after this error, by its name and by its code."""
    assert {given["shape"], expected["query_code"]} <= THROTTLING
    check_product(expected["query_code"], expected.get("http_status", 400), "")


def check_refusal(given: Given, expected: Expected) -> None:
    """See that the product does not try again after this error, and says its code."""
    shape = given["shape"]
    assert expected["query_code"] in {shape, f"AWS.SimpleQueueService.{shape}"}
    assert not {shape, expected["query_code"]} & (THROTTLING | ABSENT)
    check_product(expected["query_code"], 400, "")


RECORDED: Final = fields("op case", "recorded_step")
ERROR: Final = fields("Code", "Message QueryErrorCode http_status")

ERROR_KINDS: tuple[Kind, ...] = (
    Kind(
        "a limit in the words of an error",
        RECORDED,
        fields("Code Message", "QueryErrorCode http_status"),
        check_limit,
        fits=lambda given, _: any(name in given["case"] for name in LIMITS),
    ),
    Kind("an error of a call", RECORDED, ERROR, check_error, place=Place.SQS),
    Kind(
        "the code of an error after which the product tries again",
        fields("shape"),
        fields("query_code", "http_status"),
        check_throttling,
        fits=lambda given, _: given["shape"] in list(THROTTLING),
    ),
    Kind(
        "the error of a second purge",
        fields("shape"),
        fields("query_code", "http_status"),
        check_purging,
        fits=lambda given, _: given["shape"] == "PurgeQueueInProgress",
        place=Place.SERVER,
    ),
    Kind(
        "how often a queue may be purged",
        fields(),
        fields("one_per_s"),
        check_purges,
        aside={"takes_up_to_s": "no emulator takes time for a purge"},
        place=Place.SERVER,
    ),
    Kind(
        "the code of an error",
        fields("shape"),
        fields("query_code", "http_status"),
        check_code,
        fits=lambda given, _: given["shape"] in list(CAUSES),
        place=Place.SQS,
    ),
    Kind(
        "the code of an error that no emulator gives",
        fields("shape"),
        fields("query_code"),
        check_refusal,
        fits=lambda given, _: given["shape"] not in [*CAUSES, *THROTTLING],
        aside={"http_status": "the product treats all refusals alike, whatever their status"},
    ),
)
