"""A rig that runs: the loop over a deployed queue and its instances, turn by turn."""

from __future__ import annotations

import signal
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from threading import RLock
from typing import TYPE_CHECKING, Protocol

from tidemill.rig.autoscaling.ports import View
from tidemill.rig.clock import RigClock
from tidemill.rig.consumer_logs import ConsumerLogs
from tidemill.rig.durations import rounding, shortened, whole
from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.clients import REGION, LocalClients, client_settings
from tidemill.rig.local_aws.cloudwatch_mirror import CloudWatchMirror
from tidemill.rig.local_aws.queue_probe import QueueProbe
from tidemill.rig.recorder import Recorder
from tidemill.rig.status import Status
from tidemill.scaling.boot_times import LAUNCH_SECONDS, USER_DATA_SECONDS
from tidemill.scaling.driver import drive
from tidemill.scaling.facts import Noted
from tidemill.scaling.loop import Memory, begin
from tidemill.scaling.ports import Ports, World
from tidemill.scaling.requests.activities import Activity
from tidemill.scaling.requests.activities import tell as tell_activities
from tidemill.scaling.requests.apply import Applied, apply
from tidemill.scaling.template.fleet import read_fleet
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.user_data import container_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tidemill.rig.local_aws.deployment import Deployment
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.loop import Turn
    from tidemill.scaling.requests.commands import Command
    from tidemill.scaling.template.document import Document

STACK = "tidemill"
ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
"""What may end a rig from outside: a closed terminal, Ctrl-C, and whoever asks for it."""


@dataclass(frozen=True, slots=True)
class RigOptions:
    """How to run a rig: `port` 0 is any free one, `boot_seconds` are AWS's, from launch to work.

    `keep_facts` keeps all facts in memory, for runs that end. `resume` goes on with the folder's
    timeline.
    """

    folder: Path
    template: Document
    parameters: Mapping[str, str]
    speed: float
    port: int = 0
    boot_seconds: float = LAUNCH_SECONDS + USER_DATA_SECONDS
    keep_facts: bool = True
    stack: str = STACK
    resume: bool = False


class InstanceWorld(World, Protocol):
    """A world whose instances are real programs on this machine."""

    logs: Path
    """The folder that the consumers' output goes to, a *.jsonl file for each instance."""

    def polled(self) -> bool:
        """Tell whether any consumer runs."""
        ...

    def interrupt(self, instance: str) -> None:
        """Give an instance the notice that a Spot instance gets."""
        ...

    def close(self) -> None:
        """End all instances."""
        ...


class Rig:
    """A rig that runs; take turns with `turn`, as often as `pause` says.

    Turns and users' requests may come from different threads: one goes on at a time.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - its parts, each made by whoever knows the kind of rig
        self,
        options: RigOptions,
        clients: LocalClients,
        deployment: Deployment,
        world: Callable[[Rig], InstanceWorld],
        tell: Callable[[Fact], None],
        stack: ExitStack,
    ) -> None:
        """Start over a deployed template; `stack` ends what is started here.

        `world` makes the instances' world for a rig that knows its clock, its fleet and its queue.
        """
        place = Place(stack=options.stack, region=REGION, physical=deployment.physical)
        fleet = read_fleet(options.template, options.parameters, place)
        self.endpoint = clients.endpoint
        self.fleet = fleet
        self._lock = RLock()
        self._activities: tuple[Activity, ...] = ()
        self.left_out = (*deployment.left_out, *fleet.not_modelled)
        if fleet.queue.logical_id not in deployment.physical:
            raise RigError(f"the work queue is not deployed: {'; '.join(deployment.left_out)}")
        self.queue_url = deployment.physical[fleet.queue.logical_id]["Ref"]
        self.dead_letter_url = clients.dead_letter_url(self.queue_url)
        clients.sqs.set_queue_attributes(
            QueueUrl=self.queue_url,
            Attributes={
                "VisibilityTimeout": str(whole(fleet.queue.visibility_timeout, options.speed))
            },
        )
        self.clock = RigClock.start(options.speed)
        self.world = world(self)
        stack.callback(self.world.close)
        self.logs = ConsumerLogs(self.world.logs)
        self.probe = QueueProbe(
            clients.sqs, self.queue_url, self.dead_letter_url, self.world.polled
        )
        self.recorder = Recorder(
            options.folder / "timeline.jsonl",
            tell,
            keep=options.keep_facts,
            resume=options.resume,
        )
        stack.callback(self.recorder.close)
        mirror = CloudWatchMirror(clients.cloudwatch, fleet)
        self._ports = Ports(self.probe, self.world, (mirror, self.recorder, self))
        self.memory: Memory = begin(fleet, self.clock.now())
        self._tell_conditions()
        stack.enter_context(_on_the_way_out())

    @property
    def pause(self) -> float:
        """Our seconds between two turns: five of AWS's, but at least a fifth and at most one."""
        return min(1.0, max(0.2, self.clock.real(5)))

    def turn(self) -> None:
        """Take one turn of the loop."""
        with self._lock:
            self.memory = drive(self.fleet, self.memory, self._ports, self.clock.now())

    def begin_with(self, group: Callable[[GroupMemory, float], GroupMemory]) -> None:
        """Change the group as it is now before the first turn, such as for adopted instances."""
        with self._lock:
            changed = group(self.memory.group, self.clock.now())
            self.memory = replace(self.memory, group=changed)

    def hear(self, turn: Turn) -> None:
        """Keep the scaling activities of a turn."""
        self._activities = tell_activities(self._activities, turn.facts)

    def view(self) -> View:
        """Return the group as the Auto Scaling API shows it."""
        with self._lock:
            newest_first = self._activities[::-1]
            return View(self.fleet, self.memory.group, newest_first, self.clock.started)

    def request(self, command: Command) -> Applied:
        """Do what a user asks of the group.

        Raises:
            RequestError: the request is refused.
        """
        with self._lock:
            done = apply(self.fleet, self.memory.group, command, self.clock.now())
            self.fleet, self.memory = done.fleet, replace(self.memory, group=done.memory)
            self._activities = tell_activities(self._activities, done.facts)
            for fact in done.facts:
                self.recorder.note(fact)
            for instance in done.drain:
                self.world.drain(instance)
            for instance in done.terminate:
                self.world.terminate(instance)
            return done

    def interrupt(self, instance: str | None) -> str:
        """Interrupt a Spot instance, by default the oldest in service; return which.

        Raises:
            RigError: there is no such instance, or none in service.
        """
        with self._lock:
            serving = [item.id for item in self.memory.group.instances if item.in_service_at]
            chosen = instance or next(iter(serving), None)
            if chosen is None:
                raise RigError("no instance is in service: there is none to interrupt")
            if self.memory.group.find(chosen) is None:
                raise RigError(f"the group has no instance {chosen}")
            self.world.interrupt(chosen)
            self.note(f"{chosen} got the notice that a Spot instance gets")
            return chosen

    def note(self, text: str) -> None:
        """Put a line of our own on the timeline."""
        self.recorder.note(Noted(self.clock.now(), text))

    def status(self) -> Status:
        """Return the rig as it is now."""
        self.logs.read()
        group = self.memory.group
        wanted = group.wanted()
        in_service = sum(item.in_service_at is not None for item in wanted)
        return Status(
            at=self.memory.at,
            wall_seconds=self.clock.wall_seconds(),
            speed=self.clock.speed,
            visible=self.probe.latest.visible,
            in_flight=self.probe.latest.in_flight,
            dead_lettered=self.probe.dead_letters(),
            processed=len(self.logs.processed),
            desired=group.desired,
            in_service=in_service,
            pending=len(wanted) - in_service,
            terminating=len(group.instances) - len(wanted),
            alarms={name: watch.memory.state for name, watch in self.memory.watches.items()},
        )

    def client_environment(self) -> dict[str, str]:
        """Return what a client such as the producer needs to reach this rig's queue."""
        return {**client_settings(self.endpoint), "QUEUE_URL": self.queue_url}

    def consumer_environment(self, instance: str) -> dict[str, str]:
        """Return all that an instance's consumer needs as a process of this machine."""
        return {**self.client_environment(), **self.consumer_settings(instance)}

    def consumer_settings(self, instance: str) -> dict[str, str]:
        """Return the settings that user data gives to an instance's consumer, at our speed."""
        given = container_environment(self.fleet.user_data, {"INSTANCE_ID": instance})
        return shortened(given, self.clock.speed)

    def _tell_conditions(self) -> None:
        for sentence in self.left_out:
            self.note(sentence)
        given = container_environment(self.fleet.user_data, {"INSTANCE_ID": "any"})
        for sentence in rounding(given, self.clock.speed):
            self.note(sentence)


@contextmanager
def _on_the_way_out() -> Iterator[None]:
    """Ignore signals from the end of the block on: a second Ctrl-C must not leave children."""
    try:
        yield
    finally:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
