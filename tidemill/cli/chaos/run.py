"""The command `tidemill chaos run`: a plan of faults, drawn from a seed, in a fleet that is up."""

from __future__ import annotations

import time
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tidemill.cli.chaos.address import find_fleet
from tidemill.cli.options import DEFAULT_SPEED, JsonOption, print_json, refuse_usage
from tidemill.rig.autoscaling.fault_client import send_fault
from tidemill.rig.chaos.plan import describe, draw_plan, kinds_of, read_plan, write_plan
from tidemill.rig.chaos.runner import PlanRun
from tidemill.rig.errors import RigError
from tidemill.scaling.fault_kinds import WorldKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemill.rig.chaos.plan import Plan

MINUTE: Final = 60
PAUSE: Final = 0.1
"""Wall-clock seconds between two looks at what is due."""


def run(
    *,
    seed: Annotated[int, typer.Option("--seed", help="The seed that the plan is drawn from.")] = 1,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.1, help="How long to go on, in AWS's minutes.")
    ] = 30,
    every: Annotated[
        float, typer.Option("--every", min=1, help="Seconds of AWS's time for each fault.")
    ] = 120,
    kinds: Annotated[
        str | None,
        typer.Option(
            "--kinds", metavar="A,B,...", help="Kinds of faults. [default: all of this world]"
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="Repeat the plan in this file instead."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write the plan to this file.")
    ] = None,
    only_plan: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan, and let nothing happen.")
    ] = False,
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            "--endpoint-url",
            metavar="URL",
            help="The Auto Scaling API of a fleet of containers. [default: the rig that is up]",
        ),
    ] = None,
    speed: Annotated[
        float,
        typer.Option("--speed", min=1, help="The speed of the fleet at --endpoint-url."),
    ] = DEFAULT_SPEED,
    as_json: JsonOption = False,
) -> None:
    """Let faults happen by a plan: drawn from a seed, printed, and repeatable.

    Exit code 1 means that none of the planned faults could happen.
    """
    world = WorldKind.PROCESSES if endpoint_url is None else WorldKind.CONTAINERS
    chosen = _chosen(plan, seed, minutes * MINUTE, every, _names(kinds, world))
    if save is not None:
        _save(chosen, save)
    if not as_json:
        _show(chosen)
    if only_plan:
        if as_json:
            typer.echo(write_plan(chosen))
        return
    fleet = find_fleet(endpoint_url)
    going = PlanRun(
        chosen,
        lambda fault: send_fault(fleet.autoscaling_url, fleet.keys, fault),
        fleet.speed or speed,
    )
    _carry_out(going, quiet=as_json)
    figures = going.figures()
    if as_json:
        print_json(figures)
    else:
        typer.echo(f"{figures['faults_happened']} of {figures['faults_planned']} faults happened")
    if chosen.faults and not figures["faults_happened"]:
        raise RigError(f"no fault happened: {going.done[0].missed}")


def _names(given: str | None, world: WorldKind) -> Sequence[str]:
    if given is None:
        return kinds_of(world)
    return [name.strip() for name in given.split(",") if name.strip()]


def _chosen(
    file: Path | None, seed: int, seconds: float, every: float, kinds: Sequence[str]
) -> Plan:
    if file is None:
        try:
            return draw_plan(seed, seconds, every, kinds)
        except RigError as error:
            refuse_usage(f"--kinds: {error}")
    try:
        return read_plan(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        refuse_usage(f"--plan: cannot read {file}: {getattr(error, 'strerror', None) or error}")
    except RigError as error:
        refuse_usage(f"--plan: {error}")


def _save(plan: Plan, file: Path) -> None:
    try:
        file.write_text(write_plan(plan) + "\n", encoding="utf-8")
    except OSError as error:
        refuse_usage(f"--save: cannot write {file}: {error.strerror}")


def _show(plan: Plan) -> None:
    source = "from a file" if plan.seed is None else f"of seed {plan.seed}"
    typer.echo(f"plan {source}: {len(plan.faults)} faults in {plan.seconds / MINUTE:g} minutes")
    for fault in plan.faults:
        typer.echo(f"  {describe(fault)}")


def _carry_out(going: PlanRun, *, quiet: bool) -> None:
    started = time.monotonic()
    while not going.is_over(time.monotonic() - started):
        for one in going.advance(time.monotonic() - started):
            if not quiet:
                what = f"happened to {one.target}" if not one.missed else f"missed: {one.missed}"
                typer.echo(f"{one.at:g} s: {one.fault['kind']} {what}")
        time.sleep(PAUSE)
