"""Tests of the output of handlers in threads of the consumer."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from consumer.output.redirection import Redirection

if TYPE_CHECKING:
    import pytest


class Lines:
    """A sink that keeps lines."""

    def __init__(self) -> None:
        """Start without lines."""
        self.written: list[dict[str, Any]] = []

    def write(self, lines: list[bytes]) -> None:
        """Keep them."""
        self.written += [json.loads(line) for line in lines]


def test_what_is_printed_and_logged_becomes_lines(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Through Python and around it; afterwards the streams are what they were."""
    sink = Lines()
    redirection = Redirection(sink, "INFO", "i-0123")
    before, handlers = sys.stdout, logging.getLogger().handlers
    redirection.start()
    print("printed", end="")  # noqa: T201 - handlers print
    os.write(1, b"written without an end")
    logging.getLogger("mine").warning("logged %s", "well")
    redirection.stop()
    redirection.stop()
    assert sorted(line["text"] for line in sink.written) == [
        "logged well",
        "printed",
        "written without an end",
    ]
    assert sys.stdout is before
    assert logging.getLogger().handlers == handlers
    os.write(1, b"free again\n")
    assert capfd.readouterr().out == "free again\n"


def test_closing_the_streams_silences_nobody() -> None:
    """They belong to all handlers."""
    sink = Lines()
    redirection = Redirection(sink, "INFO", "i-0123")
    redirection.start()
    sys.stdout.close()
    print("still here")  # noqa: T201 - handlers print
    redirection.stop()
    assert [line["text"] for line in sink.written] == ["still here"]
