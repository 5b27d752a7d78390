"""Instances of a rig: applies orders and faults to real programs, and yields their events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from tidemill.rig.chaos.injections import inject
from tidemill.rig.errors import RigError
from tidemill.rig.lifetime import Lifetime, LimitDisk, Remove, ReportVanished, Signal, Start
from tidemill.scaling.facts import InstanceChanged
from tidemill.scaling.group.lifecycle import LifecycleState, target_state
from tidemill.scaling.loop import Vanished

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tidemill.rig.clock import AwsClock
    from tidemill.rig.lifetime import Change, ProgramState, Rules
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.fault_kinds import WorldKind
    from tidemill.scaling.faults import Fault
    from tidemill.scaling.loop import InstanceEvent
    from tidemill.scaling.spec import WarmPool


class Instances(ABC):
    """A world with real programs on this machine as instances.

    It keeps the lifetime of each instance and carries out the steps of that lifetime. Subclasses
    define what an instance's program is, and start, signal and remove it. `logs` is the folder of
    the consumers' output, with a *.jsonl file for each instance.
    """

    kind: ClassVar[WorldKind]

    def __init__(self, folder: Path, clock: AwsClock, rules: Rules) -> None:
        """Prepare an empty world that keeps logs in `folder`."""
        self._clock = clock
        self._rules = rules
        self._lifetimes: dict[str, Lifetime] = {}
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)

    # ---- orders and faults

    def launch(self, instance: str) -> None:
        """Launch an instance, or launch a stopped one again."""
        known = self._lifetimes.get(instance)
        now = self._clock.now()
        if known is None:
            self._lifetimes[instance] = Lifetime.launch(instance, self._rules, now)
            self._create(instance)
        else:
            self._carry_out(known.launch_again(now))

    def stop(self, instance: str) -> None:
        """Stop an instance by SIGTERM to its programs; it can be launched again."""
        known = self._lifetimes.get(instance)
        if known is not None:
            self._carry_out(known.stop(self._clock.now()))

    def drain(self, instance: str) -> None:
        """Drain an instance, as the drain watcher does on EC2."""
        known = self._lifetimes.get(instance)
        if known is not None:
            self._carry_out(known.drain())

    def terminate(self, instance: str) -> None:
        """Terminate an instance at once, even if its consumer works."""
        known = self._lifetimes.get(instance)
        if known is not None:
            self._carry_out(known.terminate())

    def inject(self, instance: str, fault: Fault) -> None:
        """Inject a fault into an instance.

        Raises:
            RigError: the instance no longer exists, or instances have no such fault.
        """
        known = self._lifetimes.get(instance)
        if known is None:
            raise RigError(f"{instance} no longer exists")
        self._carry_out(inject(known, fault, self._clock.now()))

    def show_states(self, facts: Iterable[Fact], pool: WarmPool | None) -> None:
        """Show each instance whose state has changed its target lifecycle state."""
        prepared = LifecycleState(f"Warmed:{'Stopped' if pool is None else pool.state}")
        for fact in facts:
            if isinstance(fact, InstanceChanged) and fact.instance in self._lifetimes:
                self._show_target(fact.instance, target_state(LifecycleState(fact.state), prepared))

    # ---- events

    def events(self) -> Iterator[InstanceEvent]:
        """Yield the events since the last call, and start the programs that are due."""
        now = self._clock.now()
        programs = self._find_programs()
        for instance, lifetime in list(self._lifetimes.items()):
            yield from self._carry_out(lifetime.check(now, programs[instance]))

    @abstractmethod
    def polled(self) -> bool:
        """Return whether any consumer runs."""

    @abstractmethod
    def close(self) -> None:
        """End all instances: first by SIGTERM, then by SIGKILL."""

    # ---- methods of each kind of world

    @abstractmethod
    def _find_programs(self) -> Mapping[str, ProgramState]:
        """Return the state of each instance's program."""

    @abstractmethod
    def _create(self, instance: str) -> None:
        """Prepare the resources that an instance has from its launch on."""

    @abstractmethod
    def _update_metadata(self, lifetime: Lifetime) -> None:
        """Update an instance's metadata, before the steps of a change are carried out."""

    @abstractmethod
    def _show_target(self, instance: str, target: str) -> None:
        """Show an instance its target lifecycle state, if it has metadata."""

    @abstractmethod
    def _start(self, instance: str) -> None:
        """Start an instance's program."""

    @abstractmethod
    def _signal(self, instance: str, name: str) -> None:
        """Send a signal to every running program of an instance.

        SIGKILL, SIGSTOP and SIGCONT also reach the processes that these programs have started.
        """

    @abstractmethod
    def _limit_disk(self, instance: str, *, full: bool) -> None:
        """Take the room on its disk from every program of an instance, or give it back."""

    @abstractmethod
    def _remove(self, instance: str) -> None:
        """Kill every program of an instance."""

    @abstractmethod
    def _release(self, instance: str) -> None:
        """Release the resources of an instance that no longer exists."""

    @abstractmethod
    def _describe_end(self, instance: str) -> str:
        """Return how an instance's program ended, with the last line that it wrote."""

    def _carry_out(self, change: Change) -> list[InstanceEvent]:
        """Carry out the steps of a change; return the events among them."""
        instance = change.lifetime.instance
        self._lifetimes[instance] = change.lifetime
        self._update_metadata(change.lifetime)
        events: list[InstanceEvent] = []
        for step in change.steps:
            match step:
                case Start():
                    self._start(instance)
                case Signal(name):
                    self._signal(instance, name)
                case LimitDisk(full):
                    self._limit_disk(instance, full=full)
                case Remove():
                    self._remove(instance)
                case ReportVanished(detail):
                    events.append(self._drop(instance, detail))
                case _:
                    events.append(step)
        return events

    def _drop(self, instance: str, detail: str | None) -> Vanished:
        text = self._describe_end(instance) if detail is None else detail
        self._remove(instance)
        self._release(instance)
        del self._lifetimes[instance]
        return Vanished(instance, text)
