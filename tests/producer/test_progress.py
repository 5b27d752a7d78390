"""Tests of the progress display."""

from __future__ import annotations

import io

from producer.progress import EVERY, progress_on


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """Return True, as a terminal does."""
        return True


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        """Start at 0."""
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_without_a_terminal_there_is_a_line_now_and_then() -> None:
    """Without a terminal there is a line every ten seconds, with the total if it is known."""
    clock, stream = Clock(), io.StringIO()
    with progress_on(stream, 500, clock) as progress:
        progress.advance(10)
        clock.now += EVERY
        progress.advance(10)
        progress.advance(10)
        clock.now += EVERY
        progress.advance(10)

    assert stream.getvalue() == "20 of 500 messages done\n40 of 500 messages done\n"


def test_an_unknown_total_is_not_mentioned() -> None:
    """A pipe's total is unknown, so the line does not mention it."""
    clock, stream = Clock(), io.StringIO()
    with progress_on(stream, None, clock) as progress:
        clock.now += EVERY
        progress.advance(10)

    assert stream.getvalue() == "10 messages done\n"


def test_notes_appear_at_once_without_a_terminal() -> None:
    """Notes are written at once, not with the next line of progress."""
    stream = io.StringIO()
    with progress_on(stream, None, Clock()) as progress:
        progress.note("not sent: line 3: [bold]why[/bold]")

    assert stream.getvalue() == "not sent: line 3: [bold]why[/bold]\n"


def test_a_terminal_gets_a_bar_with_notes_as_they_stand() -> None:
    """Brackets in a note are text, not markup, and a long note is not broken up."""
    stream = Terminal()
    note = "not sent: [bold]why[/bold] [/] " + "x" * 200
    with progress_on(stream, 20, Clock()) as progress:
        progress.advance(10)
        progress.note(note)
        progress.advance(10)

    assert note in stream.getvalue()
    assert "20/20" in stream.getvalue()
