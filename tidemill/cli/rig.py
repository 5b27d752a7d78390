"""The commands for a rig that stays up: up, status, produce, down."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console

from tidemill.cli.options import (
    DEFAULT_SPEED,
    DEFAULT_TEMPLATE,
    AutoscalingPortOption,
    BootOption,
    JsonOption,
    ParameterOption,
    PortOption,
    RunFunctionsOption,
    SpeedOption,
    TemplateOption,
    TimesOption,
    print_json,
    read_parameters,
    read_template,
    read_times,
    read_working_fleet,
    tell_functions,
)
from tidemill.cli.report import DEMO_FOLDER
from tidemill.rig import background
from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.clients import without_aws
from tidemill.rig.rig import RigOptions

app = typer.Typer()

RIG_FOLDER = Path("build/rig")


@app.command(
    add_help_option=False,  # the producer has one, which lists its options
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def produce(context: typer.Context) -> None:
    """Send messages to the running rig; takes the producer's options (--count, --file, ...)."""
    command = [sys.executable, "-m", "producer", *context.args]
    if "--help" in context.args:
        raise typer.Exit(subprocess.run(command, check=False).returncode)
    state = background.read_state(RIG_FOLDER)
    if state is None:
        raise RigError(background.NONE_UP)
    # This process becomes the producer, so that signals are the producer's alone.
    os.execve(sys.executable, command, {**without_aws(os.environ), **state.producer})  # noqa: S606 - no shell


@app.command()
def up(
    template: TemplateOption = DEFAULT_TEMPLATE,
    parameter: ParameterOption = None,
    speed: SpeedOption = DEFAULT_SPEED,
    port: PortOption = 0,
    autoscaling_port: AutoscalingPortOption = 0,
    boot_seconds: BootOption = None,
    times: TimesOption = None,
    run_functions: RunFunctionsOption = False,  # noqa: FBT002 - a flag
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Start a rig in the background and keep it up, for messages from your own client.

    A rig runs the template on this machine: a local SQS, real consumers as instances, fast time.
    """
    # Wrong input is refused here, because the background process cannot print an error.
    read_working_fleet(read_template(template), read_parameters(parameter), RIG_FOLDER)
    read_times(times, boot_seconds)
    arguments = ["--template", str(template), "--speed", str(speed), "--port", str(port)]
    arguments += ["--autoscaling-port", str(autoscaling_port)]
    if boot_seconds is not None:
        arguments += ["--boot-seconds", str(boot_seconds)]
    if times is not None:
        arguments += ["--times", str(times)]
    if run_functions:
        arguments += ["--run-functions"]
    for given in parameter or []:
        arguments += ["--parameter", given]
    tell_functions(template, run_functions=run_functions)
    _show_state(background.start(RIG_FOLDER, arguments), as_json=as_json)


@app.command(hidden=True)
def serve(
    template: TemplateOption = DEFAULT_TEMPLATE,
    parameter: ParameterOption = None,
    speed: SpeedOption = DEFAULT_SPEED,
    port: PortOption = 0,
    autoscaling_port: AutoscalingPortOption = 0,
    boot_seconds: BootOption = None,
    times: TimesOption = None,
    run_functions: RunFunctionsOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Run a rig in the foreground; `tidemill up` starts this in the background."""
    background.serve(
        RigOptions(
            folder=RIG_FOLDER,
            template=read_template(template),
            parameters=read_parameters(parameter),
            speed=speed,
            port=port,
            times=read_times(times, boot_seconds),
            keep_facts=False,
            run_functions=run_functions,
        ),
        autoscaling_port,
    )


@app.command()
def down() -> None:
    """Stop the running rig, and every process that a killed one, or a killed demo, has left."""
    ended = background.stop(RIG_FOLDER, DEMO_FOLDER)
    typer.echo(f"ended {ended} process{'es' if ended > 1 else ''}")


@app.command()
def status(as_json: JsonOption = False) -> None:  # noqa: FBT002 - a flag
    """Show the running rig."""
    state = background.read_state(RIG_FOLDER)
    if state is None:
        raise RigError(background.NONE_UP)
    _show_state(state, as_json=as_json)


def _show_state(state: background.RigState, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(state))
        return
    from tidemill.cli.rig_output import state_table  # noqa: PLC0415 - rich is slow to import

    Console().print(state_table(state))
    typer.echo("send with `tidemill produce --count 100`, or with your own client:")
    for name, value in state.client.items():
        typer.echo(f"  export {name}={value}")
