"""Calls of handlers as a pool makes them: arrivals, and the verdicts on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.fakes.consuming import CIVIC, START

from consumer.handlers.arrival import Arrival
from consumer.handlers.loading import handler_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.handlers.verdict import Verdict


def arrival(
    body: str = CIVIC,
    number: int = 1,
    *,
    attributes: dict[str, str | bytes] | None = None,
    system: dict[str, str] | None = None,
) -> Arrival:
    """Build a message that was received at START, five seconds after it was sent."""
    return Arrival(
        message_id=f"id-{number}",
        body=body,
        receive_count=1,
        sent_at=START - 5,
        received_at=START,
        deadline=START + 30,
        attributes=attributes or {},
        system=system or {},
    )


def never_extended(_place: int, _seconds: float) -> None:
    """Fail: no test that passes this expects a handler to extend its time limit."""
    raise AssertionError


def verdicts(code: Callable[..., object] | type, *bodies: str) -> list[Verdict]:
    """Call a handler with messages of these bodies, numbered from 1, between its start and end."""
    handler = handler_of(code)
    handler.startup()
    try:
        arrivals = [arrival(body, number) for number, body in enumerate(bodies, start=1)]
        return handler.call(arrivals, never_extended)
    finally:
        handler.shutdown()


def verdict(code: Callable[..., object] | type, body: str = CIVIC) -> Verdict:
    """Call a handler with one message."""
    [only] = verdicts(code, body)
    return only
