"""Containers as instances: a boot that takes its time, metadata of its own, an orderly end.

Two depths. `direct`: an instance is the consumer's own container, with the environment that user
data would give it. `user-data`: an instance is a container that runs the launch template's real
user data, whose `docker run` starts the consumer beside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from tidemill.boot_times import LAUNCH_SECONDS, RESTART_SECONDS
from tidemill.rig.engine import ContainerSpec
from tidemill.rig.errors import RigError
from tidemill.rig.followers import Followers
from tidemill.rig.metadata import Machine, MetadataService
from tidemill.rig.processes import NOTICE_SECONDS, SHUTDOWN_SECONDS, STOP_SECONDS, TAKEN_BACK
from tidemill.scaling.loop import Booted, Gone, HookCompleted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tidemill.rig.engine import Seen
    from tidemill.scaling.loop import InstanceEvent

FLEET_LABEL: Final = "tidemill.fleet"
"""On every container of a fleet, with the fleet's name: what to clean up is a query for it."""
INSTANCE_LABEL: Final = "tidemill.instance"
ROLE_LABEL: Final = "tidemill.role"
LAUNCHED_LABEL: Final = "tidemill.launched-at"
METADATA_LABEL: Final = "tidemill.metadata-port"
ENDED: Final = frozenset({"exited", "dead"})
LOOK_SECONDS: Final = 0.1
SOCKET: Final = "/var/run/docker.sock"
"""Where an instance finds the engine, as on an AMI."""


class Depth(StrEnum):
    """How much of an instance is real."""

    DIRECT = "direct"
    USER_DATA = "user-data"


class Role(StrEnum):
    """What a container of the fleet is."""

    INSTANCE = "instance"
    CONSUMER = "consumer"


class Clock(Protocol):
    """Tells AWS's time, which passes `speed` times faster than ours."""

    @property
    def speed(self) -> float:
        """Return how many seconds of AWS pass in a second of ours."""
        ...

    def now(self) -> float:
        """Return epoch seconds."""
        ...


class Engine(Protocol):
    """The container engine, as far as the fleet needs it."""

    def create(self, spec: ContainerSpec) -> None:
        """Create a container without starting it."""
        ...

    def start(self, name: str) -> None:
        """Start it."""
        ...

    def signal(self, name: str, signal: str) -> None:
        """Send a signal to it, if it runs."""
        ...

    def remove(self, name: str) -> None:
        """End and remove it, if it is there."""
        ...

    def exit_code(self, name: str) -> int:
        """Return the code that it ended with."""
        ...

    def containers(self, label: str, value: str) -> list[Seen]:
        """Return all containers with this label."""
        ...

    def output(self, name: str, *, stdout: bool, stderr: bool) -> bytes:
        """Return what it has written."""
        ...

    def follow(self, name: str, *, stdout: bool, stderr: bool) -> Iterator[bytes]:
        """Yield what it writes until it ends."""
        ...


@dataclass(frozen=True, slots=True)
class ContainerOptions:
    """What the fleet's containers are made of.

    Args:
        fleet: the fleet's name, in names and labels of its containers.
        depth: what an instance is.
        image: the consumer's image.
        instance_image: with depth user-data, the image that stands in for the AMI.
        network: the Docker network that the instances are on.
        host: our own name or address on that network.
        region: the region that instances are told they are in.
        socket: where the engine's host has its socket, for instances that use it.
        labels: further labels for every container.
        user_data: the launch template's script.
        boot_seconds: AWS's seconds from launch to a started consumer; with depth user-data the
            script takes the time that it takes.
        stop_seconds: our seconds in which containers may end when the fleet does.
    """

    fleet: str
    depth: Depth
    image: str
    instance_image: str
    network: str
    host: str
    region: str
    socket: str
    labels: Mapping[str, str]
    user_data: str
    boot_seconds: float
    stop_seconds: float = STOP_SECONDS


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
        direct = self._options.depth is Depth.DIRECT
        endpoint = f"http://{self._options.host}:{service.port}"
        self._engine.create(
            ContainerSpec(
                name=self._name(instance),
                image=self._options.image if direct else self._options.instance_image,
                hostname=instance,
                network=self._options.network,
                environment={
                    **self._environment(instance),
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint,
                    **({} if direct else self._for_instance(instance)),
                },
                labels={
                    **self._labels(instance, Role.INSTANCE),
                    LAUNCHED_LABEL: str(time.time()),
                    METADATA_LABEL: str(service.port),
                },
                volumes={} if direct else {SOCKET: self._options.socket},
                writable=not direct,
            )
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
        direct = self._options.depth is Depth.DIRECT
        if ends_at is not None and now >= ends_at:
            yield self._forget(instance, TAKEN_BACK)
        elif direct and found.draining and (ended or not found.started):
            yield HookCompleted(instance)
        elif ended and ends_at is None:  # else it did as the notice said
            yield self._forget(instance, self._last_words(seen.name))
        elif not found.started and now >= found.starts_at:
            found.started = True
            self._engine.start(self._name(instance))

    def _start_age(self) -> float:
        """Return the age at which an instance's container starts: user data boots by itself."""
        direct = self._options.depth is Depth.DIRECT
        return self._options.boot_seconds if direct else self._launch_seconds

    def _relaunch(self, instance: str, known: Instance) -> None:
        """Let an instance that was stopped boot again; its metadata is where it was."""
        now = self._clock.now()
        seconds = self._start_age()
        if known.started:
            self._shut_down(instance, "SIGKILL")
            if self._options.depth is Depth.DIRECT:
                seconds = min(seconds, self._launch_seconds + RESTART_SECONDS)
        self._instances[instance] = Instance(now, now + seconds, known.service)

    def _shut_down(self, instance: str, signal: str) -> None:
        """Send a signal to all that runs on an instance."""
        self._engine.signal(self._name(instance), signal)
        if self._options.depth is Depth.USER_DATA:
            self._engine.signal(self._consumer_name(instance), signal)

    def _stop_directly(self, instance: str, found: Instance) -> None:
        """Do what the drain watcher does on an instance that runs user data."""
        if self._options.depth is Depth.DIRECT and found.started:
            self._engine.signal(self._name(instance), "SIGTERM")

    def _forget(self, instance: str, detail: str) -> Gone:
        self._instances.pop(instance).service.close()
        self._remove(instance)
        return Gone(instance, detail)

    def _remove(self, instance: str) -> None:
        self._engine.remove(self._name(instance))
        if self._options.depth is Depth.USER_DATA:
            self._engine.remove(self._consumer_name(instance))

    def _last_words(self, name: str) -> str:
        # An instance's console is its standard output; a consumer's has message contents instead.
        console = self._options.depth is Depth.USER_DATA
        written = self._engine.output(name, stdout=console, stderr=True)
        said = written.decode(errors="replace").strip()
        last = said.splitlines()[-1] if said else "it said nothing"
        return f"its container ended with exit code {self._engine.exit_code(name)}: {last}"

    # ---- consumers

    def _watch_consumers(self, containers: list[Seen]) -> None:
        """Follow the output of consumers that have started, and see whether any runs."""
        direct = self._options.depth is Depth.DIRECT
        role = Role.INSTANCE if direct else Role.CONSUMER
        running = [
            seen
            for seen in containers
            if seen.labels.get(ROLE_LABEL) == role and seen.state == "running"
        ]
        self._polled = bool(running)
        for seen in running:
            self._followers.follow(seen.name, seen.labels[INSTANCE_LABEL])

    # ---- names

    def _fleet(self) -> list[Seen]:
        """Return all containers of the fleet, whoever made them."""
        return self._engine.containers(FLEET_LABEL, self._options.fleet)

    def _service(self, instance: str, port: int) -> MetadataService:
        return MetadataService(
            Machine(instance, self._options.region, self._options.user_data), port
        )

    def _name(self, instance: str) -> str:
        return f"{self._options.fleet}-{instance}"

    def _consumer_name(self, instance: str) -> str:
        return f"{self._name(instance)}-consumer"

    def _labels(self, instance: str, role: Role) -> dict[str, str]:
        return {
            **self._options.labels,
            FLEET_LABEL: self._options.fleet,
            INSTANCE_LABEL: instance,
            ROLE_LABEL: role.value,
        }

    def _for_instance(self, instance: str) -> dict[str, str]:
        """Return what the stand-in AMI's docker command makes a consumer of the fleet with."""
        labels = self._labels(instance, Role.CONSUMER)
        return {
            "CONSUMER_IMAGE": self._options.image,
            "CONSUMER_NAME": self._consumer_name(instance),
            "CONSUMER_NETWORK": self._options.network,
            "CONSUMER_LABELS": " ".join(f"{name}={value}" for name, value in labels.items()),
        }

    def _by_instance(self, containers: list[Seen]) -> dict[str, Seen]:
        return {
            seen.labels[INSTANCE_LABEL]: seen
            for seen in containers
            if seen.labels.get(ROLE_LABEL) == Role.INSTANCE
        }
