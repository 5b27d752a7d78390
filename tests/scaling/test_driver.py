"""The driver between the loop and a world."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from support.builders.fleets import DRAIN, a_fleet, a_group, a_policy
from support.fakes.worlds import MINUTE, START

from tidemill.scaling.driver import drive
from tidemill.scaling.loop import Booted, HookCompleted, Vanished, begin
from tidemill.scaling.metrics.queue import QueueSample
from tidemill.scaling.ports import Ports
from tidemill.scaling.spec import AdjustmentType, StepAdjustment, WarmPool

if TYPE_CHECKING:
    from tidemill.scaling.loop import InstanceEvent, Turn


@dataclass
class Log:
    """A probe, a world and a listener in one, which records the order of calls."""

    visible: int = 0
    calls: list[str] = field(default_factory=list)
    coming: list[InstanceEvent] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)

    def sample(self) -> QueueSample:
        """Return the queue."""
        self.calls.append("sample")
        return QueueSample(self.visible, 0)

    def events(self) -> list[InstanceEvent]:
        """Return the coming events, once."""
        self.calls.append("events")
        events, self.coming = self.coming, []
        return events

    def launch(self, instance: str) -> None:
        """Note the order."""
        self.calls.append(f"launch {instance[-1]}")

    def stop(self, instance: str) -> None:
        """Note the order."""
        self.calls.append(f"stop {instance[-1]}")

    def drain(self, instance: str) -> None:
        """Note the order."""
        self.calls.append(f"drain {instance[-1]}")

    def terminate(self, instance: str) -> None:
        """Note the order."""
        self.calls.append(f"terminate {instance[-1]}")

    def on_turn(self, turn: Turn) -> None:
        """Note and keep the turn."""
        self.calls.append("on_turn")
        self.turns.append(turn)


def test_a_turn_looks_acts_and_calls_listeners_in_this_order() -> None:
    """Each order reaches the world once, and listeners get the turn afterwards."""
    exact = a_policy(adjustment_type=AdjustmentType.EXACT, steps=(StepAdjustment(0, None, 2),))
    fleet = a_fleet((exact,), group=a_group(hooks=(DRAIN,), max_size=2))
    log = Log(visible=9)
    ports = Ports(log, log, (log, log))
    memory = drive(fleet, begin(fleet, START), ports, START + MINUTE)
    assert log.calls == ["sample", "events", "launch 1", "launch 2", "on_turn", "on_turn"]
    assert log.turns[0].memory is memory


def test_what_instances_did_reaches_the_loop_and_its_orders_the_world() -> None:
    """From launch to termination, each order is given once."""
    fleet = a_fleet(group=a_group(hooks=(DRAIN,), desired=1))
    log = Log()
    ports = Ports(log, log)
    memory = drive(fleet, begin(fleet, START), ports, START + 1)
    (instance,) = (item.id for item in memory.group.instances)
    log.coming = [Booted(instance)]
    memory = drive(fleet, memory, ports, START + 2)
    memory = replace(memory, group=replace(memory.group, desired=0))
    memory = drive(fleet, memory, ports, START + 3)
    log.coming = [HookCompleted(instance)]
    memory = drive(fleet, memory, ports, START + 4)
    log.coming = [Vanished(instance)]
    memory = drive(fleet, memory, ports, START + 5)
    orders = [call for call in log.calls if call not in {"sample", "events"}]
    assert orders == ["launch 1", "drain 1", "terminate 1"]
    assert memory.group.instances == ()


def test_an_instance_needed_as_soon_as_it_is_prepared_is_stopped_and_then_launched() -> None:
    """One turn does both, in this order; otherwise the group would wait for a stopped instance."""
    fleet = a_fleet(group=a_group(max_size=1, warm_pool=WarmPool()))
    log = Log()
    ports = Ports(log, log)
    memory = drive(fleet, begin(fleet, START), ports, START + 1)
    (instance,) = (item.id for item in memory.group.instances)
    log.coming = [Booted(instance)]
    memory = replace(memory, group=replace(memory.group, desired=1))
    memory = drive(fleet, memory, ports, START + 2)
    orders = [call for call in log.calls if call not in {"sample", "events"}]
    assert orders[:1] == ["launch 1"]
    assert [order for order in orders[1:] if order.endswith("1")] == ["stop 1", "launch 1"]
