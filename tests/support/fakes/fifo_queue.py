"""A FIFO queue in virtual time: groups, visibility, receive counts and dead letters, as on SQS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.queue import ReceivedMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.fakes.consuming import FakeClock


@dataclass(slots=True)
class _Message:
    name: str
    group: str
    receives: int = 0
    visible_at: float = 0.0


@dataclass(slots=True)
class FifoQueue:
    """Messages in their order; one received `most_receives` times is dead at its next receive.

    With `whole_groups` a message that is hidden blocks its whole group, as the API reference reads.
    Otherwise it blocks what is behind it, as LocalStack imitates it.
    """

    clock: FakeClock
    most_receives: int
    whole_groups: bool
    messages: list[_Message] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    receives: dict[str, int] = field(default_factory=dict)

    def send(self, names: Sequence[str]) -> None:
        """Send messages; the first letter is the group."""
        self.messages += [_Message(name, name[0]) for name in names]

    def receive(self, limit: int, visibility: float) -> list[ReceivedMessage]:
        """Receive up to `limit` messages."""
        now = self.clock.monotonic()
        blocked: set[str] = set()
        if self.whole_groups:
            blocked = {one.group for one in self.messages if one.visible_at > now}
        received: list[ReceivedMessage] = []
        for one in list(self.messages):
            if one.visible_at > now:
                blocked.add(one.group)
            if one.group in blocked or len(received) == limit:
                continue
            if one.receives >= self.most_receives:
                self.messages.remove(one)
                self.dead.append(one.name)
                continue
            one.receives += 1
            one.visible_at = now + visibility
            self.receives[one.name] = one.receives
            system = {"MessageGroupId": one.group}
            received.append(
                ReceivedMessage(one.name, one.name, "{}", one.receives, 0.0, system=system)
            )
        return received

    def delete(self, name: str) -> None:
        """Delete a message."""
        self.messages = [one for one in self.messages if one.name != name]

    def hide(self, name: str, seconds: float) -> None:
        """Make a message visible again after some seconds."""
        for one in self.messages:
            if one.name == name:
                one.visible_at = self.clock.monotonic() + seconds
