"""The command `tidemill iam-diff`: what a new version of a template allows whom."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - typer looks it up
from typing import Annotated

import typer

from tidemill.cli.options import JsonOption, print_json, read_template
from tidemill.iam.difference import Verdict, difference
from tidemill.iam.grants import grants

WIDER = 1


def iam_diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The template as it was.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The template as it is to be.")],
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with code 1 if somebody may do more.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what one version of a template lets whom do, and another one does not.

    It compares the policies of roles, queues, topics, keys and functions, without AWS.
    """
    changes = difference(grants(read_template(old)), grants(read_template(new)))
    wider = sum(change.verdict is Verdict.WIDER for change in changes)
    if as_json:
        print_json(
            {
                "wider": wider,
                "changes": [
                    {
                        "change": "added" if change.added else "removed",
                        "verdict": change.verdict.value,
                        **asdict(change.grant),
                    }
                    for change in changes
                ],
            }
        )
    else:
        for change in changes:
            sign = "+" if change.added else "-"
            typer.echo(f"{sign} {change.verdict.value:8} {change.grant.sentence()}")
        typer.echo(f"{len(changes)} changed permissions, {wider} of which let somebody do more")
    if check and wider:
        raise typer.Exit(WIDER)
