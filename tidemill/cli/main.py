"""The command `tidemill`: the demo, a rig that stays up, and what other modules add."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from tidemill.cli.containers import RIG_FOLDER, chaos, compose, fleet
from tidemill.cli.dashboard import app as dashboard
from tidemill.cli.lint import app as lint
from tidemill.cli.options import (
    DEFAULT_BOOT,
    DEFAULT_SPEED,
    DEFAULT_TEMPLATE,
    AutoscalingPortOption,
    BootOption,
    JsonOption,
    ParameterOption,
    PortOption,
    SpeedOption,
    TemplateOption,
    read_parameters,
    read_template,
    refuse_usage,
)
from tidemill.cli.report import DEMO_FOLDER, agree, report
from tidemill.cli.simulate import app as simulator
from tidemill.dashboard.errors import ExportError
from tidemill.report.errors import ReportError
from tidemill.rig import background as daemon
from tidemill.rig.conditions import about_run
from tidemill.rig.demo import DemoOptions, run_demo
from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.clients import without_aws
from tidemill.rig.rig import RigOptions
from tidemill.rig.startup import running_rig
from tidemill.scaling.errors import ParameterError, ScalingError
from tidemill.scaling.template.fleet import read_fleet

USAGE = 2
FAILURE = 1
INTERRUPTED = 128 + signal.SIGINT

app = typer.Typer(
    name="tidemill",
    help="Queue worker fleets that scale from zero: the deployed template, run on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C.",
)
app.add_typer(dashboard, name="dashboard")
app.add_typer(simulator)
app.add_typer(lint)
app.add_typer(chaos, name="chaos")
app.add_typer(compose, name="compose")
app.command()(fleet)
app.command()(agree)
app.command()(report)


@app.command()
def demo(  # noqa: PLR0913, PLR0917 - each is an option of the command
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="Random vehicles to send. [default: 500]")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE", help="Send this file's JSON lines; - is stdin."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random vehicles.")] = 1,
    poison: Annotated[
        int, typer.Option("--poison", min=0, help="Malformed messages to mix in.")
    ] = 5,
    max_minutes: Annotated[
        float, typer.Option("--max-minutes", min=1, help="Give up after this much of AWS's time.")
    ] = 240,
    template: TemplateOption = DEFAULT_TEMPLATE,
    parameter: ParameterOption = None,
    speed: SpeedOption = DEFAULT_SPEED,
    port: PortOption = 0,
    boot_seconds: BootOption = DEFAULT_BOOT,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Run the whole story once: messages come, the fleet rises, drains the queue, goes to 0."""
    if count is not None and file is not None:
        refuse_usage("--count and --file exclude each other: choose what to send")
    if file is not None and file != "-" and not Path(file).is_file():
        refuse_usage(f"--file: there is no file {file}")
    options = RigOptions(
        folder=DEMO_FOLDER,
        template=read_template(template),
        parameters=read_parameters(parameter),
        speed=speed,
        port=port,
        boot_seconds=boot_seconds,
    )
    what = ["--file", file] if file is not None else ["--count", str(count or 500)]
    producer = [*what, "--seed", str(seed), "--poison", str(poison)]
    summary = _run_demo(options, DemoOptions(producer, max_minutes))
    summary |= about_run(
        source=f"the file {file}" if file is not None else f"{count or 500} random vehicles",
        seed=seed,
        template=template,
        parameters=options.parameters,
        speed=speed,
        command=shlex.join(["tidemill", *sys.argv[1:]]),
    )
    summary["boot_seconds"] = boot_seconds
    _finish_demo(summary, as_json=as_json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def produce(context: typer.Context) -> None:
    """Send messages to the rig that is up; takes the producer's options (--count, --file, ...)."""
    state = daemon.read_state(RIG_FOLDER)
    if state is None:
        raise RigError(daemon.NONE_UP)
    command = [sys.executable, "-m", "producer", *context.args]
    raise typer.Exit(
        subprocess.run(
            command, env={**without_aws(os.environ), **state.client}, check=False
        ).returncode
    )


@app.command()
def up(  # noqa: PLR0913, PLR0917 - each is an option of the command
    template: TemplateOption = DEFAULT_TEMPLATE,
    parameter: ParameterOption = None,
    speed: SpeedOption = DEFAULT_SPEED,
    port: PortOption = 0,
    autoscaling_port: AutoscalingPortOption = 0,
    boot_seconds: BootOption = DEFAULT_BOOT,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Start a rig that stays up, for messages of your own client."""
    # A wrong parameter shows here: the exit code of what runs in the background is not ours.
    read_fleet(read_template(template), read_parameters(parameter))
    arguments = ["--template", str(template), "--speed", str(speed), "--port", str(port)]
    arguments += ["--autoscaling-port", str(autoscaling_port), "--boot-seconds", str(boot_seconds)]
    for given in parameter or []:
        arguments += ["--parameter", given]
    _show_state(daemon.start(RIG_FOLDER, arguments), as_json=as_json)


@app.command(hidden=True)
def serve(  # noqa: PLR0913, PLR0917 - each is an option of the command
    template: TemplateOption = DEFAULT_TEMPLATE,
    parameter: ParameterOption = None,
    speed: SpeedOption = DEFAULT_SPEED,
    port: PortOption = 0,
    autoscaling_port: AutoscalingPortOption = 0,
    boot_seconds: BootOption = DEFAULT_BOOT,
) -> None:
    """Run a rig in the foreground; what `tidemill up` starts in the background."""
    daemon.serve(
        RigOptions(
            folder=RIG_FOLDER,
            template=read_template(template),
            parameters=read_parameters(parameter),
            speed=speed,
            port=port,
            boot_seconds=boot_seconds,
            keep_facts=False,
        ),
        autoscaling_port,
    )


@app.command()
def down() -> None:
    """End the rig that is up, and whatever a crashed one left behind."""
    ended = daemon.stop(RIG_FOLDER)
    typer.echo(f"ended {ended} process{'es' if ended > 1 else ''}")


@app.command()
def status(as_json: JsonOption = False) -> None:  # noqa: FBT002 - a flag
    """Show the rig that is up."""
    state = daemon.read_state(RIG_FOLDER)
    if state is None:
        raise RigError(daemon.NONE_UP)
    _show_state(state, as_json=as_json)


def main() -> NoReturn:
    """Run the command; every error is one line on stderr, with the exit code that says its kind."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, lambda got, _frame: sys.exit(128 + got))
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:  # what typer makes of Ctrl-C
            _complain("ended by Ctrl-C, and with it everything that it had started", code)
    except typer.TyperException as error:
        code = _complain(error.format_message(), error.exit_code)
    except ParameterError as error:
        code = _complain(str(error), USAGE)
    except (ExportError, RigError, ScalingError, ReportError) as error:
        code = _complain(str(error), FAILURE)
    sys.exit(code or 0)


def _run_demo(options: RigOptions, sending: DemoOptions) -> dict[str, object]:
    from tidemill.cli.live_view import open_view  # noqa: PLC0415 - only this command shows a view

    for result in ("summary.json", "timeline.png"):  # of an earlier run: this one may not end
        (options.folder / result).unlink(missing_ok=True)
    with open_view(Console(stderr=True)) as view, running_rig(options, view.tell) as rig:
        summary = run_demo(rig, sending, options.folder, view.show)
        summary["left_out"] = list(rig.left_out)
    return summary


def _finish_demo(summary: dict[str, object], *, as_json: bool) -> None:
    from tidemill.report.results import read_facts  # noqa: PLC0415
    from tidemill.report.tables import summary_table  # noqa: PLC0415
    from tidemill.report.timeline_figure import draw_timeline  # noqa: PLC0415 - matplotlib is slow to import

    (DEMO_FOLDER / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    draw_timeline(read_facts(DEMO_FOLDER), DEMO_FOLDER / "timeline.png")
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        Console().print(summary_table(summary))
        typer.echo(f"files: {DEMO_FOLDER}/ (timeline.png, timeline.jsonl, summary.json, logs/)")
    if summary["lost"] or summary["final_instances"]:
        raise RigError(
            f"{summary['lost']} messages are lost, {summary['final_instances']} instances are left"
        )


def _show_state(state: daemon.RigState, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(state)))
        return
    from tidemill.report.tables import state_table  # noqa: PLC0415

    Console().print(state_table(state))
    typer.echo("send with `tidemill produce --count 100`, or with your own client:")
    for name, value in state.client.items():
        typer.echo(f"  export {name}={value}")


def _complain(sentence: str, code: int) -> int:
    typer.echo(f"tidemill: {sentence}", err=True)
    return code
