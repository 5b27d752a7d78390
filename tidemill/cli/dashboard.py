"""The command `tidemill dashboard`: the stack's dashboards as one HTML page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tidemill.cli.options import KEPT_HOURS, refuse_usage
from tidemill.dashboard.aws import connect
from tidemill.dashboard.errors import ExportError
from tidemill.dashboard.page import render
from tidemill.dashboard.snapshot import take_snapshot

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Share the stack's dashboards."""


@app.command()
def export(
    stack: Annotated[str, typer.Option("--stack", metavar="NAME", help="The stack.")] = "tidemill",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="FILE", help="The page. [default: <stack>-dashboards.html]"
        ),
    ] = None,
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=KEPT_HOURS, help="How many hours to show.")
    ] = 3,
    endpoint_url: Annotated[
        str | None,
        typer.Option("--endpoint-url", metavar="URL", help="Use an emulator instead of AWS."),
    ] = None,
) -> None:
    """Write the stack's dashboards, as they are now, into one page that you can send to anyone.

    Credentials and region are found as by the AWS tools. The exit code is 1 if a
    widget is missing from the page.
    """
    target = output or Path(f"{stack}-dashboards.html")
    if not target.parent.is_dir():
        refuse_usage(f"--output: there is no folder {target.parent}")
    source = connect(endpoint_url)
    snapshot = take_snapshot(source, stack, hours, datetime.now(UTC), _show_progress)
    try:
        target.write_text(render(snapshot), encoding="utf-8")
    except OSError as error:
        raise ExportError(f"cannot write {target}: {error.strerror}") from error
    typer.echo(f"wrote {target}")
    if absences := snapshot.absences:
        raise ExportError(
            f"{len(absences)} of {len(snapshot.panels)} widgets are missing from {target}: "
            f"{absences[0].reason}"
        )


def _show_progress(line: str) -> None:
    typer.echo(line, err=True)
