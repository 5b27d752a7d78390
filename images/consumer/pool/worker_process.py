"""One worker process as the consumer sees it: what it has in hand, says and needs."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from consumer.output.lines import RawLines
from consumer.pool.frames import (
    READ_BYTES,
    Answer,
    Close,
    Closed,
    FrameReader,
    Hand,
    Output,
    Ping,
    Progress,
    Ready,
    Refused,
    Report,
    encode,
)
from consumer.pool.in_hand import InHand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.delivery import Delivery
    from consumer.output.lines import OutputLine
    from consumer.pool.frames import Order, Row
    from consumer.pool.spawning import Spawned

STACKS_BYTES: Final = 16_000
"""Bytes of stacks that are kept: the first threads of a process with many."""

MOST_READS: Final = 256
"""Reads of a dead process's pipe: what has outlived the process may write to it for ever."""

_decoder = msgspec.msgpack.Decoder(Report)


class WorkerProcess:
    """A worker process; only one thread at a time may use it."""

    def __init__(self, spawned: Spawned, first: Order) -> None:
        """Send its first order to a process that was just started."""
        self.spawned = spawned
        self.hands = InHand(spawned.page)
        self.kind: str | None = None  # None until its handler is ready
        self.refused: str | None = None
        self.closed = False  # the handler is shut down
        self.alone = False  # has a message that must be the only one
        self.kill_at: float | None = None  # a message is beyond its limit
        self.silent = False  # its pipe for reports is closed: it has ended, or will soon
        self.garbled = False  # something else than frames came through that pipe
        self.killed = False
        self.killed_for: frozenset[int] = frozenset()  # slots beyond their limits
        self.had_answered = False  # the last ping before it was killed
        self._reader = FrameReader()
        self._raw = {
            spawned.outputs[0]: RawLines("stdout"),
            spawned.outputs[1]: RawLines("stderr"),
        }
        self._stacks = b""
        self._outgoing = bytearray()
        self._pings = 0
        self.send(first)

    # what it is given

    def send(self, order: Order) -> None:
        """Send an order, as far as the pipe takes it now; `flush` sends the rest."""
        data = encode(order)
        if not self._outgoing:
            with suppress(BlockingIOError, BrokenPipeError):
                data = data[os.write(self.spawned.orders, data) :]
        self._outgoing += data

    def flush(self) -> None:
        """Send what the pipe did not take before."""
        with suppress(BlockingIOError, BrokenPipeError):
            while self._outgoing:
                del self._outgoing[: os.write(self.spawned.orders, self._outgoing)]

    @property
    def unsent(self) -> bool:
        """Return whether something waits for the pipe."""
        return bool(self._outgoing)

    def hand(self, deliveries: Sequence[Delivery], now: float, *, together: bool) -> None:
        """Hand deliveries over: for one call of the handler together, or for one each."""
        slots = self.hands.add(deliveries, now, together=together)
        self.send(Hand(slots, [_row(delivery) for delivery in deliveries]))

    def close(self) -> None:
        """Let it finish what it has, shut down and exit."""
        self.send(Close())

    def ask_for_stacks(self) -> None:
        """Let it write the stacks of its threads, and answer a ping if it can."""
        self._pings += 1
        self.send(Ping(self._pings))
        with suppress(ProcessLookupError):
            os.kill(self.spawned.pid, signal.SIGUSR1)

    def kill(self) -> None:
        """Kill it with all that it has started."""
        self.killed = True
        self.spawned.kill()

    # what it says

    def read(self, file: int, now: float) -> tuple[bool, list[OutputLine]]:
        """Read one of its pipes; return whether the pipe is still open, and what was printed."""
        try:
            data = os.read(file, READ_BYTES)
        except BlockingIOError:
            return True, []
        if file == self.spawned.reports:
            return self._read_reports(data)
        if file == self.spawned.stacks:
            self._stacks = (self._stacks + data)[:STACKS_BYTES]
            return bool(data), []
        raw = self._raw[file]
        if not data:
            return False, raw.flush(now)
        return True, raw.feed(data, now, self.hands.only())

    def read_all(self, now: float) -> list[OutputLine]:
        """Read what is left in all pipes, once the process is dead."""
        lines: list[OutputLine] = []
        for file in self.spawned.readable:
            for _ in range(MOST_READS):
                before = len(self._stacks)
                is_open, printed = self.read(file, now)
                lines += printed
                if not is_open or not (printed or len(self._stacks) > before):
                    break
        return lines + self.end_lines(now)

    def end_lines(self, now: float) -> list[OutputLine]:
        """Return the lines that were begun."""
        return [line for raw in self._raw.values() for line in raw.flush(now)]

    def take_stacks(self) -> str | None:
        """Return the stacks that it wrote since the last time."""
        stacks, self._stacks = self._stacks.decode(errors="replace").strip(), b""
        return stacks or None

    def _read_reports(self, data: bytes) -> tuple[bool, list[OutputLine]]:
        """Take reports; a process whose pipe a handler has written to is of no use any more."""
        self.silent = not data
        try:
            return bool(data), self._on_reports(data)
        except msgspec.DecodeError:
            self.silent = self.garbled = True
            self.spawned.kill()  # not `self.kill`: what ends it is the handler
            return False, []

    def _on_reports(self, data: bytes) -> list[OutputLine]:
        lines: list[OutputLine] = []
        for content in self._reader.feed(data):
            match _decoder.decode(content):
                case Answer(slot, verdict):
                    self.hands.answer(slot, verdict)
                case Output(printed):
                    lines += printed
                case Ready(kind):
                    self.kind = kind
                case Refused(why):
                    self.refused = why
                case Closed():
                    self.closed = True
                case Progress():
                    pass
        return lines

    @property
    def answered(self) -> bool:
        """Return whether it has answered the last ping."""
        return self.spawned.page.last_pong() == self._pings


def _row(delivery: Delivery) -> Row:
    received = delivery.received
    return (
        received.message_id,
        delivery.body,
        received.receive_count,
        received.sent_at,
        delivery.received_at,
        received.attributes,
        received.system,
    )
