"""A handler whose prints and log lines are captured while it runs in a thread of the consumer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.output.capture import Capture
from consumer.output.lines import encode_output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.handlers.arrival import Arrival
    from consumer.handlers.handler import Extend, Handler, HandlerKind
    from consumer.handlers.verdict import Verdict
    from consumer.output.lines import OutputLine
    from consumer.ports import Sink


class CapturedHandler:
    """A handler, with a capture that begins before it is loaded and ends with its shutdown."""

    def __init__(self, handler: Handler, capture: Capture) -> None:
        """Pass all calls on to this handler."""
        self._handler = handler
        self._capture = capture

    @property
    def kind(self) -> HandlerKind:
        """How it is called."""
        return self._handler.kind

    def startup(self) -> None:
        """Run the handler's own startup."""
        try:
            self._handler.startup()
        except BaseException:
            self._capture.restore()
            raise

    def shutdown(self) -> None:
        """Run the handler's own shutdown, and end the capture."""
        try:
            self._handler.shutdown()
        finally:
            self._capture.restore()

    def call(self, arrivals: Sequence[Arrival], extend: Extend) -> list[Verdict]:
        """Call the handler, and write what it has left without a line's end."""
        verdicts = self._handler.call(arrivals, extend)
        for arrival in arrivals:
            self._capture.end_message(arrival.message_id)
        return verdicts

    async def call_async(self, arrival: Arrival, extend: Extend) -> Verdict:
        """Call an async handler, and write what it has left without a line's end."""
        verdict = await self._handler.call_async(arrival, extend)
        self._capture.end_message(arrival.message_id)
        return verdict


def load_captured(load: Callable[[], Handler], sink: Sink, level: str, instance_id: str) -> Handler:
    """Load a handler; its lines go to the sink, from its module's import on.

    Raises:
        HandlerError: it cannot be loaded.
    """

    def emit(lines: list[OutputLine]) -> None:
        sink.write([encode_output(line, instance_id) for line in lines])

    capture = Capture(emit)
    capture.install(level)
    try:
        handler = load()
    except BaseException:
        capture.restore()
        raise
    capture.settle()
    return CapturedHandler(handler, capture)
