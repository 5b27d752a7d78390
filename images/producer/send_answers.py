"""Send answers: what one attempt did to each message of a batch, and the pause before the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from producer.messages.outgoing_message import OutgoingMessage
    from shared.queue import SendBatchResult

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 20.0
"""Seconds, the longest pause of AWS's SDKs ("Retry behavior", AWS SDKs and Tools guide)."""

UNMENTIONED: Final = "SQS's answer does not mention it"


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
    """Messages of one attempt: accepted, with SQS's id; refused or to retry, with the reason."""

    accepted: list[tuple[OutgoingMessage, str]]
    refused: list[tuple[OutgoingMessage, str]]
    retry: list[tuple[OutgoingMessage, str]]


def sort_result(messages: Sequence[OutgoingMessage], result: SendBatchResult) -> SortedResult:
    """Sort a batch's messages into accepted ones, refused ones, and ones to retry.

    A message that SQS's answer does not mention is one to retry.
    """
    by_result = SortedResult(
        [(messages[i], message_id) for i, message_id in result.sent.items()], [], []
    )
    refusals = {refusal.index: refusal for refusal in result.refused}
    if len(result.sent) < len(messages):
        for index, message in enumerate(messages):
            if refusal := refusals.get(index):
                target = by_result.retry if refusal.retry else by_result.refused
                target.append((message, f"{refusal.code} {refusal.reason}".rstrip()))
            elif index not in result.sent:
                by_result.retry.append((message, UNMENTIONED))
    return by_result


def out_of_order(by_result: SortedResult) -> Iterator[OutgoingMessage]:
    """Yield the messages to retry of which later ones of the same group were accepted.

    SQS decides about each entry of a batch by itself, so this cannot be prevented.
    """
    for message, _ in by_result.retry:
        if any(
            later.group_id == message.group_id and later.number > message.number
            for later, _ in by_result.accepted
        ):
            yield message


def pause_before(attempt: int, rng: Random) -> float:
    """Return the seconds to wait before this attempt (2 is the first retry).

    The pause is random, between 0 and a limit that doubles each time: 0.5, 1, 2, ... up to 20
    seconds. The AWS Architecture Blog calls this "full jitter" ("Exponential Backoff And Jitter").
    """
    return rng.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 2)))
