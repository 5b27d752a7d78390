"""The command `tidemill chaos soak`: a run under faults in which every message is counted."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tidemill.cli.options import (
    DEFAULT_TEMPLATE,
    BootOption,
    JsonOption,
    find_template,
    print_json,
    read_template,
    read_times,
    refuse_usage,
)
from tidemill.cli.report import SOAK_FOLDER
from tidemill.rig.chaos import handlers
from tidemill.rig.chaos.soak import run_soak
from tidemill.rig.chaos.soak_options import SoakOptions
from tidemill.rig.chaos.soak_summary import summarize
from tidemill.rig.conditions import about_run
from tidemill.rig.errors import RigError
from tidemill.rig.rig import RigOptions
from tidemill.scaling.fault_kinds import KINDS, WorldKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.rig.chaos.bench import Bench

HANDLERS: Final = Path(handlers.__file__).parent
TEMPLATE: Final = find_template(DEFAULT_TEMPLATE)
WORLDS: Final = (WorldKind.PROCESSES, WorldKind.CONTAINERS)


def soak(
    *,
    seed: Annotated[int, typer.Option("--seed", help="Seed of faults and messages.")] = 1,
    world: Annotated[
        WorldKind, typer.Option("--world", help="What instances are: processes or containers.")
    ] = WorldKind.PROCESSES,
    count: Annotated[int, typer.Option("--count", min=1, help="Messages to send.")] = 10_000,
    poison: Annotated[
        int | None,
        typer.Option("--poison", min=0, help="How many are malformed. [default: one in a hundred]"),
    ] = None,
    instances: Annotated[
        int, typer.Option("--instances", min=1, help="Largest number of instances.")
    ] = 4,
    rate: Annotated[
        float, typer.Option("--rate", min=0.1, help="Messages a second, by this machine's clock.")
    ] = 50,
    every: Annotated[
        float,
        typer.Option("--every", min=0.5, help="Seconds to the next fault, by the same clock."),
    ] = 10,
    kinds: Annotated[
        str | None,
        typer.Option("--kinds", metavar="A,B,...", help="Kinds of faults. [default: all]"),
    ] = None,
    speed: Annotated[
        float, typer.Option("--speed", min=1, max=60, help="How fast AWS's time runs.")
    ] = 10,
    boot_seconds: BootOption = None,
    image: Annotated[
        str, typer.Option("--image", help="The consumer's image, for containers.")
    ] = "tidemill/consumer",
    folder: Annotated[
        Path, typer.Option("--folder", help="Each run has a folder WORLD-SEED in it.")
    ] = SOAK_FOLDER,
    as_json: JsonOption = False,
) -> None:
    """Send messages through a fleet while faults happen, drain it, and account for each message.

    The exit code is 1 if a message is lost, stuck or unexpected, if a malformed one is not among
    the dead letters, or if a duplicate has no explanation.
    """
    if world not in WORLDS:
        refuse_usage(f"--world: choose {' or '.join(WORLDS)}")
    names = [name.strip() for name in kinds.split(",")] if kinds else []
    if unknown := sorted(set(names) - KINDS.keys()):
        refuse_usage(f"--kinds: there is no fault {', '.join(unknown)}")
    options = SoakOptions(
        seed=seed,
        messages=count,
        poison=count // 100 if poison is None else poison,
        rate=rate,
        every=every,
        instances=instances,
        kinds=names,
    )
    own = folder / f"{world}-{seed}"
    own.mkdir(parents=True, exist_ok=True)
    (own / "summary.json").unlink(missing_ok=True)
    parameters = {
        "Handler": "soak_handler:handle",
        "MaxInstances": str(instances),
        "MaxReceiveCount": "10",
        "PollWaitSeconds": "0",
        "Workers": "1",
        "Concurrency": "4",
    }
    times = read_times(None, boot_seconds)
    rig = RigOptions(own, read_template(TEMPLATE), parameters, speed=speed, times=times)
    with _bench(world, rig, image) as bench:
        run = run_soak(bench, options, lambda line: typer.echo(line, err=True))
    about = about_run(
        source=f"{count} random vehicles",
        seed=seed,
        template=TEMPLATE,
        parameters=parameters,
        speed=speed,
        command=shlex.join(["tidemill", *sys.argv[1:]]),
    )
    summary = summarize(bench, options, run, about)
    _draw(own)
    if as_json:
        print_json(summary)
    else:
        _show(summary, own)
    if broken := summary["broken_promises"]:
        raise RigError("; ".join(broken))


@contextmanager
def _bench(world: WorldKind, rig: RigOptions, image: str) -> Iterator[Bench]:
    if world is WorldKind.CONTAINERS:
        from tidemill.rig.chaos.container_bench import container_bench  # noqa: PLC0415 - docker is slow to import

        with container_bench(rig, TEMPLATE, image, HANDLERS) as bench:
            yield bench
        return
    from tidemill.rig.chaos.bench import ProcessBench  # noqa: PLC0415 - moto is slow to import
    from tidemill.rig.startup import running_rig  # noqa: PLC0415 - so is boto3

    found = [str(HANDLERS.resolve()), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, found))  # for the rig's children
    with running_rig(rig, lambda _: None) as running:
        yield ProcessBench(running, rig.folder)


def _draw(folder: Path) -> None:
    from tidemill.report.results import read_facts  # noqa: PLC0415 - only this command needs it
    from tidemill.report.timeline_figure import draw_timeline  # noqa: PLC0415 - matplotlib is slow to import

    draw_timeline(read_facts(folder), folder / "timeline.png")


SHOWN: Final = (
    "sent",
    "indeterminate",
    "recovered",
    "processed",
    "deleted",
    "dead_lettered",
    "poison",
    "poison_dead_lettered",
    "lost",
    "left_in_queue",
    "unexpected",
    "duplicates",
    "unexplained_duplicates",
)


def _show(summary: Mapping[str, Any], folder: Path) -> None:
    typer.echo(
        f"seed {summary['seed']} in {summary['world']}: {summary['faults_happened']} faults of "
        f"{len(summary['kinds_happened'])} kinds"
    )
    for name in SHOWN:
        typer.echo(f"  {name.replace('_', ' ')}: {summary[name]}")
    for cause, number in summary["duplicate_causes"].items():
        typer.echo(f"  duplicates because {cause}: {number}")
    typer.echo(f"files: {folder}/ (timeline.png, summary.json, plan.json, timeline.jsonl, logs/)")
