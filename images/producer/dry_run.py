"""Dry run: a destination that prints messages instead of sending them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from producer.messages.csv_reader import typed
from shared.logs import encode_line
from shared.queue import OutgoingEntry, SendBatchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.logs import LineStream


class Printer:
    """A destination that writes each message as a line and accepts it.

    A message with attributes or groups is written as `--with-attributes` reads it.
    """

    def __init__(self, stream: LineStream) -> None:
        """Write to this stream."""
        self._stream = stream

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Write the messages; return empty message ids."""
        self._stream.write([_line(message) for message in messages])
        return SendBatchResult(dict.fromkeys(range(len(messages)), ""), ())


def _line(message: str | OutgoingEntry) -> bytes:
    if isinstance(message, str):
        return message.encode()
    fields: dict[str, Any] = {"body": _body(message.body)}
    if message.attributes:
        fields["attributes"] = {
            name: typed(str(value)) if name in message.attribute_types else value
            for name, value in message.attributes.items()
        }
    if message.group_id is not None:
        fields["groupId"] = message.group_id
    if message.deduplication_id is not None:
        fields["deduplicationId"] = message.deduplication_id
    return encode_line(fields)


def _body(body: str) -> object:
    """Return a JSON body as it is; a text, which may be JSON's as well, as a text."""
    try:
        is_text = isinstance(msgspec.json.decode(body), str)
    except msgspec.DecodeError:
        is_text = True
    return body if is_text else msgspec.Raw(body.encode())
