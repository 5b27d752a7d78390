"""Rig: the scaling loop over a deployed queue and its instances, turn by turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import RLock
from typing import TYPE_CHECKING

from tidemill.ledger.folder import LineFolder
from tidemill.rig.autoscaling.ports import GroupView
from tidemill.rig.chaos.injector import Injector
from tidemill.rig.chaos.ports import UNREACHABLE
from tidemill.rig.clock import RigClock
from tidemill.rig.door.credentials import USER
from tidemill.rig.durations import rounding, shortened, whole
from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.cloudwatch_mirror import CloudWatchMirror
from tidemill.rig.local_aws.oldest_message import OldestMessage
from tidemill.rig.local_aws.queue_probe import QueueProbe
from tidemill.rig.recorder import Recorder
from tidemill.rig.signals import ignored_afterwards
from tidemill.rig.status import Status
from tidemill.scaling.driver import drive
from tidemill.scaling.facts import Noted
from tidemill.scaling.loop import LoopMemory, begin
from tidemill.scaling.metrics.fault_windows import is_windowed
from tidemill.scaling.ports import Ports
from tidemill.scaling.requests.activities import Activity, record_activities
from tidemill.scaling.requests.apply import Applied, apply
from tidemill.scaling.template.user_data import container_environment
from tidemill.scaling.times.catalogue import USUAL, Times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from tidemill.rig.chaos.ports import EmulatedAws
    from tidemill.rig.instances import Instances
    from tidemill.rig.local_aws.deployment import Deployment
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.faults import Fault
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.loop import Turn
    from tidemill.scaling.requests.commands import Command
    from tidemill.scaling.spec import Fleet
    from tidemill.scaling.template.document import Document

STACK = "tidemill"


@dataclass(frozen=True, slots=True)
class RigOptions:
    """How to run a rig.

    Attributes:
        folder: the folder for the timeline and logs.
        template: the template to deploy.
        parameters: values for the template's parameters, by name.
        speed: how many times faster than wall-clock time AWS's time runs.
        port: the port of the local AWS; 0 is any free port.
        times: AWS's times, of which instances take the means.
        keep_facts: whether to keep all facts in memory; true for runs that end.
        stack: the stack's name.
        resume: whether to append to the timeline that is in the folder.
        run_functions: whether the local AWS may run the template's functions, with the user's
            rights.
        aws: what faults can do to the emulator of AWS.
    """

    folder: Path
    template: Document
    parameters: Mapping[str, str]
    speed: float
    port: int = 0
    times: Times = USUAL
    keep_facts: bool = True
    stack: str = STACK
    resume: bool = False
    run_functions: bool = False
    aws: EmulatedAws = UNREACHABLE


class Rig:
    """A rig that runs; its owner calls `turn` every `pause` seconds.

    Different threads may call it for turns, requests and faults; a lock allows one at a time.
    """

    def __init__(
        self,
        options: RigOptions,
        deployment: Deployment,
        fleet: Fleet,
        world: Callable[[Rig], Instances],
        on_fact: Callable[[Fact], None],
        stack: ExitStack,
    ) -> None:
        """Start a rig over a deployed template.

        Args:
            options: how to run it.
            deployment: the deployed stack.
            fleet: the fleet of the template, with the names of deployed resources.
            world: creates the world for this rig, after the rig has its clock, fleet and queue.
            on_fact: called with every fact as it happens.
            stack: the exit stack that closes what the rig opens.
        """
        clients = deployment.clients
        self.endpoint, self.session, self._clients = clients.endpoint, clients.session, clients
        self.fleet = fleet
        self._lock = RLock()
        self._activities: tuple[Activity, ...] = ()
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
        self.clock = _clock(options, stack)
        self.world = world(self)
        stack.callback(self.world.close)
        self.logs = LineFolder(self.world.logs)
        oldest = OldestMessage(fleet, clients, self.queue_url, options.speed)
        self.left_out = (*deployment.left_out, *fleet.not_modelled, *oldest.not_known)
        self.probe = QueueProbe(
            clients.sqs, self.queue_url, self.dead_letter_url, self.world.polled, oldest.age
        )
        timeline = options.folder / "timeline.jsonl"
        self.recorder = Recorder(timeline, on_fact, keep=options.keep_facts, resume=options.resume)
        stack.callback(self.recorder.close)
        self._injector = Injector(self.world, options.aws, self.clock, self.recorder.note)
        mirror = CloudWatchMirror(clients.cloudwatch, fleet)
        self._ports = Ports(self.probe, self.world, (mirror, self.recorder, self))
        self.memory: LoopMemory = begin(fleet, self.clock.now())
        self._note_conditions()
        stack.enter_context(ignored_afterwards())

    @property
    def pause(self) -> float:
        """Wall-clock seconds between two turns: 5 seconds of AWS's time, limited to 0.2 to 1 s.

        At speed 20: 5 / 20 = 0.25.
        """
        return min(1.0, max(0.2, self.clock.real(5)))

    def turn(self) -> None:
        """Take one turn of the loop."""
        with self._lock:
            self._injector.inject_due(self.memory.group)
            self.memory = drive(self.fleet, self.memory, self._ports, self.clock.now())

    def begin_with(self, group: Callable[[GroupMemory, float], GroupMemory]) -> None:
        """Change the group before the first turn, such as for adopted instances."""
        with self._lock:
            changed = group(self.memory.group, self.clock.now())
            self.memory = replace(self.memory, group=changed)

    def on_turn(self, turn: Turn) -> None:
        """Keep the scaling activities of a turn, and show instances their target states."""
        self._activities = record_activities(self._activities, turn.facts)
        self.world.show_states(turn.facts, self.fleet.group.warm_pool)

    def view(self) -> GroupView:
        """Return the group as the Auto Scaling API shows it."""
        with self._lock:
            newest_first = self._activities[::-1]
            return GroupView(self.fleet, self.memory.group, newest_first, self.clock.started)

    def request(self, command: Command) -> Applied:
        """Apply a user's request to the group.

        Raises:
            RequestError: the request is refused.
        """
        with self._lock:
            done = apply(self.fleet, self.memory.group, command, self.clock.now())
            self.fleet, self.memory = done.fleet, replace(self.memory, group=done.memory)
            self._activities = record_activities(self._activities, done.facts)
            self.world.show_states(done.facts, self.fleet.group.warm_pool)
            for fact in done.facts:
                self.recorder.note(fact)
            for instance in done.drain:
                self.world.drain(instance)
            for instance in done.terminate:
                self.world.terminate(instance)
            return done

    def inject(self, fault: Fault) -> str:
        """Inject a fault, at once or at its time; return its target, an instance's id or words.

        The result is empty for a planned fault of an instance that is chosen when it happens.

        Raises:
            RigError: there is no such target, or this rig cannot imitate the fault.
            FaultError: there is no such alarm.
        """
        with self._lock:
            if is_windowed(fault):
                faults = self.memory.faults.plan(fault, self.fleet.alarms, self.clock.now())
                self.memory = replace(self.memory, faults=faults)
                return fault.subject()
            return self._injector.inject(fault, self.memory.group)

    def note(self, text: str) -> None:
        """Write a note to the timeline."""
        self.recorder.note(Noted(self.clock.now(), text))

    def status(self) -> Status:
        """Return the status of the rig now."""
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
            processed=len(self.logs.record.processed),
            desired=group.desired,
            in_service=in_service,
            pending=len(wanted) - in_service,
            terminating=len(group.instances) - len(wanted),
            alarms={name: watch.memory.state for name, watch in self.memory.watches.items()},
        )

    def client_environment(self, caller: str = USER) -> dict[str, str]:
        """Return the environment for a client of this rig's queue, such as the producer."""
        return {**self._clients.settings(caller), "QUEUE_URL": self.queue_url}

    def consumer_environment(self, instance: str) -> dict[str, str]:
        """Return the environment for an instance's consumer that is a process on this machine."""
        return {**self.client_environment(instance), **self.consumer_settings(instance)}

    def consumer_settings(self, instance: str) -> dict[str, str]:
        """Return a consumer's settings from the user data, with durations at the rig's speed."""
        given = container_environment(self.fleet.user_data, {"INSTANCE_ID": instance})
        return shortened(given, self.clock.speed)

    def _note_conditions(self) -> None:
        for sentence in self.left_out:
            self.note(sentence)
        given = container_environment(self.fleet.user_data, {"INSTANCE_ID": "any"})
        for sentence in rounding(given, self.clock.speed):
            self.note(sentence)


def _clock(options: RigOptions, stack: ExitStack) -> RigClock:
    """Return a new clock, or that of an earlier rig in this folder that was killed."""
    if not options.resume:
        return RigClock.start(options.speed)
    file = options.folder / "clock.json"
    stack.callback(
        file.unlink, missing_ok=True
    )  # a rig that ends in order leaves nothing to resume
    return RigClock.resume(file, options.speed)
