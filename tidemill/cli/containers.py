"""The commands `tidemill fleet` and `tidemill compose`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tidemill.cli.live_view import LineView
from tidemill.cli.options import (
    DEFAULT_SPEED,
    DEFAULT_TEMPLATE,
    AutoscalingPortOption,
    BootOption,
    SpeedOption,
    TemplateOption,
    read_pairs,
    read_template,
    read_times,
    refuse_usage,
)
from tidemill.rig.containers.compose import down as bring_down
from tidemill.rig.containers.compose import keys as session_keys
from tidemill.rig.containers.compose import up as bring_up
from tidemill.rig.containers.options import SOCKET, Depth
from tidemill.rig.door.credentials import Session

FLEET_FOLDER = Path("build/fleet")
COMPOSE_FILE = Path("localstack/compose.yaml")
AUTOSCALING_PORT = 4567
"""The port next to LocalStack's 4566."""

compose = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

FileOption = Annotated[Path, typer.Option("--file", metavar="FILE", help="The compose file.")]


@compose.callback()
def _containers() -> None:
    """Run everything in containers, as `docker compose` with localstack/compose.yaml does."""


@compose.command("up")
def compose_up(file: FileOption = COMPOSE_FILE) -> None:
    """Start LocalStack, the stack and the fleet's controller; explain what prevents it."""
    bring_up(file)
    typer.echo("up: send with `docker compose -f localstack/compose.yaml run --rm producer`;")
    typer.echo('clients of your own need the session\'s keys: eval "$(tidemill compose keys)"')


@compose.command("down")
def compose_down(file: FileOption = COMPOSE_FILE) -> None:
    """Remove everything that runs there, messages included."""
    bring_down(file)


@compose.command("keys")
def compose_keys(file: FileOption = COMPOSE_FILE) -> None:
    """Print the session's keys as lines for a shell: eval "$(tidemill compose keys)"."""
    typer.echo(session_keys(file), nl=False)


def fleet(
    network: Annotated[
        str, typer.Option("--network", help="The Docker network that instances are on.")
    ],
    host: Annotated[
        str, typer.Option("--host", help="This controller's name or address on that network.")
    ],
    endpoint_url: Annotated[
        str,
        typer.Option(
            "--endpoint-url", metavar="URL", help="The local AWS, as seen from that network."
        ),
    ],
    session: Annotated[
        Path | None,
        typer.Option(
            "--session", metavar="FILE", help="The file with the secret of the local AWS's door."
        ),
    ] = None,
    stack: Annotated[str, typer.Option("--stack", help="The stack deployed there.")] = "tidemill",
    name: Annotated[
        str,
        typer.Option("--name", help="The fleet's name, in the names and labels of its containers."),
    ] = "tidemill",
    depth: Annotated[
        Depth,
        typer.Option(
            "--depth",
            help="What an instance is: a consumer container, or one that runs the user data.",
        ),
    ] = Depth.DIRECT,
    image: Annotated[
        str, typer.Option("--image", help="The consumer's image.")
    ] = "tidemill/consumer",
    instance_image: Annotated[
        str,
        typer.Option(
            "--instance-image", help="The image in place of the AMI, for depth user-data."
        ),
    ] = "tidemill/instance",
    docker_socket: Annotated[
        str,
        typer.Option(
            "--docker-socket", help="The Docker socket on the engine's host, or a volume with it."
        ),
    ] = SOCKET,
    handlers: Annotated[
        str,
        typer.Option(
            "--handlers",
            metavar="FOLDER",
            help="A folder with your handlers, an absolute path on the engine's host: every "
            "consumer can read it.",
        ),
    ] = "",
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label", metavar="NAME=VALUE", help="A label for every container; repeatable."
        ),
    ] = None,
    template: TemplateOption = DEFAULT_TEMPLATE,
    speed: SpeedOption = DEFAULT_SPEED,
    autoscaling_port: AutoscalingPortOption = AUTOSCALING_PORT,
    boot_seconds: BootOption = None,
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the timeline and the consumers' logs go.")
    ] = FLEET_FOLDER,
) -> None:
    """Control a fleet of containers for a stack in a local AWS; `docker compose up` runs this."""
    from tidemill.rig.containers.controller import ControllerOptions, run_controller  # noqa: PLC0415 - moto is slow to import

    if handlers and not handlers.startswith("/"):
        refuse_usage(f"--handlers {handlers}: give an absolute path on the engine's host")
    run_controller(
        ControllerOptions(
            folder=folder,
            template=read_template(template),
            endpoint=endpoint_url,
            session=Session.fresh() if session is None else Session.read(session),
            stack=stack,
            name=name,
            speed=speed,
            times=read_times(None, boot_seconds),
            autoscaling_port=autoscaling_port,
            depth=depth,
            image=image,
            instance_image=instance_image,
            network=network,
            host=host,
            socket=docker_socket,
            labels=read_pairs("--label", label),
            handlers=handlers,
        ),
        LineView(Console(soft_wrap=True)).show_fact,
    )
