"""The group of commands `tidemill dlq`."""

from __future__ import annotations

import typer

from tidemill.cli.dead_letters.looking import export, list_letters, show
from tidemill.cli.dead_letters.moving import edit, purge, redrive
from tidemill.cli.dead_letters.options import command

app = typer.Typer(
    help="Dead letters: list them with their reasons, send them back, edit, export or delete them.",
    no_args_is_help=True,
)
app.command("list")(command(list_letters))
for _function in (show, redrive, edit, export, purge):
    app.command()(command(_function))
