"""Commands of the simulator: `tidemill simulate` and `tidemill compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from tidemill.cli.loads import (
    AlwaysFailingOption,
    CrashingOption,
    FailingOption,
    FaultOption,
    GroupsOption,
    LoadOption,
    MeanOption,
    ScenarioOption,
    TraceOption,
    VariationOption,
    Work,
    chosen_scenarios,
    with_faults,
)
from tidemill.cli.options import (
    DEFAULT_TEMPLATE,
    BootOption,
    JsonOption,
    ParameterOption,
    TemplateOption,
    TimesOption,
    print_json,
    read_parameters,
    read_template,
    read_times,
    refuse_usage,
)
from tidemill.cli.simulate_output import print_tables, rates, remarks, run_tables, sensitivity_table
from tidemill.report.sentences import sentence
from tidemill.scaling.facts import FaultBegan, FaultEnded, Noted, stamp
from tidemill.scaling.template.fleet import read_fleet
from tidemill.simulator.candidate import Candidate
from tidemill.simulator.instances.handling import Failures, HandlerTime
from tidemill.simulator.run import RunOptions, simulate
from tidemill.simulator.run_figures import run_figures
from tidemill.simulator.scenario import GROUPS
from tidemill.simulator.sensitivity import effects, is_short
from tidemill.simulator.worker_settings import assumed_capacity, assumed_worker

if TYPE_CHECKING:
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.spec import Fleet

app = typer.Typer()
PICTURES = (".png", ".svg")
RETAINED_NOTE = (
    "{count} retained instances at the end: each is billed until somebody terminates it, here only "
    "to the end of the run"
)

GroupOption = Annotated[
    str | None,
    typer.Option(
        "--group", metavar="ID", help="The group's logical id, if several groups follow a queue."
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of every random number.")]
SpotOption = Annotated[
    float,
    typer.Option("--spot-per-hour", min=0, help="Spot interruptions of one instance in an hour."),
]
SensitivityOption = Annotated[
    bool | None,
    typer.Option(
        "--sensitivity/--no-sensitivity",
        help="Print p95 with each guessed or polled time halved and doubled. "
        "[default: for scenarios without faults whose messages are sent within two hours]",
    ),
]
HighResolutionOption = Annotated[
    bool,
    typer.Option(
        "--high-resolution",
        help="Also target tracking of metrics of ten seconds; takes half a minute more.",
    ),
]
PictureOption = Annotated[
    Path | None, typer.Option("--picture", metavar="FILE", help="Draw a picture, PNG or SVG.")
]


@app.command("simulate")
def run_scenarios(
    scenario: ScenarioOption = None,
    trace: TraceOption = None,
    load: LoadOption = 1,
    seed: SeedOption = 1,
    template: TemplateOption = DEFAULT_TEMPLATE,
    parameter: ParameterOption = None,
    group: GroupOption = None,
    handler_seconds: MeanOption = 0.0,
    handler_variation: VariationOption = 0.0,
    failing: FailingOption = 0.0,
    crashing: CrashingOption = 0.0,
    always_failing: AlwaysFailingOption = 0.0,
    groups: GroupsOption = None,
    spot_per_hour: SpotOption = 0.0,
    fault: FaultOption = None,
    boot_seconds: BootOption = None,
    times: TimesOption = None,
    sensitivity: SensitivityOption = None,
    picture: PictureOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Predict, in virtual time, how long messages wait and what the template's fleet costs."""
    handler = HandlerTime(handler_seconds, handler_variation)
    work = Work.of_options(handler, Failures(failing, crashing, always_failing), groups)
    chosen, start = chosen_scenarios(scenario, trace, load, work)
    check_picture(picture)
    if picture is not None and len(chosen) != 1:
        refuse_usage("--picture: a picture shows one scenario: choose it with --scenario")
    options = RunOptions(read_times(times, boot_seconds), start, spot_per_hour=spot_per_hour)
    candidate = Candidate.of_template(_fleet(template, parameter, group, groups))
    facts: list[Fact] = []
    runs = []
    moved: list[dict[str, object]] = []
    for one in with_faults(chosen, fault):
        facts.clear()
        listener = facts.extend if picture or one.faults else None
        result = simulate(candidate, one, seed, options, listener)
        for note in (fact for fact in facts if isinstance(fact, Noted | FaultBegan | FaultEnded)):
            typer.echo(f"{one.name}, {stamp(note.at)}: {sentence(note)}", err=True)
        if result.retained:
            typer.echo(f"{one.name}: {RETAINED_NOTE.format(count=result.retained)}", err=True)
        runs.append(run_figures(candidate, one, seed, result))
        if sensitivity or (sensitivity is None and not one.faults and is_short(one, seed)):
            moved += [effect.figures() for effect in effects(candidate, one, seed, options)]
    if picture is not None:
        from tidemill.report.timeline_figure import draw_timeline, without_quiet_end  # noqa: PLC0415 - slow to import

        draw_timeline(without_quiet_end(facts), picture)
    left_out = list(candidate.fleet.not_modelled)
    assumed = _assumed(candidate, handler_seconds, groups)
    found = {"runs": runs, "sensitivity": moved, "assumed": assumed, "not_modelled": left_out}
    _print(found, as_json=as_json)


@app.command("compare")
def compare_policies(
    scenario: ScenarioOption = None,
    trace: TraceOption = None,
    load: LoadOption = 1,
    seed: SeedOption = 1,
    template: TemplateOption = DEFAULT_TEMPLATE,
    parameter: ParameterOption = None,
    group: GroupOption = None,
    backlog_per_instance: Annotated[
        int,
        typer.Option("--backlog-per-instance", min=1, help="The target of the tracking policy."),
    ] = 50,
    high_resolution: HighResolutionOption = False,  # noqa: FBT002 - a flag
    handler_seconds: MeanOption = 0.0,
    handler_variation: VariationOption = 0.0,
    failing: FailingOption = 0.0,
    crashing: CrashingOption = 0.0,
    always_failing: AlwaysFailingOption = 0.0,
    groups: GroupsOption = None,
    fault: FaultOption = None,
    boot_seconds: BootOption = None,
    times: TimesOption = None,
    picture: PictureOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Compare the template's policy with other policies and with the best possible one."""
    check_picture(picture)
    from tidemill.simulator.comparison.compare import compare  # noqa: PLC0415 - only this command needs them
    from tidemill.simulator.comparison.rival_policies import rivals  # noqa: PLC0415 - only this command needs it

    handler = HandlerTime(handler_seconds, handler_variation)
    work = Work.of_options(handler, Failures(failing, crashing, always_failing), groups)
    chosen, start = chosen_scenarios(scenario, trace, load, work)
    ours = Candidate.of_template(_fleet(template, parameter, group, groups))
    console = Console(stderr=True)
    with console.status("simulating") as status:
        runs = compare(
            list(rivals(ours, backlog_per_instance, high_resolution=high_resolution)),
            with_faults(chosen, fault),
            seed,
            RunOptions(read_times(times, boot_seconds), start=start),
            status.update,
        )
    if picture is not None:
        from tidemill.report.comparison_figure import draw_comparison  # noqa: PLC0415 - slow to import

        draw_comparison(runs, picture)
    assumed, left_out = _assumed(ours, handler_seconds, groups), list(ours.fleet.not_modelled)
    _print({"runs": runs, "assumed": assumed, "not_modelled": left_out}, as_json=as_json)


def check_picture(path: Path | None) -> None:
    """Refuse a picture that could not be written, before the simulation runs."""
    if path is None:
        return
    if path.suffix not in PICTURES:
        refuse_usage(f"--picture: {path}: choose a name that ends in {' or '.join(PICTURES)}")
    if not path.parent.is_dir():
        refuse_usage(f"--picture: there is no folder {path.parent}")


def _fleet(
    path: Path, given: list[str] | None, group: str | None, message_groups: int | None
) -> Fleet:
    fleet = read_fleet(read_template(path), read_parameters(given), group=group)
    if message_groups is not None and not fleet.queue.fifo:
        refuse_usage(f"--groups: {fleet.queue.name} is no FIFO queue, so groups mean nothing in it")
    return fleet


def _assumed(candidate: Candidate, handler_seconds: float, groups: int | None) -> list[str]:
    """Return a sentence for everything about workers and messages that the template leaves open."""
    fleet = candidate.fleet
    some_groups = f"messages are of {GROUPS} groups; --groups sets their number"
    return [
        *([some_groups] if fleet.queue.fifo and groups is None else []),
        *assumed_worker(fleet.user_data),
        *assumed_capacity(candidate.worker, fleet.instance_types, handler_seconds),
    ]


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    tables = [*run_tables(found["runs"])]
    if found.get("sensitivity"):
        tables.append(sensitivity_table(found["sensitivity"]))
    console = print_tables(tables, Console())
    for line in remarks(found["runs"]):
        console.print(line, soft_wrap=True)
    for line in rates(found["runs"]):
        console.print(line, soft_wrap=True)
    console.print(f"seed {found['runs'][0]['seed']}; times in minutes:seconds", style="dim")
    for part in found["assumed"]:
        console.print(f"assumed: {part}", style="dim")
    for part in found.get("not_modelled", []):
        console.print(f"not modelled: {part}", style="dim")
