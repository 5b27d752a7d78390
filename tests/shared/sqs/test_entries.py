"""Tests of answers that are wrong about single messages: entries of a batch, and MD5s."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.emulators.wrong_bench import BATCHES, CALLS, refusals
from support.emulators.wrong_server import a_message, change, say

from shared.sqs import wrong_answers as wrong
from shared.sqs.wrong_answers import Reaction

if TYPE_CHECKING:
    from support.emulators.wrong_bench import Bench

    from shared.sqs.wrong_answers import WrongAnswer

pytestmark = pytest.mark.impure


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("body", ["{}", '{"Successful": [{"Id": "0", "MessageId": "m"}]}'])
def test_silence_about_an_entry_is_no_success(bench: Bench, name: str, body: str) -> None:
    """A 200 that does not name an entry as successful leaves it undone, for another attempt."""
    found = refusals(CALLS[name](bench.behaving(say(200, body))))
    assert len(found) == 2 - ('"0"' in body)
    assert (found[-1].index, found[-1].retry, found[-1].answer_lost) == (1, True, True)
    assert found[-1].text == "SQS's answer does not name it"


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("index", ["7", "-1", "one", "", "01"])
def test_an_entry_that_was_not_asked_for_is_ignored(bench: Bench, name: str, index: str) -> None:
    """Neither success nor failure of other entries says anything about those of this batch."""
    done = {"Id": index, "MessageId": "m"}
    failed = {"Id": index, "Code": "InternalError", "SenderFault": False}
    body = json.dumps({"Successful": [done], "Failed": [failed]})
    found = refusals(CALLS[name](bench.behaving(say(200, body))))
    assert [(refusal.index, refusal.retry) for refusal in found] == [(0, True), (1, True)]


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize(
    ("code", "sender_fault", "kind"),
    [
        ("InternalError", False, wrong.ENTRY_LATER),
        ("KmsThrottled", True, wrong.ENTRY_LATER),
        ("KMS.ThrottlingException", True, wrong.ENTRY_LATER),
        ("OverLimit", True, wrong.ENTRY_LATER),
        ("AWS.SimpleQueueService.OverLimit", True, wrong.ENTRY_LATER),
        ("ThrottlingException", True, wrong.ENTRY_LATER),
        ("ReceiptHandleIsInvalid", True, wrong.ENTRY_REFUSED),
        ("InvalidParameterValue", True, wrong.ENTRY_REFUSED),
        ("SomethingNew", True, wrong.ENTRY_REFUSED),
    ],
)
def test_a_refused_entry_is_tried_again_if_that_helps(
    bench: Bench,
    name: str,
    code: str,
    sender_fault: bool,  # noqa: FBT001 - a table
    kind: WrongAnswer,
) -> None:
    """SQS calls some throttling the sender's fault, and it passes all the same."""
    failed = {"Id": "1", "Code": code, "SenderFault": sender_fault, "Message": "said so"}
    queue = bench.behaving(change(lambda answer: answer.update({"Failed": [failed]})))
    (refusal,) = refusals(CALLS[name](queue))
    assert (refusal.index, refusal.text) == (1, f"{code} said so")
    assert refusal.retry is (kind.reaction is Reaction.AGAIN)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"MD5OfBody": "0" * 32}, "its body differs from the MD5 that SQS gives"),
        ({"Body": "bodY"}, "its body differs from the MD5 that SQS gives"),
        (
            {
                "MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}},
                "MD5OfMessageAttributes": "0" * 32,
            },
            "its attributes differ from the MD5 that SQS gives",
        ),
        ({"MD5OfBody": None}, ""),
        ({"MD5OfMessageAttributes": None}, ""),
    ],
)
def test_a_message_that_is_not_what_was_sent_says_so(
    bench: Bench, changes: dict[str, Any], reason: str
) -> None:
    """The others of its receive are not concerned."""
    body = json.dumps({"Messages": [a_message(), a_message(**changes)]})
    whole, damaged = bench.behaving(say(200, body)).receive(10, 0, 30)
    assert whole.damage == ""
    assert damaged.damage == reason


def test_a_message_that_sqs_has_understood_otherwise_is_not_sent(bench: Bench) -> None:
    """It may be in the queue, as something else than what was sent."""
    queue = bench.behaving(
        change(lambda answer: answer["Successful"][1].update(MD5OfMessageBody="0" * 32))
    )
    result = queue.send(["one", "two", "three"])
    assert result.sent == {0: "id-0", 2: "id-2"}
    (refusal,) = result.refused
    assert (refusal.index, refusal.retry, refusal.answer_lost) == (1, True, True)
