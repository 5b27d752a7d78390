"""Send answers: what one attempt did to each message of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from producer.messages.outgoing_message import OutgoingMessage
    from shared.queue import SendBatchResult


@dataclass(slots=True)
class Waiting:
    """A message without an answer that settles it.

    `answer_lost`: an earlier request got no answer, so that SQS may have accepted it already.
    """

    message: OutgoingMessage
    answer_lost: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SortedResult:
    """Messages of one attempt: accepted, with SQS's id; refused or to retry, with the reason.

    Those to retry are `Waiting`, since SQS may have accepted some of them.
    """

    accepted: list[tuple[OutgoingMessage, str]]
    refused: list[tuple[OutgoingMessage, str]]
    retry: list[Waiting]


def sort_result(messages: Sequence[OutgoingMessage], result: SendBatchResult) -> SortedResult:
    """Sort a batch's messages into accepted ones, refused ones, and ones to retry."""
    by_result = SortedResult(
        [(messages[i], message_id) for i, message_id in result.sent.items()], [], []
    )
    for refusal in result.refused:
        message = messages[refusal.index]
        if refusal.retry:
            by_result.retry.append(Waiting(message, refusal.answer_lost, refusal.text))
        else:
            by_result.refused.append((message, refusal.text))
    return by_result


def out_of_order(by_result: SortedResult) -> Iterator[OutgoingMessage]:
    """Yield the messages to retry of which later ones of the same group were accepted.

    SQS decides about each entry of a batch by itself, so this cannot be prevented.
    """
    for message in (waiting.message for waiting in by_result.retry):
        if any(
            later.group_id == message.group_id and later.number > message.number
            for later, _ in by_result.accepted
        ):
            yield message
