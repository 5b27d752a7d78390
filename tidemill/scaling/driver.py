"""Driver of the loop: reads the ports, takes a turn, carries out its orders, calls listeners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.loop import LoopMemory, Observation, turn

if TYPE_CHECKING:
    from tidemill.scaling.loop import Turn
    from tidemill.scaling.ports import Ports, World
    from tidemill.scaling.spec import Fleet


def drive(fleet: Fleet, memory: LoopMemory, ports: Ports, now: float) -> LoopMemory:
    """Take one turn of the loop in a world and return the memory for the next one."""
    observation = Observation(ports.probe.sample(), tuple(ports.world.events()))
    taken = turn(fleet, memory, observation, now)
    carry_out(taken, ports.world)
    for listener in ports.listeners:
        listener.on_turn(taken)
    return taken.memory


def carry_out(taken: Turn, world: World) -> None:
    """Pass a turn's orders to a world."""
    for instance in taken.stop:  # first: the same turn may launch it again
        world.stop(instance)
    for instance in taken.launch:
        world.launch(instance)
    for instance in taken.drain:
        world.drain(instance)
    for instance in taken.terminate:
        world.terminate(instance)
