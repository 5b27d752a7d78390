"""Kinds of published examples of SQS's errors: the call of each, and what the product makes of it.

The call goes to MiniStack. Where it is known to have words of its own, those stand for AWS's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from moto import mock_aws
from support.emulators.ministack import local_client
from support.examples.kind import (
    Expected,
    Given,
    Kind,
    Place,
    UnknownFieldError,
    alone,
    fields,
)
from support.examples.names import is_commentary
from support.examples.queues import a_queue, answer_to

from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.queue_errors import ABSENT, THROTTLING, translated
from shared.quotas import MAX_BATCH, MAX_BYTES, MAX_LONG_POLL, MAX_VISIBILITY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.emulators.ministack import Ministack

MODEL: Final = Loader().load_service_model("sqs", "service-2")
UNCHECKED: Final = Config(parameter_validation=False, retries={"total_max_attempts": 1})
"""For a client that sends what botocore would refuse."""

SHAPES: Final = {
    "InvalidParameterValue": "InvalidParameterValueException",
    "MissingParameter": "MissingRequiredParameterException",
}
"""AWS's name of the error, by its code, where MiniStack has the code in its place."""

WORDS: Final = {
    r"Too many messages in a batch request\. A maximum of (10) messages are allowed\.": (
        r"Maximum number of entries per request are \1. You have sent \d+\."
    ),
    r"One or more parameters are invalid\. (Reason: Message must be shorter than \d+ bytes\.)": (
        r"One or more parameters (?:are invalid|cannot be validated)\. \1"
    ),
    r"(The input receipt handle) is invalid\.": (
        r'\1 (?:".*" is not a valid receipt handle|is invalid)\.'
    ),
    r"(The queue should either have ContentBasedDeduplication.*)\.": r"\1",
    r"(The specified queue does not exist)(?: for this wsdl version)?\.": (
        r"\1(?: for this wsdl version)?\."
    ),
}
"""Patterns of AWS's texts, by patterns of MiniStack's texts for the same errors."""

LIMITS: Final = {"WaitTimeSeconds": MAX_LONG_POLL, "VisibilityTimeout": MAX_VISIBILITY}
REFUSED: Final = re.compile(
    r"Value (-?\d+) for parameter (\w+) is invalid\. Reason: .*\b(\d+)\D*\."
)
"""AWS's text about seconds that are too many, of which MiniStack takes as many as there can be."""

FIFO: Final = {"FifoQueue": "true"}
NO_QUEUE: Final = "no-such-queue"


FIFO_ONLY: Final = ("ContentBasedDeduplication", "FifoThroughputLimit", "DeduplicationScope")
OTHER: Final = {
    "ContentBasedDeduplication": "true",
    "DelaySeconds": "1",
    "MaximumMessageSize": "1024",
    "MessageRetentionPeriod": "60",
    "ReceiveMessageWaitTimeSeconds": "1",
    "VisibilityTimeout": "31",
}
"""A value of each attribute that is not its default."""


@dataclass
class Call:
    """A call to SQS, as an example describes it.

    Attributes:
        operation: its name in the API.
        parameters: what it gets besides the queue; the rest is filled in.
        attributes: those of the queue, or of the queue that is to be created.
        absent: whether there is no such queue.
        lacking: parameters that it does not get.
        entries: what is special about the entries of a batch.
        existing: attributes of a queue of the same name that exists before.
    """

    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    absent: bool = False
    lacking: set[str] = field(default_factory=set)
    entries: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    existing: dict[str, str] | None = None

    def about(self, name: str, value: Any) -> bool:  # noqa: ANN401 - of any type
        """Take in a word of the description; return whether it is known."""
        first, _, rest = name.rpartition(" ")
        if name in WHOLE:
            WHOLE[name](self, value)
        elif first in STARTS:
            STARTS[first](self, rest, value)
        elif name in members(f"{self.operation}Request"):
            self.parameters[name] = value
        elif name in MODEL["shapes"]["QueueAttributeName"]["enum"]:
            self.attributes[name] = str(value)
        else:
            return False
        return True


def members(shape: str) -> Mapping[str, Any]:
    """Return the members of a structure of SQS's API."""
    found: Mapping[str, Any] = MODEL["shapes"].get(shape, {}).get("members", {})
    return found


def of_queue(call: Call, value: str) -> None:
    """Call a queue of this type, or one that does not exist."""
    assert value in {"fifo", "standard", "does not exist"}
    call.attributes |= FIFO if value == "fifo" else {}
    call.absent = value == "does not exist"


def with_bytes(call: Call, value: object) -> None:
    """Send a message of so many bytes, such as 1025 or ">1024"."""
    text = str(value)
    size = int(text.removeprefix(">")) + text.startswith(">")
    call.parameters["MessageBody"] = "x" * size


def with_long_entry(call: Call, _: object) -> None:
    """Send a batch whose second entry is longer than the queue takes."""
    longest = int(call.attributes.get("MaximumMessageSize", MAX_BYTES))
    call.entries = [{}, {"MessageBody": "x" * (longest + 1)}]


def with_entries(call: Call, value: int | list[dict[str, Any]]) -> None:
    """Send a batch with so many entries, or with these."""
    call.entries = value if isinstance(value, list) else [{} for _ in range(value)]


def with_fifo_attribute(call: Call, _: object) -> None:
    """Create a standard queue with an attribute that only FIFO queues have."""
    call.attributes["ContentBasedDeduplication"] = "true"


def lacking(call: Call, name: str, _: object) -> None:
    """Leave a parameter out."""
    call.lacking.add(name)


def with_attribute(call: Call, name: str, value: str) -> None:
    """Send a message attribute with a text."""
    call.parameters["MessageAttributes"] = {name: {"DataType": "String", "StringValue": value}}


def existing(call: Call, name: str, _: object) -> None:
    """Create a queue whose name is that of a queue with another value of an attribute."""
    call.existing = FIFO if name in FIFO_ONLY else {}
    call.attributes = {**call.existing, name: OTHER[name]}


WHOLE: Final[Mapping[str, Callable[[Call, Any], None]]] = {
    "queue": of_queue,
    "bytes": with_bytes,
    "one entry too long": with_long_entry,
    "entries": with_entries,
    "Entries": with_entries,
    "standard with FIFO attributes": with_fifo_attribute,
    "protocol": lambda _, __: None,  # the answers are the same
    "visibility expired": lambda _, __: None,  # every receipt handle here has expired
}
STARTS: Final[Mapping[str, Callable[[Call, str, Any], None]]] = {
    "no": lacking,
    "attribute": with_attribute,
    "existing, other": existing,
}
"""What the words of a description mean: whole ones, and those before a parameter's name."""


def call_of(given: Given) -> Call:
    """Return the call that an example describes.

    Raises:
        UnknownFieldError: a word of the description is not known.
    """
    call, case = Call(str(given["op"]).split(" ", 1)[0]), given["case"]
    if isinstance(case, str):
        parameter, _, value = case.partition(" ")
        case = {parameter: value}
    for name, value in ((name, alone(value)) for name, value in case.items()):
        if value is None or value is False or is_commentary(name):
            continue
        if not call.about(name, value):
            raise UnknownFieldError(f"unknown {name} in the case of a call of {call.operation}")
    return call


@cache
def client_of(endpoint: str) -> Any:  # noqa: ANN401 - a boto3 client
    """Return a client that sends what botocore would refuse; building one takes long."""
    return local_client("sqs", endpoint, config=UNCHECKED)


def answers(call: Call, server: Ministack) -> list[dict[str, Any]]:
    """Return SQS's answers to a call, in each way in which an example's words can be meant."""
    client = client_of(server.endpoint)
    if call.operation == "GetQueueUrl":
        assert call.absent
        return [answer_to(client.get_queue_url, QueueName=NO_QUEUE)]
    if call.operation == "CreateQueue":
        name = a_queue(server, **(call.existing or {})).rpartition("/")[2]
        name = name if call.existing is not None else f"{name}-more"
        return [answer_to(client.create_queue, QueueName=name, Attributes=call.attributes)]
    url = f"{server.endpoint}/000000000000/{NO_QUEUE}"
    if not call.absent:
        url = a_queue(server, **call.attributes)
    method = getattr(client, METHODS[call.operation])
    return [answer_to(method, QueueUrl=url, **one) for one in ways(call, client, url)]


METHODS: Final = {
    "ChangeMessageVisibilityBatch": "change_message_visibility_batch",
    "ChangeMessageVisibility": "change_message_visibility",
    "DeleteMessage": "delete_message",
    "DeleteMessageBatch": "delete_message_batch",
    "PurgeQueue": "purge_queue",
    "ReceiveMessage": "receive_message",
    "SendMessage": "send_message",
    "SendMessageBatch": "send_message_batch",
    "SetQueueAttributes": "set_queue_attributes",
}


def ways(call: Call, client: Any, url: str) -> list[dict[str, Any]]:  # noqa: ANN401 - a boto3 client
    """Return the parameters of a call, once for each parameter that an example may have left out.

    "No MessageGroupId" is said of calls to a FIFO queue that lack it, and of calls that have it and
    lack what has to be beside it, MessageDeduplicationId.
    """
    message = {"MessageBody": "one"}
    if call.attributes.get("FifoQueue") == "true":
        message |= {"MessageGroupId": "group", "MessageDeduplicationId": "one"}
    whole = call.parameters
    match call.operation:
        case "SendMessage":
            whole = message | whole
        case "SendMessageBatch":
            entries = [{"Id": str(n)} | message | one for n, one in enumerate(call.entries)]
            whole = {"Entries": entries}
        case "DeleteMessageBatch" | "ChangeMessageVisibilityBatch":
            one_handle = {"ReceiptHandle": received(client, url, message)}
            whole = {
                "Entries": [{"Id": str(n)} | one_handle | one for n, one in enumerate(call.entries)]
            }
        case "DeleteMessage":
            whole = {"ReceiptHandle": received(client, url, message)} | whole
        case "ChangeMessageVisibility":
            handle = received(client, url, message)
            whole = {"ReceiptHandle": handle, "VisibilityTimeout": 30} | whole
    if not call.lacking:
        return [whole]
    beside = {"MessageDeduplicationId"} if "MessageGroupId" in call.lacking else set()
    return [without(whole, name) for name in call.lacking | beside]


def received(client: Any, url: str, message: Mapping[str, str]) -> str:  # noqa: ANN401 - a boto3 client
    """Return the receipt handle of a message whose visibility timeout has passed."""
    client.send_message(QueueUrl=url, **message)
    (got,) = client.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    handle: str = got["ReceiptHandle"]
    return handle


def without(parameters: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return parameters, and those of the entries of a batch, without this one."""
    kept = {key: value for key, value in parameters.items() if key != name}
    if "Entries" in kept:
        kept["Entries"] = [without(entry, name) for entry in kept["Entries"]]
    return kept


def told(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer's error, or that of the first entry of a batch that failed."""
    error = answer.get("Error") or next(iter(answer.get("Failed", ())), None)
    if error is None:
        return {
            "Code": "",
            "Message": "",
            "http_status": answer["ResponseMetadata"]["HTTPStatusCode"],
        }
    return {
        "Code": error["Code"],
        "Message": error["Message"],
        "QueryErrorCode": SHAPES.get(error["Code"], error.get("QueryErrorCode")),
        "http_status": answer["ResponseMetadata"]["HTTPStatusCode"],
    }


def agrees(found: Mapping[str, Any], expected: Expected) -> bool:
    """Return whether an error is the expected one; a text of MiniStack's own stands for AWS's."""
    plain = [name for name in expected if name != "Message"]
    if any(found.get(name) != expected[name] for name in plain):
        return False
    if "Message" not in expected:
        return True
    patterns = [
        re.sub(r"\\1", lambda _, own=own: re.escape(own[1]), aws)  # type: ignore[misc]
        for ours, aws in WORDS.items()
        if (own := re.fullmatch(ours, found["Message"]))
    ] or [re.escape(found["Message"])]
    return any(re.fullmatch(pattern, expected["Message"]) for pattern in patterns)


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
    assert code in ABSENT or code in str(raised.value)


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
