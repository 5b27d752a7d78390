"""Controller of a fleet of containers: runs a rig over a stack that a local AWS has deployed."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tidemill.rig.autoscaling.server import serving
from tidemill.rig.chaos.door_faults import DoorFaults, end_at_once
from tidemill.rig.containers.engine import DockerEngine
from tidemill.rig.containers.options import ContainerOptions, Depth
from tidemill.rig.containers.world import ContainerWorld
from tidemill.rig.door.credentials import RIG, Keys
from tidemill.rig.door.guard import LOOPBACK, Guard
from tidemill.rig.local_aws.clients import (
    REGION,
    LocalClients,
    aws_errors_translated,
    client_settings,
)
from tidemill.rig.local_aws.deployment import await_deployment
from tidemill.rig.lock import locked
from tidemill.rig.rig import Rig, RigOptions
from tidemill.rig.signals import ENDING, handlers_restored
from tidemill.scaling.fault_kinds import CONTROLLER_KILLED
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import Instance
from tidemill.scaling.template.fleet import read_fleet
from tidemill.scaling.template.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tidemill.rig.containers.world import Adopted
    from tidemill.rig.door.credentials import Session
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.spec import Group
    from tidemill.scaling.template.document import Document
    from tidemill.scaling.times.catalogue import Times

STACK_SECONDS: Final = 60.0
"""Time for the local AWS and its stack to be ready after the start of the controller."""
NOT_FOR_INSTANCES: Final = frozenset(
    {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"}
)
"""Settings of local clients that are left out for instances: an instance reads its role's
credentials from instance metadata, as on EC2."""


@dataclass(frozen=True, slots=True)
class ControllerOptions:
    """How to run a controller.

    Args:
        folder: the folder for timeline and logs.
        template: the template that the stack was created from.
        endpoint: the URL of the local AWS, for the controller and for the instances.
        session: the session of its door; the instances and the API's callers have its keys.
        stack: the stack's name; its parameters are read from the local AWS.
        name: the fleet's name, in names and labels of its containers.
        speed: how many times faster than wall-clock time AWS's time runs.
        times: AWS's times, of which instances take the means.
        autoscaling_port: the port of the Auto Scaling API; 0 is any free port.
        depth: what an instance consists of.
        image: the consumer's image.
        instance_image: the image that stands in for the AMI with depth user-data.
        network: the Docker network that instances are on.
        host: the controller's own name or address on that network.
        socket: the path of the engine's socket on its host, or the volume of the fleet's own.
        labels: further labels for every container.
        handlers: a folder on the engine's host with the user's handlers, none if it is empty.
    """

    folder: Path
    template: Document
    endpoint: str
    session: Session
    stack: str
    name: str
    speed: float
    times: Times
    autoscaling_port: int
    depth: Depth
    image: str
    instance_image: str
    network: str
    host: str
    socket: str
    labels: Mapping[str, str]
    handlers: str = ""


def run_controller(options: ControllerOptions, on_fact: Callable[[Fact], None]) -> None:
    """Run a controller until SIGTERM, SIGINT or the group's deletion; then remove its containers.

    A controller that is killed leaves them running, and the next one adopts them.

    Raises:
        RigError: there is no engine, image, network or local AWS, or one of them fails later.
    """
    stop_signals: list[int] = []
    with handlers_restored():
        for number in ENDING:
            signal.signal(number, lambda got, _frame: stop_signals.append(got))
        with running_controller(options, on_fact) as rig:
            while not (stop_signals or rig.memory.group.deleted):
                rig.turn()
                time.sleep(rig.pause)


@contextmanager
def running_controller(
    options: ControllerOptions, on_fact: Callable[[Fact], None]
) -> Iterator[Rig]:
    """Run a controller inside the block; at its end every container of the fleet is removed."""
    with ExitStack() as stack:
        stack.enter_context(locked(options.folder))
        stack.enter_context(aws_errors_translated("the local AWS's own log"))
        engine = DockerEngine()
        stack.callback(engine.close)
        for image in _images(options):
            engine.check_image(image)
        engine.check_network(options.network)
        clients = LocalClients(options.endpoint, options.session)
        deployment, parameters = await_deployment(clients, options.stack, STACK_SECONDS)
        place = Place(options.stack, REGION, physical=deployment.physical)
        fleet = read_fleet(options.template, parameters, place)
        rig_options = RigOptions(
            folder=options.folder,
            template=options.template,
            parameters=parameters,
            speed=options.speed,
            times=options.times,
            keep_facts=False,
            stack=options.stack,
            resume=True,
            aws=DoorFaults(
                options.endpoint,
                options.session.keys(RIG),
                {CONTROLLER_KILLED.name: end_at_once},
            ),
        )
        worlds: list[ContainerWorld] = []
        served: list[str] = []

        def world(rig: Rig) -> ContainerWorld:
            # The rig needs this world, and the API needs the rig: the world gets the URL later.
            worlds.append(_world(rig, engine, options, lambda: _for_instances(options, served[0])))
            return worlds[0]

        rig = Rig(rig_options, deployment, fleet, world, on_fact, stack)
        rig.begin_with(partial(adopted, rig.fleet.group, found=worlds[0].adopt()))
        guard = Guard(options.session, LOOPBACK | {options.host})
        served.append(stack.enter_context(serving(rig, guard, "0.0.0.0", options.autoscaling_port)))  # noqa: S104 - the instances and the user's machine are on other networks
        yield rig


def adopted(group: Group, memory: GroupMemory, now: float, found: list[Adopted]) -> GroupMemory:
    """Return the memory of a group that adopts these instances of an earlier controller.

    Instances whose program has started are in service. Until an alarm changes it, the desired
    capacity is the number of all of them, within the group's limits.
    """
    instances = tuple(
        Instance(
            item.instance,
            LifecycleState.IN_SERVICE if item.booted else LifecycleState.PENDING,
            item.launched_at,
            in_service_at=now if item.booted else None,
            protected=item.booted and group.protects,
        )
        for item in sorted(found, key=lambda item: item.launched_at)
    )
    numbers = [int(item.id.removeprefix("i-"), 16) for item in instances]
    return replace(
        memory,
        desired=memory.limits(group).clamp(max(memory.desired, len(instances))),
        instances=instances,
        launched=max([memory.launched, *numbers]),
    )


def _images(options: ControllerOptions) -> list[str]:
    deep = options.depth is Depth.USER_DATA
    return [options.image, *([options.instance_image] if deep else [])]


def _for_instances(options: ControllerOptions, url: str) -> str:
    """Return a URL of the controller with the host name that instances use for it."""
    return f"http://{options.host}:{urlsplit(url).port}"


def _world(
    rig: Rig, engine: DockerEngine, options: ControllerOptions, autoscaling: Callable[[], str]
) -> ContainerWorld:
    local = {
        name: value
        for name, value in client_settings(options.endpoint, Keys("", "")).items()
        if name not in NOT_FOR_INSTANCES
    }

    def direct(instance: str) -> dict[str, str]:
        return {**local, "QUEUE_URL": rig.queue_url, **rig.consumer_settings(instance)}

    def by_user_data(_instance: str) -> dict[str, str]:
        return {
            **local,
            "AWS_ENDPOINT_URL_AUTO_SCALING": autoscaling(),
            "SPEED": f"{options.speed:g}",
            "QUEUE_URL": rig.queue_url,
        }

    return ContainerWorld(
        engine,
        ContainerOptions(
            fleet=options.name,
            depth=options.depth,
            image=options.image,
            instance_image=options.instance_image,
            network=options.network,
            host=options.host,
            region=REGION,
            socket=options.socket,
            labels=options.labels,
            user_data=rig.fleet.user_data,
            session=options.session,
            times=options.times,
            handlers=options.handlers,
        ),
        options.folder,
        rig.clock,
        direct if options.depth is Depth.DIRECT else by_user_data,
    )
