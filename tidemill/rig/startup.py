"""Start and end of a rig: starts the local AWS, deploys the template, and creates the world."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tidemill.rig.chaos.door_faults import DoorFaults
from tidemill.rig.child_processes import end_leftovers
from tidemill.rig.door.credentials import RIG, Session
from tidemill.rig.local_aws.clients import REGION, LocalClients, aws_errors_translated
from tidemill.rig.local_aws.deployment import deploy
from tidemill.rig.local_aws.ministack import LOG, local_aws
from tidemill.rig.lock import locked
from tidemill.rig.processes import ProcessWorld
from tidemill.rig.rig import Rig
from tidemill.rig.signals import first_only
from tidemill.scaling.fault_kinds import AWS_RESTARTS
from tidemill.scaling.template.fleet import resolved_fleet
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tidemill.rig.rig import RigOptions
    from tidemill.scaling.facts import Fact


@contextmanager
def running_rig(options: RigOptions, on_fact: Callable[[Fact], None]) -> Iterator[Rig]:
    """Run a rig inside the block; at the end of the block, everything that it started ends.

    Processes and logs that an earlier rig left in the same folder are removed first.

    Args:
        options: how to run it.
        on_fact: called with every fact as it happens.

    Raises:
        RigError: the rig cannot be started, or its local AWS fails inside the block.
        ScalingError: the template or a parameter is wrong.
    """
    resolver = Resolver(options.template, options.parameters, Place(options.stack, REGION))
    resolved_fleet(resolver)  # raises an error for wrong input before anything starts
    with first_only(), ExitStack() as stack:
        stack.enter_context(locked(options.folder))
        end_leftovers(options.folder)
        shutil.rmtree(options.folder / "logs", ignore_errors=True)
        stack.enter_context(aws_errors_translated(options.folder / LOG))
        session = Session.fresh()
        functions = options.run_functions
        running = local_aws(options.folder, options.port, REGION, session, run_functions=functions)
        aws = stack.enter_context(running)
        deployment = deploy(resolver, LocalClients(aws.url, session), run_functions=functions)
        fleet = resolved_fleet(resolver.deployed(deployment.physical)).under(options.times)

        def world(rig: Rig) -> ProcessWorld:
            return ProcessWorld(options.folder, rig.clock, rig.consumer_environment, options.times)

        faults = DoorFaults(aws.url, session.keys(RIG), {AWS_RESTARTS.name: aws.restart})
        yield Rig(replace(options, aws=faults), deployment, fleet, world, on_fact, stack)
