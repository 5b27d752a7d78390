"""Progress: a bar on a terminal, a line every ten seconds anywhere else."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from producer.ports import Progress

EVERY: Final = 10.0
"""Seconds between two lines of progress."""

REDRAWS: Final = 4
"""Redraws of the bar per second: each costs as much as sending a few messages."""


class ProgressLines:
    """A display that writes a line every ten seconds, and notes at once."""

    def __init__(self, stream: TextIO, total: int | None, clock: Callable[[], float]) -> None:
        """Write to this stream; `total` is how many messages there will be, if known."""
        self._stream = stream
        self._total = "" if total is None else f" of {total}"
        self._clock = clock
        self._next = clock() + EVERY
        self._done = 0
        self._lock = Lock()

    def advance(self, messages: int) -> None:
        """Add to the number of messages that are sent or have failed."""
        with self._lock:
            self._done += messages
            if self._clock() >= self._next:
                self._next = self._clock() + EVERY
                self._write(f"{self._done}{self._total} messages done")

    def note(self, text: str) -> None:
        """Write the text as a line of its own."""
        with self._lock:
            self._write(text)

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


class ProgressBar:
    """A display that moves a bar on the terminal; notes appear above it."""

    def __init__(self, bar: RichProgress, task: TaskID) -> None:
        """Advance this task of this bar."""
        self._bar = bar
        self._task = task

    def advance(self, messages: int) -> None:
        """Add to the number of messages that are sent or have failed."""
        self._bar.advance(self._task, messages)

    def note(self, text: str) -> None:
        """Write the text above the bar, unchanged: brackets in it are not markup."""
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress_on(
    stream: TextIO, total: int | None, clock: Callable[[], float]
) -> Iterator[Progress]:
    """Provide the display that suits the stream; remove the bar from the screen at the end."""
    if not stream.isatty():
        yield ProgressLines(stream, total, clock)
        return
    # Imported here, so that a run without a terminal does not pay for it.
    from rich.console import Console  # noqa: PLC0415 - rich is slow to import
    from rich.progress import (  # noqa: PLC0415 - rich is slow to import
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(file=stream)
    with Progress(*columns, console=console, refresh_per_second=REDRAWS, transient=True) as bar:
        yield ProgressBar(bar, bar.add_task("sending", total=total))
