"""A queue and instances in virtual time, with moments and lines as the product's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tidemill.scaling.loop import Booted, HookCompleted, Vanished
from tidemill.scaling.metrics.queue import QueueSample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tidemill.scaling.loop import InstanceEvent
    from tidemill.scaling.spec import Fleet

POLL = 10
"""Messages of one poll."""

RETRY = 30.0
PAUSE = 60.0


@dataclass
class Message:
    """A message: hidden until a time, and received so many times."""

    id: str
    body: str
    hidden_until: float = 0.0
    receives: int = 0

    @property
    def valid(self) -> bool:
        """Return whether a worker can process it."""
        return self.body.startswith("{")


@dataclass
class LivingInstance:
    """An instance; its moments in epoch seconds, `drains_at` once it is to be terminated."""

    launch_time: float
    running: float
    user_data: float
    started: float
    next_poll: float
    held: list[Message] = field(default_factory=list)
    handled_at: float = 0.0
    drains_at: float | None = None
    announced: bool = False
    ended: bool = False


@dataclass
class LivingWorld:
    """The queue and the instances; every time in seconds.

    Attributes:
        fleet: the fleet, whose queue has the limits.
        now: the present time.
        pending: from launch to running.
        boot: from running to the consumer's first line.
        handling: how long the messages of a poll are in flight.
        drains: whether a worker completes its hook.
        returns: whether a worker returns or finishes what it holds when it drains.
        works: whether a worker receives messages.
        survives: whether a rebooted worker starts again.
        replaced: the text that a message gets instead of its own, if it is set.
        logs: whether lines reach CloudWatch Logs.
    """

    fleet: Fleet
    now: float
    pending: float = 5.0
    boot: float = 45.0
    handling: float = 2.0
    drains: bool = True
    returns: bool = True
    works: bool = True
    survives: bool = True
    logs: bool = True
    replaced: str | None = None
    messages: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    died_at: list[float] = field(default_factory=list)
    instances: dict[str, LivingInstance] = field(default_factory=dict)
    due: list[tuple[float, InstanceEvent]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    boot_log: list[dict[str, Any]] = field(default_factory=list)
    stack_deleted: float | None = None
    sent: int = 0
    accessed: bool = True

    def send(self, body: str) -> str:
        """Send a message and return its id."""
        self.sent += 1
        self.accessed = True
        self.messages.append(Message(f"m-{self.sent}", self.replaced or body))
        return f"m-{self.sent}"

    def waiting(self, *, visible: bool) -> list[Message]:
        """Return the messages that can be received, or the others."""
        return [one for one in self.messages if (one.hidden_until <= self.now) is visible]

    def dead_since(self, moment: float) -> bool:
        """Return whether a dead letter is there, and was at this moment."""
        return bool(self.dead) and self.died_at[-1] <= moment

    def sample(self) -> QueueSample:
        """Return the counts."""
        counts = len(self.waiting(visible=True)), len(self.waiting(visible=False))
        sample = QueueSample(*counts, accessed=self.accessed)
        self.accessed = True  # the stack's schedule keeps it active
        return sample

    def launch(self, instance: str) -> None:
        """Launch an instance."""
        launch_time = self.now + 2
        running = launch_time + self.pending
        user_data = running + 14
        started = running + self.boot
        self.instances[instance] = LivingInstance(
            launch_time, running, user_data, started, started + 1
        )
        self.due.append((running + 1, Booted(instance)))
        at = datetime.fromtimestamp(user_data, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
        text = f"Cloud-init v. 22.2.2 running 'modules:final' at {at}. Up 14.85 seconds."
        event = {"timestamp": int(started * 1000), "message": text}
        self.boot_log.append(event | {"logStreamName": f"{instance}/boot"})
        self.lines.append({"at": started, "event": "started", "instance_id": instance})

    def stop(self, instance: str) -> None:
        """Refuse warm pools: the product has none."""
        raise NotImplementedError(instance)

    def drain(self, instance: str) -> None:
        """Let an instance notice, some seconds later, that it is to be terminated."""
        one = self.instances[instance]
        one.drains_at = max(self.now + 3, one.started + 10)

    def terminate(self, instance: str) -> None:
        """End an instance."""
        self.due.append((self.now + 45, Vanished(instance, "terminated")))

    def reboot(self, instance: str) -> None:
        """Reboot an instance."""
        one = self.instances[instance]
        one.next_poll = float("inf")
        if self.survives:
            one.started = self.now + 40
            one.next_poll = one.started + 1
            self.lines.append({"at": one.started, "event": "started", "instance_id": instance})

    def events(self) -> Iterable[InstanceEvent]:
        """Return the events that are due."""
        ready = [event for at, event in self.due if at <= self.now]
        self.due = [(at, event) for at, event in self.due if at > self.now]
        for event in ready:
            if isinstance(event, Vanished):
                self.instances.pop(event.instance, None)
        return ready

    def work(self) -> None:
        """Let every instance do what is due now."""
        for name, one in self.instances.items():
            if one.ended or self.now < one.started:
                continue
            if one.held and self.now >= one.handled_at:
                self._finish(name, one)
            if one.drains_at is not None and self.now >= one.drains_at:
                self._drain(name, one)
            elif self.works and not one.held and self.now >= one.next_poll:
                self._receive(one)

    def _receive(self, one: LivingInstance) -> None:
        one.held = self.waiting(visible=True)[:POLL]
        for message in one.held:
            message.hidden_until = self.now + self.fleet.queue.visibility_timeout
            message.receives += 1
        one.handled_at = self.now + self.handling
        one.next_poll = self.now + PAUSE

    def _finish(self, name: str, one: LivingInstance) -> None:
        for message in one.held:
            outcome = "processed" if message.valid else "invalid"
            line = {"event": "message", "outcome": outcome, "message_id": message.id}
            self.lines.append({"at": self.now, "instance_id": name, **line})
            if message.valid:
                self.messages.remove(message)
            elif message.receives >= (self.fleet.queue.max_receive_count or 1):
                self.messages.remove(message)
                self.dead.append(message)
                self.died_at.append(self.now)
            else:
                message.hidden_until = self.now + RETRY
        one.held = []
        self.lines.append({"at": self.now, "event": "cycle", "instance_id": name})

    def _drain(self, name: str, one: LivingInstance) -> None:
        if not one.announced:
            one.announced = True
            self.lines.append({"at": self.now, "event": "stopping", "instance_id": name})
            if not self.returns:
                one.held, one.ended = [], True
        if not one.held and self.drains:
            one.ended = True
            self.lines.append({"at": self.now + 1, "event": "stopped", "instance_id": name})
            self.due.append((self.now + 2, HookCompleted(name)))

    def worker_log(self) -> list[dict[str, Any]]:
        """Return the lines in CloudWatch Logs, which they reach after five seconds."""
        return list(self._worker_log()) if self.logs else []

    def _worker_log(self) -> Iterator[dict[str, Any]]:
        for line in self.lines:
            if line["at"] + 5 <= self.now:
                time = datetime.fromtimestamp(line["at"], UTC).isoformat()
                text = json.dumps({**line, "time": time})
                stream = line["instance_id"]
                yield {
                    "timestamp": int(line["at"] * 1000),
                    "message": text,
                    "logStreamName": stream,
                }
