"""The commands that evaluate a demo: `tidemill agree` and `tidemill report`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tidemill.cli.options import JsonOption, print_json, read_template
from tidemill.cli.simulate import PictureOption, check_picture
from tidemill.report.errors import ReportError
from tidemill.scaling.template.fleet import read_fleet
from tidemill.simulator.candidate import Candidate
from tidemill.simulator.run import RunOptions
from tidemill.simulator.scenario import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tidemill.report.agreement import Side
    from tidemill.simulator.demo_replay import Demo

DEMO_FOLDER = Path("build/demo")
SOAK_FOLDER = Path("build/soak")
"""Where the soak tests keep their summaries."""
SEED = 1
"""The seed of the report's comparison of policies."""
BACKLOG_PER_INSTANCE = 50
"""The target of the tracking policy in that comparison, as in `tidemill compare`."""
FAST_SIGNAL = "FastSignal"
"""The parameter of our template that adds the fast signal."""


def agree(
    results: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder with the demo's files.")
    ] = DEMO_FOLDER,
    picture: PictureOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
) -> None:
    """Repeat a demo in the simulator, and show how closely the two agree."""
    from tidemill.report.agreement import agreement_rows, draw_agreement  # noqa: PLC0415 - matplotlib is slow to import
    from tidemill.simulator.demo_replay import read_demo  # noqa: PLC0415 - only these commands need it

    check_picture(picture)
    demo = read_demo(results)
    rig, simulated = _both(demo)
    rows = agreement_rows(rig, simulated)
    if picture is not None:
        draw_agreement(rig.facts, simulated.facts, picture)
    if as_json:
        named = [dict(zip(("what", "rig", "simulator"), row, strict=True)) for row in rows]
        print_json({"agreement": named})
        return
    table = Table(title="One demo, run twice")
    for head in ("what", "rig", "simulator"):
        table.add_column(head, justify="left" if head == "what" else "right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def report(
    results: Annotated[
        Path, typer.Option("--results", metavar="FOLDER", help="The folder with the demo's files.")
    ] = DEMO_FOLDER,
    target: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="The report to write.")
    ] = Path("REPORT.md"),
    picture: Annotated[
        Path,
        typer.Option(
            "--picture",
            metavar="FILE",
            help="The timeline's picture; the others are written beside it.",
        ),
    ] = Path("docs/timeline.png"),
) -> None:
    """Write REPORT.md and its pictures from a demo, simulations and soak tests."""
    from tidemill.report.agreement import agreement_chapter, agreement_rows, draw_agreement  # noqa: PLC0415 - matplotlib is slow to import
    from tidemill.report.comparison import comparison_chapter  # noqa: PLC0415 - only these commands need it
    from tidemill.report.comparison_figure import draw_comparison  # noqa: PLC0415 - only these commands need it
    from tidemill.report.report_page import link_to, write_report  # noqa: PLC0415 - only these commands need it
    from tidemill.report.soak_chapter import read_soaks, soak_chapter  # noqa: PLC0415 - only the report needs it
    from tidemill.simulator.demo_replay import read_demo  # noqa: PLC0415 - only these commands need it

    demo = read_demo(results)
    rig, simulated = _both(demo)
    with Console(stderr=True).status("simulating") as status:
        runs = _compared(demo, status.update)
    overlay, frontier = (picture.with_name(f"{name}.png") for name in ("agreement", "comparison"))
    chapters = [
        *agreement_chapter(agreement_rows(rig, simulated), link_to(overlay, target)),
        *comparison_chapter(runs, link_to(frontier, target)),
        *soak_chapter(read_soaks(SOAK_FOLDER)),
    ]
    write_report(results, target, picture, chapters)
    try:
        draw_agreement(rig.facts, simulated.facts, overlay)
        draw_comparison(runs, frontier)
    except OSError as error:
        raise ReportError(f"cannot write {error.filename}: {error.strerror}") from error
    typer.echo(f"wrote {target}, {picture}, {overlay} and {frontier}")


def _both(demo: Demo) -> tuple[Side, Side]:
    """Return a demo's results in the rig and in the simulator."""
    from tidemill.report.agreement import Side  # noqa: PLC0415 - matplotlib is slow to import
    from tidemill.simulator.demo_replay import replay  # noqa: PLC0415 - only these commands need it

    result, facts = replay(demo, _candidate(demo))
    figures = demo.summary
    return (
        Side(demo.facts, figures["processed"], figures["dead_lettered"], figures["lost"]),
        Side(facts, result.messages.processed, result.messages.dead, result.lost),
    )


def _compared(demo: Demo, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return the figures of the demo's template and of other policies in all scenarios."""
    from tidemill.simulator.comparison.compare import compare  # noqa: PLC0415 - only the report needs it

    return compare(list(_policies(demo)), SCENARIOS.values(), SEED, RunOptions(), progress)


def _policies(demo: Demo) -> Iterator[Candidate]:
    """Yield the template's fleet, the same with FastSignal if it has that, and other policies."""
    from tidemill.simulator.comparison.rival_policies import rivals  # noqa: PLC0415 - only the report needs it

    ours, *others = rivals(_candidate(demo), BACKLOG_PER_INSTANCE)
    yield ours
    template = read_template(demo.template)
    if FAST_SIGNAL in template.get("Parameters", {}) and ours.fleet.signal_period is None:
        fleet = read_fleet(template, demo.parameters | {FAST_SIGNAL: "true"})
        yield replace(ours, name=f"{ours.name} with {FAST_SIGNAL}", fleet=fleet)
    yield from others


def _candidate(demo: Demo) -> Candidate:
    return Candidate.of_template(read_fleet(read_template(demo.template), demo.parameters))
