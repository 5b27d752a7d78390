"""A rig from start to end: local AWS, deployed template, instances, and the loop over them."""

from __future__ import annotations

import shutil
import signal
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.rig.clients import REGION, LocalClients, aws_errors_told, client_settings
from tidemill.rig.clock import RigClock
from tidemill.rig.consumer_logs import ConsumerLogs
from tidemill.rig.deployment import deploy
from tidemill.rig.durations import rounding, shortened, whole
from tidemill.rig.errors import RigError
from tidemill.rig.leftovers import end_leftovers
from tidemill.rig.lock import locked
from tidemill.rig.ministack import LOG, local_aws
from tidemill.rig.mirror import CloudWatchMirror
from tidemill.rig.processes import LAUNCH_SECONDS, USER_DATA_SECONDS, ProcessWorld
from tidemill.rig.queues import QueueProbe
from tidemill.rig.recorder import Recorder
from tidemill.rig.userdata import container_environment
from tidemill.scaling.driver import drive
from tidemill.scaling.intrinsics import Place
from tidemill.scaling.loop import Memory, begin
from tidemill.scaling.ports import Ports
from tidemill.scaling.reading import read_fleet
from tidemill.scaling.timeline import Noted
from tidemill.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tidemill.rig.deployment import Deployment
    from tidemill.scaling.template import Document
    from tidemill.scaling.timeline import Fact

STACK = "tidemill"
ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
"""What may end a rig from outside: a closed terminal, Ctrl-C, and whoever asks for it."""


@dataclass(frozen=True, slots=True)
class RigOptions:
    """How to run a rig: `port` 0 is any free one, `boot_seconds` are AWS's, from launch to work.

    `keep_facts` keeps all facts in memory, for runs that end.
    """

    folder: Path
    template: Document
    parameters: Mapping[str, str]
    speed: float
    port: int = 0
    boot_seconds: float = LAUNCH_SECONDS + USER_DATA_SECONDS
    keep_facts: bool = True


class Rig:
    """A rig that runs; take turns with `turn`, as often as `pause` says."""

    def __init__(
        self,
        options: RigOptions,
        clients: LocalClients,
        deployment: Deployment,
        tell: Callable[[Fact], None],
        stack: ExitStack,
    ) -> None:
        """Start over a deployed template; `stack` ends what is started here."""
        place = Place(stack=STACK, region=REGION, physical=deployment.physical)
        fleet = read_fleet(options.template, options.parameters, place)
        self.endpoint = clients.endpoint
        self.fleet = fleet
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
        self.world = ProcessWorld(
            options.folder, self.clock, self._consumer_environment, options.boot_seconds
        )
        stack.callback(self.world.close)
        self.logs = ConsumerLogs(self.world.logs)
        self.probe = QueueProbe(
            clients.sqs, self.queue_url, self.dead_letter_url, self.world.polled
        )
        self.recorder = Recorder(options.folder / "timeline.jsonl", tell, keep=options.keep_facts)
        stack.callback(self.recorder.close)
        mirror = CloudWatchMirror(clients.cloudwatch, fleet)
        self._ports = Ports(self.probe, self.world, (mirror, self.recorder))
        self.memory: Memory = begin(fleet, self.clock.now())
        self._tell_conditions()
        stack.enter_context(_on_the_way_out())

    @property
    def pause(self) -> float:
        """Our seconds between two turns: five of AWS's, but at least a fifth and at most one."""
        return min(1.0, max(0.2, self.clock.real(5)))

    def turn(self) -> None:
        """Take one turn of the loop."""
        self.memory = drive(self.fleet, self.memory, self._ports, self.clock.now())

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

    def _consumer_environment(self, instance: str) -> dict[str, str]:
        given = container_environment(self.fleet.user_data, {"INSTANCE_ID": instance})
        return {**self.client_environment(), **shortened(given, self.clock.speed)}

    def _tell_conditions(self) -> None:
        for sentence in self.left_out:
            self.note(sentence)
        given = container_environment(self.fleet.user_data, {"INSTANCE_ID": "any"})
        for sentence in rounding(given, self.clock.speed):
            self.note(sentence)


@contextmanager
def running_rig(options: RigOptions, tell: Callable[[Fact], None]) -> Iterator[Rig]:
    """Run a rig inside the block; at its end everything that it started is ended.

    What an earlier rig in the same folder left behind, processes and files, is removed first.

    Args:
        options: how to run it.
        tell: hears every fact as it happens.

    Raises:
        RigError: it cannot be started, or its local AWS fails inside the block.
        ScalingError: the template or a parameter is wrong.
    """
    read_fleet(options.template, options.parameters)  # wrong input shows before anything starts
    with _signals_restored(), ExitStack() as stack:
        stack.enter_context(locked(options.folder))
        end_leftovers(options.folder)
        shutil.rmtree(options.folder / "logs", ignore_errors=True)
        stack.enter_context(aws_errors_told(options.folder / LOG))
        endpoint = stack.enter_context(local_aws(options.folder, options.port, REGION))
        clients = LocalClients(endpoint)
        deployment = deploy(options.template, options.parameters, STACK, clients)
        yield Rig(options, clients, deployment, tell, stack)


@contextmanager
def _on_the_way_out() -> Iterator[None]:
    """Ignore signals from the end of the block on: a second Ctrl-C must not leave children."""
    try:
        yield
    finally:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def _signals_restored() -> Iterator[None]:
    """Give signals back their handlers at the end of the block."""
    handlers = {number: signal.getsignal(number) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
