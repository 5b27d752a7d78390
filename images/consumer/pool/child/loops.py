"""The loops of a worker process: one message after another, or several at once in threads.

An async handler brings an event loop of its own, in which its calls run while threads wait.
"""

from __future__ import annotations

import os
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

import msgspec

from consumer.handlers.handler import HandlerKind
from consumer.pool.child.setup import PARENT_GONE
from consumer.pool.child.work import Progressing
from consumer.pool.frames import READ_BYTES, Close, FrameReader, Hand, Order, Ping, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.output.capture import Capture
    from consumer.pool.child.work import Reports, Work
    from consumer.pool.page import Page

_decoder = msgspec.msgpack.Decoder(Order)


class Inbox:
    """The pipe with the consumer's orders."""

    def __init__(self, file: int) -> None:
        """Read from this pipe."""
        self.file = file
        self._reader = FrameReader()

    def read(self) -> list[Order]:
        """Wait for at least some bytes; return the orders that they complete."""
        try:
            data = os.read(self.file, READ_BYTES)
        except OSError:  # a handler has closed the pipe
            data = b""
        if not data:
            os._exit(PARENT_GONE)
        return [_decoder.decode(content) for content in self._reader.feed(data)]

    def orders(self) -> Iterator[Order]:
        """Yield orders for ever."""
        while True:
            yield from self.read()


class Loop:
    """Receives messages, has them handled, and reports when a frame of them is finished."""

    def __init__(
        self, inbox: Inbox, work: Work, reports: Reports, page: Page, capture: Capture
    ) -> None:
        """Run until the consumer says that nothing more comes."""
        self._capture = capture
        self._inbox = inbox
        self._work = work
        self._reports = reports
        self._page = page

    def hands(self) -> Iterator[Hand]:
        """Yield frames of messages until the last one."""
        for order in self._inbox.orders():
            match order:
                case Hand():
                    yield order
                case Ping(number):
                    self._page.pong(number)
                case Close():
                    return

    def one_at_a_time(self) -> None:
        """Handle messages in the main thread, where handlers may use signals and fork."""
        whole = self._work.handler.kind is HandlerKind.BATCH
        capture = self._capture
        for hand in self.hands():
            if whole:
                self._work.call(hand.slots, hand.rows)
            else:
                for slot, row in zip(hand.slots, hand.rows, strict=True):
                    capture.sole = row
                    self._work.call_one(slot, row)
                    capture.repair()
                capture.sole = None
            capture.repair_files()
            self._reports.send(Progress())

    def in_threads(self, count: int) -> None:
        """Handle messages in this many threads, while the main thread reads."""
        calls: SimpleQueue[tuple[Progressing, Hand] | None] = SimpleQueue()
        threads = [
            threading.Thread(target=self._thread, args=(calls,), name=f"handler-{n}", daemon=True)
            for n in range(count)
        ]
        for thread in threads:
            thread.start()
        whole = self._work.handler.kind is HandlerKind.BATCH
        for hand in self.hands():
            if whole:
                calls.put((Progressing(self._reports, 1), hand))
                continue
            progress = Progressing(self._reports, len(hand.slots))
            for slot, row in zip(hand.slots, hand.rows, strict=True):
                calls.put((progress, Hand([slot], [row])))
        for _ in threads:
            calls.put(None)
        for thread in threads:
            thread.join()

    def _thread(self, calls: SimpleQueue[tuple[Progressing, Hand] | None]) -> None:
        while call := calls.get():
            progress, hand = call
            with self._capture.call():
                self._work.call(hand.slots, hand.rows)
            progress.finished()
