"""The instances of a rig: orders and faults in, steps of each instance's lifetime out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from tidemill.rig.errors import RigError
from tidemill.rig.lifetime import Left, Lifetime, Remove, Signal, Start
from tidemill.scaling.loop import Gone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tidemill.rig.clock import AwsClock
    from tidemill.rig.lifetime import Change, Program, Rules
    from tidemill.scaling.faults import Fault, WorldKind
    from tidemill.scaling.loop import InstanceEvent


class Instances(ABC):
    """A world whose instances are real programs on this machine.

    It knows how far each instance has come, and decides nothing else: subclasses say what an
    instance's program is, and start, signal and remove it. `logs` is the folder that the consumers'
    output goes to, a *.jsonl file for each instance.
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
        """Launch an instance, or launch again one that was stopped."""
        known = self._lifetimes.get(instance)
        now = self._clock.now()
        if known is None:
            self._lifetimes[instance] = Lifetime.launch(instance, self._rules, now)
            self._create(instance)
        else:
            self._take(known.launch_again(now))

    def stop(self, instance: str) -> None:
        """Stop an instance: what runs on it is asked to end, and it can be launched again."""
        known = self._lifetimes.get(instance)
        if known is not None:
            self._take(known.stop(self._clock.now()))

    def drain(self, instance: str) -> None:
        """Let an instance finish its work, as the drain watcher does on EC2."""
        known = self._lifetimes.get(instance)
        if known is not None:
            self._take(known.drain())

    def terminate(self, instance: str) -> None:
        """End an instance, whatever its consumer does."""
        known = self._lifetimes.get(instance)
        if known is not None:
            self._take(known.terminate())

    def inject(self, instance: str, fault: Fault) -> None:
        """Let a fault happen to an instance.

        Raises:
            RigError: the instance is gone, or has no such fault.
        """
        known = self._lifetimes.get(instance)
        if known is None:
            raise RigError(f"{instance} is not there any more")
        self._take(known.inject(fault, self._clock.now()))

    # ---- what there is

    def events(self) -> Iterator[InstanceEvent]:
        """Yield what instances did since the last call, and start the programs that are due."""
        now = self._clock.now()
        programs = self._look()
        for instance, lifetime in list(self._lifetimes.items()):
            yield from self._take(lifetime.look(now, programs[instance]))

    @abstractmethod
    def polled(self) -> bool:
        """Return whether any consumer runs."""

    @abstractmethod
    def close(self) -> None:
        """End all instances: first asked, then forced."""

    # ---- what a kind of world does

    @abstractmethod
    def _look(self) -> Mapping[str, Program]:
        """Return what is found of each known instance's program."""

    @abstractmethod
    def _create(self, instance: str) -> None:
        """Prepare what an instance has from its launch on."""

    @abstractmethod
    def _show(self, lifetime: Lifetime) -> None:
        """Show an instance how far it has come, before anything else of a change is done."""

    @abstractmethod
    def _start(self, instance: str) -> None:
        """Start an instance's program."""

    @abstractmethod
    def _signal(self, instance: str, name: str) -> None:
        """Send a signal to all that runs on an instance, if anything does."""

    @abstractmethod
    def _remove(self, instance: str) -> None:
        """End all that runs on an instance, at once."""

    @abstractmethod
    def _forget(self, instance: str) -> None:
        """Release what an instance had that is gone."""

    @abstractmethod
    def _last_words(self, instance: str) -> str:
        """Return how an instance's program ended, with the last line that it wrote."""

    def _take(self, change: Change) -> list[InstanceEvent]:
        """Take the steps of a change; return the events among them."""
        instance = change.lifetime.instance
        self._lifetimes[instance] = change.lifetime
        self._show(change.lifetime)
        events: list[InstanceEvent] = []
        for step in change.steps:
            match step:
                case Start():
                    self._start(instance)
                case Signal(name):
                    self._signal(instance, name)
                case Remove():
                    self._remove(instance)
                case Left(detail):
                    events.append(self._leave(instance, detail))
                case _:
                    events.append(step)
        return events

    def _leave(self, instance: str, detail: str | None) -> Gone:
        words = self._last_words(instance) if detail is None else detail
        self._remove(instance)
        self._forget(instance)
        del self._lifetimes[instance]
        return Gone(instance, words)
