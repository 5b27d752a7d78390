"""A queue and instances in virtual time, and a run of the loop over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tidemill.scaling.driver import drive
from tidemill.scaling.facts import AlarmChanged, DesiredChanged, InstanceChanged, PolicyHeld
from tidemill.scaling.loop import Booted, HookCompleted, Vanished, begin
from tidemill.scaling.metrics.queue import QueueSample
from tidemill.scaling.ports import Ports

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar

    from tidemill.scaling.facts import Fact
    from tidemill.scaling.loop import InstanceEvent, LoopMemory, Turn
    from tidemill.scaling.spec import Fleet

    Kind = TypeVar("Kind", bound=Fact)

START = 1_750_000_020.0  # a whole minute
MINUTE = 60


@dataclass
class FakeQueue:
    """A queue that counts its messages."""

    visible: int = 0
    in_flight: int = 0
    accessed: bool = False

    def sample(self) -> QueueSample:
        """Return the counts, and mark the queue as not accessed."""
        sample = QueueSample(self.visible, self.in_flight, accessed=self.accessed)
        self.accessed = False
        return sample


@dataclass
class FakeWorld:
    """Instances that boot, process `rate` messages a second each, and drain; times in seconds.

    With `drain_seconds` None nothing ever completes a hook.
    """

    queue: FakeQueue
    boot_seconds: float = 30
    drain_seconds: float | None = 10
    rate: int = 1
    now: float = START
    running: set[str] = field(default_factory=set)
    orders: list[tuple[str, str]] = field(default_factory=list)
    due: list[tuple[float, InstanceEvent]] = field(default_factory=list)

    def launch(self, instance: str) -> None:
        """Boot an instance."""
        self.orders.append(("launch", instance))
        self.due.append((self.now + self.boot_seconds, Booted(instance)))

    def stop(self, instance: str) -> None:
        """Stop an instance, until it is launched again."""
        self.orders.append(("stop", instance))
        self.running.discard(instance)

    def drain(self, instance: str) -> None:
        """Stop an instance's work, and complete its hook after its drain time."""
        self.orders.append(("drain", instance))
        self.running.discard(instance)
        if self.drain_seconds is not None:
            self.due.append((self.now + self.drain_seconds, HookCompleted(instance)))

    def terminate(self, instance: str) -> None:
        """End an instance; the next observation does not have it."""
        self.orders.append(("terminate", instance))
        self.vanish(instance, "terminated")

    def vanish(self, instance: str, detail: str = "spot interruption") -> None:
        """Remove an instance without an order."""
        self.running.discard(instance)
        self.due.append((self.now, Vanished(instance, detail)))

    def events(self) -> Iterable[InstanceEvent]:
        """Return the events that are due."""
        ready = [event for at, event in self.due if at <= self.now]
        self.due = [(at, event) for at, event in self.due if at > self.now]
        self.running |= {event.instance for event in ready if isinstance(event, Booted)}
        self.running -= {event.instance for event in ready if isinstance(event, Vanished)}
        return ready

    def work(self, seconds: float) -> None:
        """Process messages on the running instances."""
        done = int(len(self.running) * self.rate * seconds)
        self.queue.visible = max(0, self.queue.visible - done)
        self.queue.accessed |= bool(self.running)


class Run:
    """The loop over a queue and instances in memory, from its first second on."""

    def __init__(self, fleet: Fleet, world: FakeWorld | None = None) -> None:
        """Begin with an empty queue and no instance."""
        self.fleet = fleet
        self.world = world or FakeWorld(FakeQueue())
        self.queue = self.world.queue
        self.memory: LoopMemory = begin(fleet, self.world.now)
        self.facts: list[Fact] = []
        self.turns: list[Turn] = []

    def on_turn(self, turn: Turn) -> None:
        """Record a turn and its facts."""
        self.turns.append(turn)
        self.facts.extend(turn.facts)

    def go(self, seconds: float, every: float = 1) -> None:
        """Let time pass, with a turn every so many seconds."""
        end = self.world.now + seconds
        while self.world.now < end:
            self.world.now += every
            self.world.work(every)
            ports = Ports(self.queue, self.world, (self,))
            self.memory = drive(self.fleet, self.memory, ports, self.world.now)

    @property
    def desired(self) -> int:
        """Return the desired capacity now."""
        return self.memory.group.desired

    def states(self) -> list[str]:
        """Return the states of the group's instances, in the order of their launch."""
        return [instance.state for instance in self.memory.group.instances]

    def of_kind(self, kind: type[Kind]) -> list[Kind]:
        """Return the facts of one kind so far."""
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def sizes(self) -> list[int]:
        """Return the desired capacities to which the group was changed, in order."""
        return [fact.after for fact in self.of_kind(DesiredChanged)]

    def changed_at(self) -> list[float]:
        """Return when the desired capacity was changed, in seconds from the start."""
        return [fact.at - START for fact in self.of_kind(DesiredChanged)]

    def held(self) -> list[str]:
        """Return the reasons why policies did nothing, in order."""
        return [fact.why for fact in self.of_kind(PolicyHeld)]

    def alarm_states(self, alarm: str) -> list[str]:
        """Return the states to which an alarm changed, in order."""
        return [fact.after for fact in self.of_kind(AlarmChanged) if fact.alarm == alarm]

    def lives(self, instance: str) -> list[str]:
        """Return the states of an instance, in order."""
        return [fact.state for fact in self.of_kind(InstanceChanged) if fact.instance == instance]
