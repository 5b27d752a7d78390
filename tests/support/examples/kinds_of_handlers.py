"""Handlers of other kinds than a plain function, for tests of worker processes."""

from __future__ import annotations

import asyncio
import time
from typing import Any


async def acts_async(body: dict[str, Any]) -> None:
    """Do what the body says in an event loop."""
    if body["do"] == "sleeps":
        await asyncio.sleep(body["with"])
    else:
        raise ValueError(body["do"])


def prints_slowly(body: dict[str, Any]) -> None:
    """Print the body's text in pieces, while other threads do the same."""
    for letter in body["with"]:
        print(letter, end="")  # noqa: T201 - handlers print
        time.sleep(0.05)


class FailsAtStartup:
    """A handler whose connection cannot be opened."""

    def startup(self) -> None:
        """Fail."""
        raise ConnectionError("no database")

    def handle(self, _body: dict[str, Any]) -> None:
        """Do nothing."""


class SaysGoodbye:
    """A handler that prints at both ends of its life."""

    def startup(self) -> None:
        """Print."""
        print("hello")  # noqa: T201 - handlers print

    def handle(self, _body: dict[str, Any]) -> None:
        """Do nothing."""

    def shutdown(self) -> None:
        """Print."""
        print("goodbye")  # noqa: T201 - handlers print


def prints_its_trace(_body: dict[str, Any]) -> None:
    """Print the trace of the span that is open, as a library of the handler's would see it."""
    from opentelemetry import trace  # noqa: PLC0415 - only one test needs it

    context = trace.get_current_span().get_span_context()
    print(f"{context.trace_id:032x}")  # noqa: T201 - handlers print
