"""The commands that simulate: `tidemill simulate`, `tidemill compare`, `tidemill trace`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tidemill.options import (
    DEFAULT_TEMPLATE,
    JsonOption,
    ParameterOption,
    TemplateOption,
    read_parameters,
    read_template,
    refuse_usage,
)
from tidemill.scaling.reading import read_fleet
from tidemill.simulator.figures import figures
from tidemill.simulator.handling import HandlerTime
from tidemill.simulator.run import START, Subject, simulate
from tidemill.simulator.scenario import SCENARIOS, Scenario, with_handler
from tidemill.simulator.tables import runs_table
from tidemill.simulator.times import Times
from tidemill.simulator.trace import read_trace, trace_scenario

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet
    from tidemill.scaling.timeline import Fact

app = typer.Typer()

ScenarioOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        metavar="NAME",
        help=f"What happens, repeat it: {', '.join(SCENARIOS)}. [default: all of them]",
    ),
]
TraceOption = Annotated[
    Path | None,
    typer.Option("--trace", metavar="FILE", help="Your own messages instead: CSV time,count."),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of all randomness.")]
MeanOption = Annotated[
    float, typer.Option("--handler-seconds", min=0, help="Mean seconds to handle a message.")
]
VariationOption = Annotated[
    float,
    typer.Option(
        "--handler-variation", min=0, help="Standard deviation of these, as a share of the mean."
    ),
]
SpotOption = Annotated[
    float,
    typer.Option("--spot-per-hour", min=0, help="Interruptions of one Spot instance an hour."),
]
BootOption = Annotated[
    float | None,
    typer.Option(
        "--boot-seconds", min=0, max=3600, help="Seconds from launch to a working consumer."
    ),
]
PictureOption = Annotated[
    Path | None, typer.Option("--picture", metavar="FILE", help="Draw it, as PNG or SVG.")
]


@app.command("simulate")
def run_scenarios(  # noqa: PLR0913, PLR0917 - each is an option of the command
    scenario: ScenarioOption = None,
    trace: TraceOption = None,
    seed: SeedOption = 1,
    template: TemplateOption = DEFAULT_TEMPLATE,
    parameter: ParameterOption = None,
    handler_seconds: MeanOption = 0.0,
    handler_variation: VariationOption = 0.0,
    spot_per_hour: SpotOption = 0.0,
    boot_seconds: BootOption = None,
    picture: PictureOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Run the template's fleet in virtual time: how long messages wait, what it costs."""
    handler = HandlerTime(handler_seconds, handler_variation)
    chosen, start = _stories(scenario, trace, handler)
    if picture is not None and len(chosen) != 1:
        refuse_usage("--picture: one picture shows one scenario: choose it with --scenario")
    times = _times(spot_per_hour, boot_seconds)
    subject = Subject.of_template(_fleet(template, parameter))
    facts: list[Fact] = []
    runs = []
    for one in chosen:
        result = simulate(
            subject, one, seed, times=times, tell=facts.extend if picture else None, start=start
        )
        runs.append(figures(subject, one, seed, result))
    if picture is not None:
        from tidemill.report.figure import draw_timeline  # noqa: PLC0415 - slow to import

        draw_timeline(facts, picture)
    _print({"runs": runs, "not_modelled": list(subject.fleet.not_modelled)}, as_json=as_json)


def _stories(
    names: list[str] | None, trace: Path | None, handler: HandlerTime
) -> tuple[list[Scenario], float]:
    """Return the scenarios asked for, and when they start."""
    if trace is not None:
        if names:
            refuse_usage("--scenario and --trace exclude each other: choose what happens")
        lots = read_trace(trace)
        return [trace_scenario(lots, trace.stem, handler)], lots[0][0] // 60 * 60
    for name in names or []:
        if name not in SCENARIOS:
            refuse_usage(f"--scenario: there is no {name}: choose of {', '.join(SCENARIOS)}")
    return [with_handler(SCENARIOS[name], handler) for name in names or SCENARIOS], START


def _times(spot_per_hour: float, boot_seconds: float | None) -> Times:
    usual = Times(spot_per_hour=spot_per_hour)
    if boot_seconds is None:
        return usual
    launch = min(usual.launch, boot_seconds)
    return Times(
        spot_per_hour=spot_per_hour, launch=launch, user_data=boot_seconds - launch, spread=0.0
    )


def _fleet(path: Path, given: list[str] | None) -> Fleet:
    return read_fleet(read_template(path), read_parameters(given))


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found))
        return
    console = Console()
    console.print(runs_table(found["runs"], f"Simulated with seed {found['runs'][0]['seed']}"))
    for sentence in found.get("not_modelled", []):
        console.print(f"not modelled: {sentence}", style="dim")
