"""Containers as instances, each with an instance metadata service of its own.

There are two depths. `direct`: an instance is the consumer's own container, with the environment
that user data would give it. `user-data`: an instance is a container that runs the launch
template's real user data, whose `docker run` starts the consumer in a container beside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from tidemill.rig.containers.disk import limit_command
from tidemill.rig.containers.log_followers import LogFollowers
from tidemill.rig.containers.metadata import InstanceMetadata, MetadataService
from tidemill.rig.containers.options import (
    FLEET_LABEL,
    INSTANCE_LABEL,
    LAUNCHED_LABEL,
    METADATA_LABEL,
    ROLE_LABEL,
    Role,
)
from tidemill.rig.door.guard import LOOPBACK
from tidemill.rig.instances import Instances
from tidemill.rig.lifetime import Lifetime, ProgramState, Rules
from tidemill.scaling.fault_kinds import WorldKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tidemill.rig.clock import AwsClock
    from tidemill.rig.containers.engine import ContainerState
    from tidemill.rig.containers.options import ContainerOptions
    from tidemill.rig.containers.ports import ContainerEngine

PROGRAMS: Final = {
    "created": ProgramState.WAITING,
    "exited": ProgramState.ENDED,
    "dead": ProgramState.ENDED,
}
"""The state of the program for each of Docker's container states; in others the program runs."""

CHECK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Adopted:
    """An instance of an earlier controller that still runs; `launched_at` in AWS's time."""

    instance: str
    launched_at: float
    booted: bool


class ContainerWorld(Instances):
    """A world in which each instance's program is a container of a container engine."""

    kind: ClassVar[WorldKind] = WorldKind.CONTAINERS

    def __init__(
        self,
        engine: ContainerEngine,
        options: ContainerOptions,
        folder: Path,
        clock: AwsClock,
        environment: Callable[[str], Mapping[str, str]],
    ) -> None:
        """Prepare an empty world.

        Args:
            engine: runs the containers.
            options: what containers are created with.
            folder: the rig's folder; the output of consumers is written to logs/ in it.
            clock: AWS's time.
            environment: for an instance id, with depth direct the consumer's settings, with
                user-data the addresses of the local AWS.
        """
        of_depth = Rules.of_consumers if options.direct else Rules.of_user_data
        super().__init__(folder, clock, of_depth(options.times))
        self._engine = engine
        self._options = options
        self._environment = environment
        self._services: dict[str, MetadataService] = {}
        self._targets: dict[str, str] = {}
        self._consumer_runs = False
        self._followers = LogFollowers(engine, self.logs)

    def polled(self) -> bool:
        """Return whether any consumer ran at the last check."""
        return self._consumer_runs

    def adopt(self) -> list[Adopted]:
        """Adopt and return the instances that an earlier controller of this fleet left running.

        Instances that have ended and consumers without an instance are removed.
        """
        containers = self._containers()
        adopted = []
        for instance, container in self._by_instance(containers).items():
            if PROGRAMS.get(container.state) is ProgramState.ENDED:
                self._remove(instance)
                continue
            age = (time.time() - float(container.labels[LAUNCHED_LABEL])) * self._clock.speed
            launched_at = self._clock.now() - age
            running = container.state in {"running", "paused"}
            self._serve_metadata(instance, int(container.labels[METADATA_LABEL]))
            self._lifetimes[instance] = Lifetime.adopt(
                instance, self._rules, launched_at, running=running
            )
            if running:  # faults end with the controller that had injected them
                self._signal(instance, "SIGCONT")
                self._limit_disk(instance, full=False)
            adopted.append(Adopted(instance, launched_at, running))
        for container in containers:
            if container.labels.get(INSTANCE_LABEL) not in self._lifetimes:
                self._engine.remove(container.name)
        return adopted

    def close(self) -> None:
        """Remove every container of the fleet: first asked to end, then forced."""
        for container in self._containers():
            self._engine.signal(container.name, "SIGTERM")
        deadline = time.monotonic() + self._options.stop_seconds
        while time.monotonic() < deadline and self._any_runs():
            time.sleep(CHECK_SECONDS)
        for container in self._containers():
            self._engine.remove(container.name)
        for service in self._services.values():
            service.close()
        self._services.clear()
        self._lifetimes.clear()

    # ---- steps of an instance's lifetime

    def _find_programs(self) -> dict[str, ProgramState]:
        containers = self._containers()
        self._follow_consumers(containers)
        found = self._by_instance(containers)
        return {
            instance: PROGRAMS.get(found[instance].state, ProgramState.RUNNING)
            if instance in found
            else ProgramState.REMOVED
            for instance in self._lifetimes
        }

    def _create(self, instance: str) -> None:
        """Create an instance's container, which is started when it has booted."""
        port = self._serve_metadata(instance, 0)
        self._engine.create(
            self._options.instance_spec(instance, self._environment(instance), port)
        )

    def _show_target(self, instance: str, target: str) -> None:
        """Set the target lifecycle state in an instance's metadata."""
        self._targets[instance] = target
        self._update_metadata(self._lifetimes[instance])

    def _update_metadata(self, lifetime: Lifetime) -> None:
        """Set the target lifecycle state and a Spot notice in an instance's metadata.

        A drain is shown at once; the group's state follows at the end of the same turn.
        """
        metadata = self._services[lifetime.instance].metadata
        known = self._targets.get(lifetime.instance, "InService")
        going = known if known.endswith("Terminated") else "Terminated"
        metadata.target = going if lifetime.draining else known
        metadata.ends_at = lifetime.ends_at
        metadata.down = self._clock.now() < lifetime.metadata_back_at

    def _start(self, instance: str) -> None:
        self._engine.start(self._options.instance_name(instance))

    def _signal(self, instance: str, name: str) -> None:
        for container in self._programs_of(instance):
            if name == "SIGSTOP":
                self._engine.pause(container)
            elif name == "SIGCONT":
                self._engine.unpause(container)
            else:
                self._engine.signal(container, name)

    def _limit_disk(self, instance: str, *, full: bool) -> None:
        for container in self._programs_of(instance):
            self._engine.execute(container, limit_command(full=full))

    def _programs_of(self, instance: str) -> list[str]:
        """Return the names of an instance's containers."""
        names = self._options
        machine = names.instance_name(instance)
        return [machine] if names.direct else [machine, names.consumer_name(instance)]

    def _remove(self, instance: str) -> None:
        """Remove an instance's containers, after its consumer's output has been copied."""
        names = self._options
        machine, consumer = names.instance_name(instance), names.consumer_name(instance)
        writer = machine if names.direct else consumer
        self._engine.signal(writer, "SIGKILL")
        self._followers.finish(writer, instance)
        self._engine.remove(machine)
        if not names.direct:
            self._engine.remove(consumer)

    def _release(self, instance: str) -> None:
        self._targets.pop(instance, None)
        self._services.pop(instance).close()

    def _describe_end(self, instance: str) -> str:
        name = self._options.instance_name(instance)
        # With depth user-data, standard output is the console; a consumer's has log lines.
        output = self._engine.output(name, stdout=not self._options.direct, stderr=True)
        written = output.decode(errors="replace").strip()
        last = written.splitlines()[-1] if written else "it wrote no output"
        return f"its container ended with exit code {self._engine.exit_code(name)}: {last}"

    # ---- containers

    def _follow_consumers(self, containers: list[ContainerState]) -> None:
        """Copy the output of consumers that run, and note whether any runs."""
        role = Role.INSTANCE if self._options.direct else Role.CONSUMER
        running = [
            container
            for container in containers
            if container.labels.get(ROLE_LABEL) == role and container.state == "running"
        ]
        self._consumer_runs = bool(running)
        for container in running:
            self._followers.follow(container.name, container.labels[INSTANCE_LABEL])

    def _containers(self) -> list[ContainerState]:
        """Return all containers with the fleet's label, including those that user data created."""
        return self._engine.containers(FLEET_LABEL, self._options.fleet)

    def _any_runs(self) -> bool:
        return any(container.state == "running" for container in self._containers())

    def _serve_metadata(self, instance: str, port: int) -> int:
        """Serve an instance's metadata on this port, or on any free one for 0; return the port."""
        keys = self._options.session.keys(instance)
        metadata = InstanceMetadata(instance, self._options.region, self._options.user_data, keys)
        self._services[instance] = MetadataService(metadata, port, LOOPBACK | {self._options.host})
        return self._services[instance].port

    @staticmethod
    def _by_instance(containers: list[ContainerState]) -> dict[str, ContainerState]:
        return {
            container.labels[INSTANCE_LABEL]: container
            for container in containers
            if container.labels.get(ROLE_LABEL) == Role.INSTANCE
        }
