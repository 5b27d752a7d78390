"""Tests of the local endpoint that other tests rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.emulators.ministack import Ministack


def test_a_sent_message_is_received(ministack: Ministack) -> None:
    """The endpoint answers and its queues work."""
    url = ministack.create_queue("support-round-trip", {"VisibilityTimeout": "30"})
    with ministack.sqs() as client:
        client.send_message(QueueUrl=url, MessageBody="hello")

    assert url.startswith(ministack.endpoint)
    assert ministack.take_all(url) == ["hello"]
