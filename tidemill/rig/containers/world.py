"""Containers as instances: a boot that takes its time, metadata of its own, an orderly end.

Two depths. `direct`: an instance is the consumer's own container, with the environment that user
data would give it. `user-data`: an instance is a container that runs the launch template's real
user data, whose `docker run` starts the consumer beside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tidemill.rig.containers.log_followers import Followers
from tidemill.rig.containers.metadata import Machine, MetadataService
from tidemill.rig.containers.options import (
    FLEET_LABEL,
    INSTANCE_LABEL,
    LAUNCHED_LABEL,
    METADATA_LABEL,
    ROLE_LABEL,
    Role,
)
from tidemill.rig.errors import RigError
from tidemill.rig.processes import NOTICE_SECONDS, SHUTDOWN_SECONDS, TAKEN_BACK
from tidemill.scaling.boot_times import LAUNCH_SECONDS, RESTART_SECONDS
from tidemill.scaling.loop import Booted, Gone, HookCompleted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tidemill.rig.containers.engine import Seen
    from tidemill.rig.containers.options import ContainerOptions
    from tidemill.rig.containers.ports import Clock, Engine
    from tidemill.scaling.loop import InstanceEvent

ENDED: Final = frozenset({"exited", "dead"})
LOOK_SECONDS: Final = 0.1


@dataclass(slots=True)
class Instance:
    """One instance: its metadata service, and how far it has come; times are AWS's.

    `starts_at` is when its container starts, `stopped_at` when it was told to stop.
    """

    launched_at: float
    starts_at: float
    service: MetadataService
    booted: bool = False
    started: bool = False
    draining: bool = False
    done: bool = False
    stopped_at: float | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """An instance of an earlier controller that still runs; `launched_at` in AWS's time."""

    instance: str
    launched_at: float
    booted: bool


class ContainerWorld:
    """Starts and stops containers as the group orders instances."""

    def __init__(
        self,
        engine: Engine,
        options: ContainerOptions,
        folder: Path,
        clock: Clock,
        environment: Callable[[str], Mapping[str, str]],
    ) -> None:
        """Get ready.

        Args:
            engine: what runs the containers.
            options: what they are made of.
            folder: what consumers write goes to logs/ in it.
            clock: AWS's time.
            environment: with depth direct the consumer's settings for an instance id, with
                user-data what an instance needs to find its way in the local AWS.
        """
        self._engine = engine
        self._options = options
        self._clock = clock
        self._environment = environment
        self._launch_seconds = min(LAUNCH_SECONDS, options.boot_seconds)
        self._instances: dict[str, Instance] = {}
        self._polled = False
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self._followers = Followers(engine, self.logs)

    # ---- orders

    def launch(self, instance: str) -> None:
        """Create an instance with this id; it starts when it has booted.

        One that was stopped boots again, faster if its container had started before; there, with
        depth user-data, the script runs again.
        """
        known = self._instances.get(instance)
        if known is not None:
            self._relaunch(instance, known)
            return
        service = self._service(instance, 0)
        now = self._clock.now()
        self._instances[instance] = Instance(now, now + self._start_age(), service)
        self._engine.create(
            self._options.instance_spec(instance, self._environment(instance), service.port)
        )

    def stop(self, instance: str) -> None:
        """Stop an instance: what runs on it is asked to end, and it can be launched again."""
        found = self._instances.get(instance)
        if found is None:
            return
        found.stopped_at = self._clock.now()
        self._shut_down(instance, "SIGTERM")

    def drain(self, instance: str) -> None:
        """Tell an instance that it has to go: by its metadata, and directly by SIGTERM."""
        found = self._instances.get(instance)
        if found is None:
            return
        found.draining = True
        found.service.machine.target = "Terminated"
        self._stop_directly(instance, found)

    def interrupt(self, instance: str) -> None:
        """Give an instance the notice that a Spot instance gets; two minutes later it is gone.

        Another notice changes nothing.

        Raises:
            RigError: it is not there.
        """
        found = self._instances.get(instance)
        if found is None:
            raise RigError(f"{instance} is not there any more")
        if found.service.machine.ends_at is None:
            found.service.machine.ends_at = self._clock.now() + NOTICE_SECONDS
            self._stop_directly(instance, found)

    def terminate(self, instance: str) -> None:
        """End an instance, whatever its consumer does."""
        found = self._instances.get(instance)
        if found is None:
            return
        found.done = True
        self._remove(instance)

    # ---- what there is

    def polled(self) -> bool:
        """Tell whether any consumer runs."""
        return self._polled

    def events(self) -> Iterator[InstanceEvent]:
        """Yield what instances did since the last call, and let booted ones start working."""
        now = self._clock.now()
        containers = self._fleet()
        self._watch_consumers(containers)
        machines = self._by_instance(containers)
        for instance, found in list(self._instances.items()):
            yield from self._look_at(instance, found, machines.get(instance), now)

    def adopt(self) -> list[Adopted]:
        """Take over the instances that an earlier controller of this fleet left running.

        What does not run any more, and consumers without an instance, are removed.
        """
        containers = self._fleet()
        adopted = []
        for instance, seen in self._by_instance(containers).items():
            if seen.state in ENDED:
                self._remove(instance)
                continue
            age = (time.time() - float(seen.labels[LAUNCHED_LABEL])) * self._clock.speed
            service = self._service(instance, int(seen.labels[METADATA_LABEL]))
            running = seen.state == "running"
            launched_at = self._clock.now() - age
            self._instances[instance] = Instance(
                launched_at, launched_at + self._start_age(), service, running, running
            )
            adopted.append(Adopted(instance, launched_at, running))
        for seen in containers:
            if seen.labels.get(INSTANCE_LABEL) not in self._instances:
                self._engine.remove(seen.name)
        return adopted

    def close(self) -> None:
        """Remove every container of the fleet: first they are asked to end, then forced."""
        for seen in self._fleet():
            self._engine.signal(seen.name, "SIGTERM")
        deadline = time.monotonic() + self._options.stop_seconds
        while time.monotonic() < deadline and any(s.state == "running" for s in self._fleet()):
            time.sleep(LOOK_SECONDS)
        for seen in self._fleet():
            self._engine.remove(seen.name)
        for found in self._instances.values():
            found.service.close()
        self._instances.clear()

    # ---- one instance

    def _look_at(
        self, instance: str, found: Instance, seen: Seen | None, now: float
    ) -> Iterator[InstanceEvent]:
        if seen is None:
            detail = "" if found.done else "its container is not there any more"
            yield self._forget(instance, detail)
            return
        if found.done:
            return  # the engine takes its time to remove it
        if found.stopped_at is not None:  # nobody on it can complete a hook
            if now >= found.stopped_at + SHUTDOWN_SECONDS and seen.state == "running":
                self._shut_down(instance, "SIGKILL")
            return
        if not found.booted and now >= found.launched_at + self._launch_seconds:
            found.booted = True
            yield Booted(instance)
        # What has ended before it was launched again is yet to start.
        ended = found.started and seen.state in ENDED
        ends_at = found.service.machine.ends_at
        direct = self._options.direct
        if ends_at is not None and now >= ends_at:
            yield self._forget(instance, TAKEN_BACK)
        elif direct and found.draining and (ended or not found.started):
            yield HookCompleted(instance)
        elif ended and ends_at is None:  # else it did as the notice said
            yield self._forget(instance, self._last_words(seen.name))
        elif not found.started and now >= found.starts_at:
            found.started = True
            self._engine.start(self._options.instance_name(instance))

    def _start_age(self) -> float:
        """Return the age at which an instance's container starts: user data boots by itself."""
        direct = self._options.direct
        return self._options.boot_seconds if direct else self._launch_seconds

    def _relaunch(self, instance: str, known: Instance) -> None:
        """Let an instance that was stopped boot again; its metadata is where it was."""
        now = self._clock.now()
        seconds = self._start_age()
        if known.started:
            self._shut_down(instance, "SIGKILL")
            if self._options.direct:
                seconds = min(seconds, self._launch_seconds + RESTART_SECONDS)
        self._instances[instance] = Instance(now, now + seconds, known.service)

    def _shut_down(self, instance: str, signal: str) -> None:
        """Send a signal to all that runs on an instance."""
        self._engine.signal(self._options.instance_name(instance), signal)
        if not self._options.direct:
            self._engine.signal(self._options.consumer_name(instance), signal)

    def _stop_directly(self, instance: str, found: Instance) -> None:
        """Do what the drain watcher does on an instance that runs user data."""
        if self._options.direct and found.started:
            self._engine.signal(self._options.instance_name(instance), "SIGTERM")

    def _forget(self, instance: str, detail: str) -> Gone:
        self._instances.pop(instance).service.close()
        self._remove(instance)
        return Gone(instance, detail)

    def _remove(self, instance: str) -> None:
        """Remove an instance's containers; what its consumer has written is kept first."""
        names = self._options
        machine, consumer = names.instance_name(instance), names.consumer_name(instance)
        writer = machine if names.direct else consumer
        self._engine.signal(writer, "SIGKILL")
        self._followers.finish(writer, instance)
        self._engine.remove(machine)
        if not names.direct:
            self._engine.remove(consumer)

    def _last_words(self, name: str) -> str:
        # An instance's console is its standard output; a consumer's has message contents instead.
        written = self._engine.output(name, stdout=not self._options.direct, stderr=True)
        said = written.decode(errors="replace").strip()
        last = said.splitlines()[-1] if said else "it said nothing"
        return f"its container ended with exit code {self._engine.exit_code(name)}: {last}"

    # ---- consumers

    def _watch_consumers(self, containers: list[Seen]) -> None:
        """Follow the output of consumers that have started, and see whether any runs."""
        direct = self._options.direct
        role = Role.INSTANCE if direct else Role.CONSUMER
        running = [
            seen
            for seen in containers
            if seen.labels.get(ROLE_LABEL) == role and seen.state == "running"
        ]
        self._polled = bool(running)
        for seen in running:
            self._followers.follow(seen.name, seen.labels[INSTANCE_LABEL])

    def _fleet(self) -> list[Seen]:
        """Return all containers of the fleet, whoever made them."""
        return self._engine.containers(FLEET_LABEL, self._options.fleet)

    def _service(self, instance: str, port: int) -> MetadataService:
        return MetadataService(
            Machine(instance, self._options.region, self._options.user_data), port
        )

    def _by_instance(self, containers: list[Seen]) -> dict[str, Seen]:
        return {
            seen.labels[INSTANCE_LABEL]: seen
            for seen in containers
            if seen.labels.get(ROLE_LABEL) == Role.INSTANCE
        }
