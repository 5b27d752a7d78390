"""The command `tidemill demo`: one run of the rig from the first message to the last instance."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from tidemill.cli.options import (
    DEFAULT_SPEED,
    DEFAULT_TEMPLATE,
    BootOption,
    JsonOption,
    ParameterOption,
    PortOption,
    RunFunctionsOption,
    SpeedOption,
    TemplateOption,
    TimesOption,
    find_template,
    print_json,
    read_parameters,
    read_template,
    read_times,
    read_working_fleet,
    refuse_usage,
    tell_functions,
)
from tidemill.cli.report import DEMO_FOLDER
from tidemill.ledger.errors import LedgerError
from tidemill.rig.conditions import about_run
from tidemill.rig.demo import DemoOptions, nothing_done, run_demo
from tidemill.rig.errors import RigError
from tidemill.rig.rig import RigOptions
from tidemill.rig.startup import running_rig
from tidemill.scaling.times.catalogue import mean_of

POISON: Final = 5
"""Malformed vehicles among random ones, unless another number is given."""


def demo(
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="Random vehicles to send. [default: 500]")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="Send what this file holds: JSON lines, a JSON array, CSV; - is stdin.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random vehicles.")] = 1,
    poison: Annotated[
        int | None,
        typer.Option(
            "--poison", min=0, help="Malformed messages to mix in. [default: 5, 0 with --file]"
        ),
    ] = None,
    skip_invalid: Annotated[  # noqa: FBT002 - a flag
        bool,
        typer.Option("--skip-invalid", help="Skip invalid lines of the file instead of stopping."),
    ] = False,
    group_id: Annotated[
        str | None,
        typer.Option(
            "--group-id",
            metavar="TEMPLATE",
            help="Group of each message, for FIFO queues and fair ones, such as '{customer}'. "
            "[default for random vehicles on FIFO queues: {vehicleId}]",
        ),
    ] = None,
    producer_options: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="-- OPTIONS",
            help="Further options of the producer (docs/producer.md), such as -- --format csv.",
            show_default=False,
        ),
    ] = None,
    max_minutes: Annotated[
        float,
        typer.Option("--max-minutes", min=1, help="Give up after this many minutes of AWS's time."),
    ] = 240,
    template: TemplateOption = DEFAULT_TEMPLATE,
    parameter: ParameterOption = None,
    speed: SpeedOption = DEFAULT_SPEED,
    port: PortOption = 0,
    boot_seconds: BootOption = None,
    times: TimesOption = None,
    run_functions: RunFunctionsOption = False,  # noqa: FBT002 - a flag
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Run everything once: send messages, scale out, drain the queue, scale in to 0."""
    if count is not None and file is not None:
        refuse_usage("--count and --file cannot be combined: choose what to send")
    if file is not None and file != "-" and Path(file).is_dir():
        refuse_usage(f"--file: {file} is a folder")
    if file is not None and file != "-" and not Path(file).exists():
        refuse_usage(f"--file: there is no file {file}")
    template = find_template(template)
    document, parameters = read_template(template), read_parameters(parameter)
    read_working_fleet(document, parameters, DEMO_FOLDER)
    options = RigOptions(
        folder=DEMO_FOLDER,
        template=document,
        parameters=parameters,
        speed=speed,
        port=port,
        times=read_times(times, boot_seconds),
        run_functions=run_functions,
    )
    tell_functions(template, run_functions=run_functions)
    what = ["--file", file] if file is not None else ["--count", str(count or 500)]
    if poison is None:
        poison = POISON if file is None else 0
    producer = [*what, "--seed", str(seed), "--poison", str(poison)]
    producer += ["--skip-invalid"] if skip_invalid else []
    producer += ["--group-id", group_id] if group_id is not None else []
    producer += producer_options or []
    summary = _run_demo(options, DemoOptions(producer, max_minutes))
    summary |= about_run(
        source=f"the file {file}" if file is not None else f"{count or 500} random vehicles",
        seed=seed,
        template=template,
        parameters=options.parameters,
        speed=speed,
        command=shlex.join(["tidemill", *sys.argv[1:]]),
    )
    summary["boot_seconds"] = round(options.times.boot(), 1)
    summary["running_seconds"] = round(mean_of(options.times.until_running()), 1)
    _finish_demo(summary, as_json=as_json)


def _run_demo(options: RigOptions, sending: DemoOptions) -> dict[str, Any]:
    from tidemill.cli.live_view import open_view  # noqa: PLC0415 - only this command shows a view

    for result in (
        "summary.json",
        "timeline.png",
    ):  # an earlier run's: this run may fail before it writes its own
        (options.folder / result).unlink(missing_ok=True)
    with open_view(Console(stderr=True)) as view, running_rig(options, view.show_fact) as rig:
        summary = run_demo(rig, sending, options.folder, view.show)
        summary["left_out"] = list(rig.left_out)
    return summary


def _finish_demo(summary: dict[str, Any], *, as_json: bool) -> None:
    from tidemill.cli.rig_output import summary_table  # noqa: PLC0415 - rich is slow to import
    from tidemill.report.results import read_facts  # noqa: PLC0415 - only this command needs it
    from tidemill.report.tables import reason_lines  # noqa: PLC0415 - only this command needs it
    from tidemill.report.timeline_figure import draw_timeline  # noqa: PLC0415 - matplotlib is slow to import

    (DEMO_FOLDER / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    draw_timeline(read_facts(DEMO_FOLDER), DEMO_FOLDER / "timeline.png")
    if as_json:
        print_json(summary)
    else:
        Console().print(summary_table(summary))
        for text in reason_lines(summary):
            typer.echo(text)
        typer.echo(f"files: {DEMO_FOLDER}/ (timeline.png, timeline.jsonl, summary.json, logs/)")
    if sentence := nothing_done(summary):
        raise RigError(sentence)
    if summary["final_instances"]:
        raise RigError(f"{summary['final_instances']} instances still run")
    if problems := summary["problems"]:
        raise LedgerError(f"{problems[0]}: `tidemill ledger` has the details")
