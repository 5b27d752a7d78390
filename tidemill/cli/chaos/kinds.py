"""The commands `tidemill chaos`: one for each kind of fault, made from the table, and `run`."""

from __future__ import annotations

from inspect import Parameter as Argument
from inspect import Signature
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tidemill.cli.chaos.address import find_fleet
from tidemill.cli.chaos.run import run
from tidemill.cli.chaos.soak import soak
from tidemill.rig.autoscaling.fault_client import send_fault
from tidemill.scaling.fault_kinds import KINDS, Target, WorldKind
from tidemill.scaling.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.scaling.fault_kinds import FaultKind, FaultParameter

RIGS: Final = {WorldKind.PROCESSES, WorldKind.CONTAINERS}
"""The worlds that a command can send a fault to: those that run in another process."""

TARGETS: Final = {
    Target.INSTANCE: (
        "The instance, by its id or by its rank in age (1 is the oldest in service). [default: 1]"
    ),
    Target.CALLER: (
        "Whose calls: an instance, by its id or by its rank in age, or producer. [default: all]"
    ),
    Target.METRIC: "The metric of the queue: {choices}. [default: all that can have the fault]",
    Target.ALARM: "The alarm, by its logical id. [default: all of the fleet's]",
}
"""The help text of each kind of target."""

ENDPOINT: Final = Argument(
    "endpoint_url",
    Argument.KEYWORD_ONLY,
    default=None,
    annotation=Annotated[
        str | None,
        typer.Option(
            "--endpoint-url",
            metavar="URL",
            help="The fleet's Auto Scaling API. [default: that of the rig that is up]",
        ),
    ],
)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Inject a fault, as it happens on AWS, into a fleet that is up."""


def fault_command(kind: FaultKind) -> Callable[..., None]:
    """Return the function of a kind's command; typer reads the options from its signature."""

    def inject(*, endpoint_url: str | None, **given: str | float | None) -> None:
        target = given.pop(kind.target.value, None)
        numbers = {name: float(value) for name, value in given.items() if value is not None}
        fault = Fault(kind.name, None if target is None else str(target), parameters=numbers)
        answer = fault.phrase(kind.answer)
        fleet = find_fleet(endpoint_url)
        taken = send_fault(fleet.autoscaling_url, fleet.keys, fault)
        typer.echo(f"{taken} {answer}")

    arguments = [*_target_of(kind), *map(_option, kind.parameters), ENDPOINT]
    inject.__signature__ = Signature(arguments)  # type: ignore[attr-defined]  # functions may have it
    inject.__annotations__ = {argument.name: argument.annotation for argument in arguments}
    inject.__doc__ = kind.meaning
    return inject


def _target_of(kind: FaultKind) -> list[Argument]:
    """Return the argument that names a fault's target; the rig itself needs no name."""
    if kind.target is Target.RIG:
        return []
    text = TARGETS[kind.target].format(choices=", ".join(kind.choices))
    annotation = Annotated[str | None, typer.Argument(help=text)]
    return [Argument(kind.target.value, Argument.KEYWORD_ONLY, default=None, annotation=annotation)]


def _option(parameter: FaultParameter) -> Argument:
    name = f"--{parameter.name.replace('_', '-')}"
    text = f"{parameter.meaning} [default: {parameter.default:g}]"
    return Argument(
        parameter.name,
        Argument.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[float | None, typer.Option(name, min=0, help=text)],
    )


for _kind in KINDS.values():
    if RIGS & _kind.worlds:
        app.command(_kind.name)(fault_command(_kind))
app.command("run")(run)
app.command("soak")(soak)
