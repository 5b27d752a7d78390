"""A handler whose prints and log lines are captured while it runs in a thread of the consumer.

What C code or a program writes to standard output by itself goes to standard error meanwhile, where
it cannot be glued to the consumer's own lines: those go to a copy of standard output that was made
before. A pipe for it would need a thread to read it, which C code that prints would keep waiting.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from consumer.output.capture import Capture
from consumer.output.lines import encode_output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from consumer.handlers.arrival import Arrival
    from consumer.handlers.handler import Extend, Handler, HandlerKind
    from consumer.handlers.verdict import Verdict
    from consumer.output.lines import OutputLine
    from consumer.ports import Sink


class Captured:
    """The output of this process while a handler is loaded and runs in it."""

    def __init__(self, sink: Sink, instance_id: str) -> None:
        """Write lines to the sink."""
        self._sink = sink
        self._instance_id = instance_id
        self._capture = Capture(self._write)
        self._kept: int | None = None

    def begin(self, level: str) -> None:
        """Replace Python's streams, and the file below standard output."""
        self._capture.install(level)
        with suppress(OSError):  # one of the two is closed
            self._kept = os.dup(1)
            os.dup2(2, 1)

    def settle(self) -> None:
        """Take what the handler's module made of the streams as right."""
        self._capture.settle()

    def call(self) -> AbstractContextManager[None]:
        """Call the handler; what it did to the streams is undone when no other call is left."""
        return self._capture.call()

    def end_messages(self, arrivals: Sequence[Arrival]) -> None:
        """Write what these messages have left without a line's end."""
        for arrival in arrivals:
            self._capture.end_message(arrival.message_id)

    def end(self) -> None:
        """Put everything back."""
        self._capture.restore()
        if self._kept is not None:
            os.dup2(self._kept, 1)
            os.close(self._kept)
            self._kept = None

    def _write(self, lines: list[OutputLine]) -> None:
        with suppress(OSError):  # it ends the consumer at its own next line
            self._sink.write([encode_output(line, self._instance_id) for line in lines])


class CapturedHandler:
    """A handler, with a capture that begins before it is loaded and ends with its shutdown."""

    def __init__(self, handler: Handler, output: Captured) -> None:
        """Pass all calls on to this handler."""
        self._handler = handler
        self._output = output

    @property
    def kind(self) -> HandlerKind:
        """How it is called."""
        return self._handler.kind

    def startup(self) -> None:
        """Run the handler's own startup."""
        try:
            self._handler.startup()
        except BaseException:
            self._output.end()
            raise

    def shutdown(self) -> None:
        """Run the handler's own shutdown, and end the capture."""
        try:
            self._handler.shutdown()
        finally:
            self._output.end()

    def call(self, arrivals: Sequence[Arrival], extend: Extend) -> list[Verdict]:
        """Call the handler, and write what it has left without a line's end."""
        with self._output.call():
            verdicts = self._handler.call(arrivals, extend)
            self._output.end_messages(arrivals)
        return verdicts

    async def call_async(self, arrival: Arrival, extend: Extend) -> Verdict:
        """Call an async handler, and write what it has left without a line's end."""
        verdict = await self._handler.call_async(arrival, extend)
        self._output.end_messages([arrival])
        return verdict


def load_captured(load: Callable[[], Handler], sink: Sink, level: str, instance_id: str) -> Handler:
    """Load a handler; its lines go to the sink, from its module's import on.

    Raises:
        HandlerError: it cannot be loaded.
    """
    output = Captured(sink, instance_id)
    output.begin(level)
    try:
        handler = load()
    except BaseException:
        output.end()
        raise
    output.settle()
    return CapturedHandler(handler, output)
