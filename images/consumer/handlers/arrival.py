"""A message on its way to a handler: plain values, which can cross a pipe between processes."""

from __future__ import annotations

import msgspec


class Arrival(msgspec.Struct, frozen=True, array_like=True):
    """A received message as the side that calls the handler knows it; times are epoch seconds.

    `body` is what the handler gets: the message's text, or what its envelope held. `receive_count`
    includes this receive. `deadline` is when the time limit ends.
    """

    message_id: str
    body: str
    receive_count: int
    sent_at: float
    received_at: float
    deadline: float
    attributes: dict[str, str | bytes] = {}
    system: dict[str, str] = {}
