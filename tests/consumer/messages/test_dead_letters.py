"""Tests of the copies of rejected messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from support.fakes.consuming import CIVIC, START, message

from consumer.attempt import Attempt, AttemptResult
from consumer.delivery import Delivery
from consumer.messages.dead_letters import DeadLetterQueue, copy_of
from shared.entry_batches import size
from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.queue import OutgoingEntry, Refusal, SendBatchResult
from shared.quotas import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence


def rejected(
    number: int = 1,
    body: str = CIVIC,
    reason: str | None = "no such order",
    envelope: str | None = None,
    **received: object,
) -> Attempt:
    """Return an attempt at a message that the handler has rejected."""
    each = msgspec.structs.replace(message(number, body), **received)
    delivery = Delivery(number, each, START, body, envelope)
    return Attempt(delivery, AttemptResult.REJECTED, reason, 0.1, START)


class Letters:
    """A queue of dead letters that notes its copies, and has prepared answers."""

    def __init__(self, url: str = "https://sqs.eu-west-1.amazonaws.com/1/dead") -> None:
        """Accept everything, until answers are prepared."""
        self.url = url
        self.batches: list[list[OutgoingEntry]] = []
        self.answers: list[Exception | tuple[Refusal, ...]] = []

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Note the copies; answer as prepared."""
        assert sum(size(each) for each in messages if isinstance(each, OutgoingEntry)) <= MAX_BYTES
        self.batches.append([each for each in messages if isinstance(each, OutgoingEntry)])
        answer = self.answers.pop(0) if self.answers else ()
        if isinstance(answer, Exception):
            raise answer
        refused = {refusal.index for refusal in answer}
        sent = {index: f"new-{index}" for index in range(len(messages)) if index not in refused}
        return SendBatchResult(sent, answer)


def test_a_copy_has_body_attributes_reason_and_the_messages_own_id() -> None:
    """Types and trace go along, too, so that a redriven copy is like the message."""
    attempt = rejected(
        attributes={"type": "order", "amount": "4.2"},
        attribute_types={"amount": "Number"},
        system={"MessageGroupId": "tenant-1", "AWSTraceHeader": "Root=1-2-3"},
    )
    assert copy_of(attempt, fifo=False) == OutgoingEntry(
        CIVIC,
        {
            "type": "order",
            "amount": "4.2",
            "tidemill.message_id": "id-1",
            "tidemill.reason": "no such order",
        },
        attribute_types={"amount": "Number"},
        group_id="tenant-1",
        trace_header="Root=1-2-3",
    )


def test_a_copy_that_is_rejected_again_has_the_new_reason() -> None:
    """A redriven copy carries the attributes of its first rejection."""
    before = {"tidemill.message_id": "id-0", "tidemill.reason": "an old one"}
    copied = copy_of(rejected(attributes=before), fifo=False)
    assert copied.attributes == {
        "tidemill.message_id": "id-1",
        "tidemill.reason": "no such order",
    }


@pytest.mark.parametrize(
    ("envelope", "first"),
    [
        pytest.param(None, "0 1 2 3 4 5 6 7 8 tidemill.message_id", id="sent with the message"),
        pytest.param(
            "sns", "tidemill.message_id tidemill.reason 0 1 2 3 4 5 6 7", id="in its envelope"
        ),
    ],
)
def test_a_copy_has_ten_attributes_at_most(envelope: str | None, first: str) -> None:
    """The message's own ones have precedence; those in an envelope are still in the body."""
    numbered = {str(number): "x" for number in range(9)}
    copied = copy_of(rejected(attributes=numbered, envelope=envelope), fifo=False)
    assert [*copied.attributes] == first.split()


@pytest.mark.parametrize(
    ("body", "names"),
    [
        pytest.param("x" * MAX_BYTES, [], id="not a byte left"),
        pytest.param("x" * (MAX_BYTES - 40), ["tidemill.message_id"], id="room for the id"),
        pytest.param("ä" * (MAX_BYTES // 2), [], id="counted in bytes"),
    ],
)
def test_a_copy_is_no_larger_than_sqs_accepts(body: str, names: list[str]) -> None:
    """The body goes in any case, attributes as far as there is room."""
    copied = copy_of(rejected(body=body), fifo=False)
    assert [*copied.attributes] == names
    assert size(copied) <= MAX_BYTES


@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        pytest.param("null\x00 and escape\x1b\ufffe", "null? and escape??", id="controls"),
        pytest.param("two\nlines 🚗", "two\nlines 🚗", id="what SQS accepts"),
        pytest.param("half \ud800", "half ?", id="half a character"),
        pytest.param("", "no reason", id="empty"),
        pytest.param(None, "no reason", id="none"),
    ],
)
def test_a_reason_has_only_characters_that_sqs_accepts(reason: str | None, sent: str) -> None:
    """A reason may quote the body, and SQS would refuse the copy."""
    assert copy_of(rejected(reason=reason), fifo=False).attributes["tidemill.reason"] == sent


def test_a_fifo_queue_gets_group_and_deduplication_ids() -> None:
    """The group stays, and a second copy of the same message is none."""
    letters = Letters("https://sqs.eu-west-1.amazonaws.com/1/dead.fifo")
    DeadLetterQueue(letters).send([rejected(1, system={"MessageGroupId": "VH1"}), rejected(2)])
    [[one, two]] = letters.batches
    assert (one.group_id, one.deduplication_id) == ("VH1", "id-1")
    assert (two.group_id, two.deduplication_id) == ("id-2", "id-2")


def test_copies_are_sent_in_batches_that_sqs_accepts() -> None:
    """A batch has ten messages and 1 MiB at most."""
    letters = Letters()
    attempts = [
        *[rejected(number) for number in range(12)],
        *[rejected(number, "x" * 600_000) for number in range(12, 14)],
    ]
    assert DeadLetterQueue(letters).send(attempts) == attempts
    assert [len(batch) for batch in letters.batches] == [10, 3, 1]


def test_nothing_to_copy_is_no_request() -> None:
    """SQS refuses an empty batch."""
    letters = Letters()
    assert DeadLetterQueue(letters).send([]) == []
    assert letters.batches == []


@pytest.mark.parametrize(
    ("answer", "arrived", "level"),
    [
        pytest.param(QueueUnavailableError("no answer"), [], "WARNING", id="no answer"),
        pytest.param(QueueRefusedError("no such queue"), [], "ERROR", id="no such queue"),
        pytest.param((Refusal(1, "Busy", "x", retry=True),), [0, 2], "WARNING", id="one, for now"),
        pytest.param((Refusal(1, "Bad", "x", retry=False),), [0, 2], "ERROR", id="one, for good"),
    ],
)
def test_a_copy_that_fails_leaves_its_message_for_a_retry(
    answer: Exception | tuple[Refusal, ...],
    arrived: list[int],
    level: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The consumer goes on; what only people can mend is an error, for which the alarm rings."""
    letters = Letters()
    letters.answers = [answer]
    attempts = [rejected(number) for number in range(3)]
    assert DeadLetterQueue(letters).send(attempts) == [attempts[index] for index in arrived]
    [record] = caplog.records
    assert record.levelname == level
    left = [f"id-{number}" for number in range(3) if number not in arrived]
    assert record.__dict__["fields"]["message_ids"] == left
