"""Kinds of published examples of SQS's behaviour: quotas, redrive, receives and receipt handles.

What the simulator's queue models is run against it, the rest against an emulator of SQS.
"""

from __future__ import annotations

from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError
from support.builders.lint import findings_after
from support.examples.kind import Expected, Given, Kind, Place, fields

from shared.quotas import (
    DEFAULT_MAX_RECEIVE_COUNT,
    DEFAULT_RETENTION,
    MAX_BATCH,
    MAX_BYTES,
    MAX_LONG_POLL,
    MAX_RETENTION,
    MAX_VISIBILITY,
)
from tidemill.scaling.template.queue import RECEIVE_COUNT
from tidemill.simulator.queues.message_ages import MessageAges
from tidemill.simulator.queues.queue_attributes import QueueAttributes
from tidemill.simulator.queues.work_queue import WorkQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from support.emulators.ministack import Ministack

DAY: Final = 86_400
NUMBERS: Final = count(1)
ATTRIBUTES: Final[tuple[QueueAttributeNameType, ...]] = (
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
)
NEXT: Final = "next message not over the receive threshold"
RECEIVES: Final = "maxReceiveCount"
QUOTAS: Final = {
    "max_batch_bytes": MAX_BYTES,
    "max_batch_entries": MAX_BATCH,
    "max_body_bytes": MAX_BYTES,
    "max_entries": MAX_BATCH,
    "max_messages": MAX_BATCH,
    "max_visibility_s": MAX_VISIBILITY,
    "max_wait_s": MAX_LONG_POLL,
    "min_entries": 1,
    "min_messages": 1,
}
OURS: Final[Mapping[str, Mapping[str, int]]] = {
    "MaximumMessageSize": {"max": MAX_BYTES},
    "MessageRetentionPeriod": {"max": MAX_RETENTION, "default": DEFAULT_RETENTION},
    "ReceiveMessageWaitTimeSeconds": {"max": MAX_LONG_POLL},
    "VisibilityTimeout": {"max": MAX_VISIBILITY},
}
"""The product's own numbers about these attributes."""


def a_queue(server: Ministack, **attributes: Any) -> str:  # noqa: ANN401 - any attribute
    """Create a queue of its own for an example, and return its URL."""
    suffix = ".fifo" if attributes.get("FifoQueue") == "true" else ""
    chosen = cast("Mapping[QueueAttributeNameType, str]", attributes)
    return server.create_queue(f"example-{next(NUMBERS)}{suffix}", chosen)


def answer_to(call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - of a boto3 client
    """Return what SQS answers to a call; an error is an answer, too."""
    try:
        answer: dict[str, Any] = call(**parameters)
    except ClientError as error:
        return dict(error.response)
    return answer


def status(answer: dict[str, Any]) -> int:
    """Return the HTTP status of an answer."""
    code: int = answer["ResponseMetadata"]["HTTPStatusCode"]
    return code


def limits_of(sqs: SQSClient, url: str, name: QueueAttributeNameType, expected: Expected) -> bool:
    """Return whether a queue's attribute has the default and the bounds that are expected."""
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    if str(expected.get("default", found[name])) != found[name]:
        return False
    tried = [("min", 0, True), ("min", -1, False), ("max", 0, True), ("max", 1, False)]
    for bound, beyond, allowed in tried:
        if bound in expected:
            value = str(expected[bound] + beyond)
            answer = answer_to(sqs.set_queue_attributes, QueueUrl=url, Attributes={name: value})
            if (status(answer) == 200) is not allowed:
                return False
    return all(expected.get(part, ours) == ours for part, ours in OURS.get(name, {}).items())


def check_attribute(given: Given, expected: Expected, server: Ministack) -> None:
    """Find an attribute of a queue with this default and these bounds."""
    names = [given["attribute"]] if "attribute" in given else ATTRIBUTES
    low, high = RECEIVE_COUNT
    receives = {"min": low, "max": high, "default": DEFAULT_MAX_RECEIVE_COUNT}
    if given.get("attribute", RECEIVES) == RECEIVES and expected.items() <= receives.items():
        return
    url = a_queue(server)
    with server.sqs() as sqs:
        assert any(limits_of(sqs, url, name, expected) for name in names), names


def check_quota(_: Given, expected: Expected) -> None:
    """Compare quotas with the product's own."""
    assert {name: QUOTAS[name] for name in expected} == dict(expected)


def a_work_queue(max_receive_count: int | None, sent: tuple[float, ...] = (0.0,)) -> WorkQueue:
    """Return the simulator's queue, to which messages were sent at these seconds."""
    attributes = QueueAttributes(max_receive_count, 30, DEFAULT_RETENTION)
    return WorkQueue(iter(sent), 0.0, None, attributes)


def check_redrive(given: Given, expected: Expected) -> None:
    """Receive a message as often, and return it each time but the last."""
    queue = a_work_queue(given["maxReceiveCount"])
    for receive in range(given["receive_count_would_be"]):
        queue.return_messages(float(receive), queue.receive(float(receive), 1))
    assert (queue.counts.dead == 1) is expected["moved_to_dlq"]


def check_sent_metric(given: Given, expected: Expected) -> None:
    """Move a message to the dead-letter queue, and see whether it counts as one more sent."""
    queue = a_work_queue(1)
    for receive in range(2):
        queue.return_messages(float(receive), queue.receive(float(receive), 1))
    assert (queue.counts.dead == 1) is given["auto_moved"]
    assert (queue.counts.sent > 1) is expected["NumberOfMessagesSent_counts"]


def check_age(given: Given, expected: Expected) -> None:
    """Receive the older of two messages so often, and find out which one the metric is about."""
    assert given["queue"] == "standard"
    sent = {"the message": 0.0, NEXT: 5.0}
    queue = a_work_queue(None, (0.0, 5.0))
    queue.ages = MessageAges()
    for receive in range(given["receives"]):
        queue.return_messages(float(receive), queue.receive(float(receive), 1))
    queue.advance(10.0)
    age = queue.oldest_age(10.0)
    (about,) = (name for name, at in sent.items() if age == 10.0 - at)
    assert about == expected["age_metric_points_at"]


def check_retention(given: Given, expected: Expected) -> None:
    """Compare how long a dead letter is kept with what lint says about the two retention periods.

    Lint reports a dead-letter queue that drops a message at the end of the source's period or
    before. A message that spent some days in the source has so much less left.
    """
    kept = given["dlq_retention_days"]
    fifo = given["queue"] == "fifo"
    assert fifo or given["queue"] == "standard"
    drops_after = next((days for days in range(1, 15) if expires(days, kept, fifo=fifo)), None)
    left = kept if drops_after is None else drops_after - given["days_in_source"]
    assert left == expected["deleted_from_dlq_after_days"]


@cache
def expires(days: int, days_there: int, *, fifo: bool) -> bool:
    """Return whether lint finds that dead letters expire first, with these retention periods."""
    changes = {
        "Jobs__MessageRetentionPeriod": days * DAY,
        "Failed__MessageRetentionPeriod": days_there * DAY,
        **({"Jobs__FifoQueue": True, "Failed__FifoQueue": True} if fifo else {}),
    }
    return any(found.rule == "dead-letters-expire-first" for found in findings_after(changes))


def check_longest_hiding(given: Given, expected: Expected) -> None:
    """Hide a message for longer than SQS allows, counted from its first receive."""
    hidden = given["extended_to_s"] - given["first_received_at_s"]
    assert (hidden > MAX_VISIBILITY) is expected["error"]


def check_empty_receive(given: Given, expected: Expected, server: Ministack) -> None:
    """Receive from an empty queue, without a wait and with one."""
    url = a_queue(server)
    with server.sqs() as sqs:
        answer = answer_to(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=given["wait"])
    assert expected.get("HTTPStatusCode", 200) == status(answer)
    assert expected.get("Messages_key", "absent") == "absent"
    assert "Messages" not in answer


def check_after_timeout(given: Given, expected: Expected, server: Ministack) -> None:
    """Delete a message, or hide it again, after its visibility timeout has passed."""
    assert given["queue"] == "standard"
    url = a_queue(server)
    server.send(url, "one")
    with server.sqs() as sqs:
        (message,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
        handle = message["ReceiptHandle"]
        if given.get("deleted_after_timeout"):
            answer = answer_to(sqs.delete_message, QueueUrl=url, ReceiptHandle=handle)
        else:
            assert given["timeout_expired"] is True
            answer = answer_to(
                sqs.change_message_visibility,
                QueueUrl=url,
                ReceiptHandle=handle,
                VisibilityTimeout=30,
            )
    assert expected.get("HTTPStatusCode", 200) == status(answer)
    empty = server.counts(url) == (0, 0)
    assert expected.get("queue_empty", empty) is empty


QUEUE_KINDS: tuple[Kind, ...] = (
    Kind(
        "an attribute of a queue",
        fields("", "attribute"),
        fields("", "min max default"),
        check_attribute,
        any_of=frozenset({"min", "max", "default"}),
        place=Place.SQS,
    ),
    Kind("a quota of a call", fields(), fields("", " ".join(QUOTAS)), check_quota),
    Kind(
        "when a message becomes a dead letter",
        fields("maxReceiveCount receive_count_would_be"),
        fields("moved_to_dlq"),
        check_redrive,
    ),
    Kind(
        "whether a dead letter counts as sent",
        fields("auto_moved"),
        fields("NumberOfMessagesSent_counts"),
        check_sent_metric,
    ),
    Kind(
        "the age metric of a queue with a poison message",
        fields("receives queue"),
        fields("age_metric_points_at"),
        check_age,
    ),
    Kind(
        "how long a dead letter is kept",
        fields("days_in_source dlq_retention_days queue"),
        fields("deleted_from_dlq_after_days"),
        check_retention,
    ),
    Kind(
        "how long a message may be hidden",
        fields("first_received_at_s extended_to_s"),
        fields("error"),
        check_longest_hiding,
    ),
    Kind(
        "a receive from an empty queue",
        fields("wait"),
        fields("", "HTTPStatusCode Messages_key"),
        check_empty_receive,
        any_of=frozenset({"HTTPStatusCode", "Messages_key"}),
        place=Place.SQS,
    ),
    Kind(
        "a receipt handle after the timeout",
        fields("queue", "deleted_after_timeout timeout_expired"),
        fields("", "HTTPStatusCode queue_empty"),
        check_after_timeout,
        fits=lambda given, _: not {"deleted_after_timeout", "timeout_expired"}.isdisjoint(given),
        any_of=frozenset({"HTTPStatusCode", "queue_empty"}),
        place=Place.SQS,
    ),
)
