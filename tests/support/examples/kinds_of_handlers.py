"""Handlers of other kinds than a plain function, for tests of worker processes."""

from __future__ import annotations

import asyncio
import logging
import sys
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


class Price(float):
    """A number of its own class, such as those of numpy."""


class Safe(str):
    """A text of its own class, such as those of template engines."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return itself, not a plain text."""
        return self

    def __radd__(self, other: str) -> Safe:
        """Return its own class for sums, too."""
        return Safe(f"{other}{self:s}")


def logs_values_of_other_classes(_: dict[str, Any]) -> None:
    """Log and print numbers and texts that are not exactly Python's own."""
    logging.getLogger("mine").info(Safe("safe"), extra={"price": Price(1.5), "shop": Safe("north")})
    sys.stdout.write(Safe("printed\n"))
