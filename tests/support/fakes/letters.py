"""Two queues in virtual time, dead letters and target, whose calls can end the program."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.queue import OutgoingEntry, ReceivedMessage, Refusal, SendBatchResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

START: Final = 1_790_000_000.0
DEDUPLICATION: Final = 300.0
T = TypeVar("T")


class Killed(BaseException):
    """The program is killed: no call reaches SQS any more."""


class Mishap(StrEnum):
    """What happens at one call."""

    KILLED_BEFORE = "killed before SQS acts"
    KILLED_AFTER = "killed after SQS has acted"
    THROTTLED = "throttled"
    UNREACHED = "no answer, and SQS has not acted"
    LOST = "no answer, and SQS has acted"
    DENIED = "refused for good"


class Time:
    """Virtual time, which is a clock and a stop that nobody requests."""

    def __init__(self) -> None:
        """Begin at START."""
        self.now = START

    def time(self) -> float:
        """Return the time in epoch seconds."""
        return self.now

    def monotonic(self) -> float:
        """Return seconds."""
        return self.now

    def requested(self) -> bool:
        """Return whether a stop was requested."""
        return False

    def wait(self, seconds: float) -> bool:
        """Let time pass."""
        self.now += max(0.0, seconds)
        return False


@dataclass
class Calls:
    """Counts the calls of a program, and lets mishaps happen at some of them.

    After it was killed, every call is refused, as there is no program left that could make it.
    """

    mishaps: Mapping[int, Mishap] = field(default_factory=dict)
    count: int = 0
    dead: bool = False
    names: list[str] = field(default_factory=list)

    def make(self, name: str, act: Callable[[], T]) -> T:
        """Make one call."""
        if self.dead:
            raise Killed
        mishap = self.mishaps.get(self.count)
        self.count += 1
        self.names.append(name)
        match mishap:
            case None:
                return act()
            case Mishap.KILLED_BEFORE:
                self.dead = True
                raise Killed
            case Mishap.KILLED_AFTER:
                act()
                self.dead = True
                raise Killed
            case Mishap.THROTTLED:
                raise QueueUnavailableError("SQS asks to try later")
            case Mishap.UNREACHED:
                raise QueueUnavailableError("no answer", answer_lost=True)
            case Mishap.LOST:
                act()
                raise QueueUnavailableError("no answer", answer_lost=True)
            case Mishap.DENIED:
                raise QueueRefusedError("not allowed on queue dead")


@dataclass
class _Held:
    message: ReceivedMessage
    visible_at: float = 0.0
    receives: int = 0
    receipt: str = ""


class LetterStore:
    """One queue as SQS keeps it; a FIFO queue knows deduplication ids for five minutes.

    `refusals` are the reasons for which entries are refused, by body: one for each send.
    """

    def __init__(self, url: str, time: Time) -> None:
        """Begin without messages; the name says whether the queue is FIFO."""
        self.url = url
        self.fifo = url.endswith(".fifo")
        self.sent: list[OutgoingEntry] = []
        self.refusals: dict[str, list[Refusal]] = {}
        self._time = time
        self._messages: dict[str, _Held] = {}
        self._known: dict[str, tuple[float, str]] = {}
        self._count = 0

    @property
    def left(self) -> list[str]:
        """Return the ids of all messages, hidden ones too."""
        return list(self._messages)

    @property
    def visible(self) -> list[str]:
        """Return the ids of the messages that could be received now."""
        now = self._time.now
        return [name for name, held in self._messages.items() if held.visible_at <= now]

    @property
    def bodies(self) -> list[str]:
        """Return the bodies, in order."""
        return [held.message.body for held in self._messages.values()]

    def receives_of(self, name: str) -> int:
        """Return how often a message was received."""
        return self._messages[name].receives

    def put(self, message: ReceivedMessage) -> None:
        """Keep a message."""
        self._messages[message.message_id] = _Held(message)

    def take(self, entry: OutgoingEntry) -> str:
        """Accept a message that is sent; return its new id, or that of the one known already."""
        name = entry.deduplication_id
        if self.fifo:
            assert entry.group_id
            assert name
            at, known = self._known.get(name, (0.0, ""))
            if self._time.now - at < DEDUPLICATION:
                return known
        self._count += 1
        new = f"new-{self._count}"
        if name:
            self._known[name] = self._time.now, new
        system = {"MessageGroupId": entry.group_id} if entry.group_id else {}
        self.sent.append(entry)
        self.put(
            ReceivedMessage(new, "", entry.body, 0, self._time.now, entry.attributes, system=system)
        )
        return new

    def receive(self, limit: int, seconds: int) -> list[ReceivedMessage]:
        """Return messages, and hide them."""
        now = self._time.now
        blocked = {
            held.message.group_id
            for held in self._messages.values()
            if self.fifo and held.visible_at > now
        }
        found: list[ReceivedMessage] = []
        for held in self._messages.values():
            if len(found) == limit or held.visible_at > now or held.message.group_id in blocked:
                continue
            held.receives += 1
            held.visible_at = now + seconds
            held.receipt = f"{held.message.message_id}#{held.receives}"
            found.append(
                ReceivedMessage(
                    held.message.message_id,
                    held.receipt,
                    held.message.body,
                    held.receives,
                    held.message.sent_at,
                    held.message.attributes,
                    held.message.attribute_types,
                    held.message.system,
                    held.message.damage,
                )
            )
        return found

    def delete(self, receipt: str) -> bool:
        """Delete a message; a FIFO queue refuses a receipt whose time is over."""
        name, _, _ = receipt.partition("#")
        held = self._messages.get(name)
        if held is None:
            return True
        if self.fifo and (held.receipt != receipt or held.visible_at <= self._time.now):
            return False
        del self._messages[name]
        return True

    def change(self, receipt: str, seconds: int) -> None:
        """Make a message visible after some seconds."""
        held = self._messages.get(receipt.partition("#")[0])
        if held is not None and held.receipt == receipt:
            held.visible_at = self._time.now + seconds


class Caller:
    """A queue as one program sees it: each of its calls is counted."""

    def __init__(self, store: LetterStore, calls: Calls) -> None:
        """Call this queue."""
        self._store = store
        self._calls = calls
        self.url, self.fifo = store.url, store.fifo

    def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int
    ) -> list[ReceivedMessage]:
        """Receive messages."""
        assert wait_seconds > 0, "a short poll may miss messages"
        return self._calls.make("receive", lambda: self._store.receive(limit, visibility_seconds))

    def delete(self, receipts: Sequence[str]) -> tuple[Refusal, ...]:
        """Delete messages."""

        def act() -> tuple[Refusal, ...]:
            done = [self._store.delete(receipt) for receipt in receipts]
            return tuple(
                Refusal(index, "ReceiptHandleIsInvalid", "expired", retry=False)
                for index, deleted in enumerate(done)
                if not deleted
            )

        return self._calls.make("delete", act)

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Change when messages are visible."""

        def act() -> tuple[Refusal, ...]:
            for receipt, seconds in changes:
                self._store.change(receipt, seconds)
            return ()

        return self._calls.make("change visibility", act)

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Send messages; those whose refusal is prepared are refused."""

        def act() -> SendBatchResult:
            sent: dict[int, str] = {}
            refused: list[Refusal] = []
            for index, message in enumerate(messages):
                assert isinstance(message, OutgoingEntry)
                if prepared := self._store.refusals.get(message.body):
                    one = prepared.pop(0)
                    refused.append(Refusal(index, one.code, one.reason, one.retry, one.answer_lost))
                    if one.answer_lost:
                        self._store.take(message)
                else:
                    sent[index] = self._store.take(message)
            return SendBatchResult(sent, tuple(refused))

        return self._calls.make("send", act)
