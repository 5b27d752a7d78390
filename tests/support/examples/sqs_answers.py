"""MiniStack's answers to the calls of published examples, and AWS's words for them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from support.emulators.ministack import local_client
from support.examples.queues import a_queue, answer_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.emulators.ministack import Ministack
    from support.examples.described_calls import Call
    from support.examples.kind import Expected

NO_QUEUE: Final = "no-such-queue"
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
