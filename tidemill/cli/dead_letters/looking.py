"""The commands that only look: list, show and export."""

from __future__ import annotations

import contextlib
import sys
import time
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer looks it up
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from shared.logs import encode_line
from tidemill.cli.dead_letters.options import (
    PlaceOptions,
    SelectionOptions,
)
from tidemill.cli.dead_letters.output import counted, letter_lines, letter_record, list_lines
from tidemill.cli.dead_letters.session import open_session
from tidemill.cli.options import JsonOption, print_json, refuse_usage
from tidemill.dead_letters.errors import DeadLetterError
from tidemill.dead_letters.letter import producer_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.cli.dead_letters.session import Found


class Form(StrEnum):
    """What the lines of an exported file are."""

    FULL = "full"
    PRODUCER = "producer"


def list_letters(
    place: PlaceOptions, selection: SelectionOptions, *, as_json: JsonOption = False
) -> None:
    """List the dead letters with their reasons; all are visible again afterwards."""
    session = open_session(place)
    found = session.find(selection.selection())
    counts = session.place.counts()
    if as_json:
        print_json(
            {
                "queue": session.place.queue.url,
                "lookedAt": len(found.look.letters),
                "complete": found.look.complete,
                "visible": counts.visible,
                "hidden": counts.hidden,
                "letters": [letter_record(one, found.histories) for one in found.letters],
            }
        )
        return
    name = session.place.queue.url.rsplit("/", 1)[-1]
    for line in list_lines(found, counts, name, time.time()):
        typer.echo(line)


def show(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or their beginnings.")],
    place: PlaceOptions,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show all that is known of dead letters, and every attempt at them."""
    chosen = SelectionOptions().selection(ids)
    found = open_session(place).find(chosen)
    if as_json:
        print_json({"letters": [letter_record(one, found.histories) for one in found.letters]})
        return
    for letter in found.letters:
        for line in letter_lines(letter, found.histories, time.time()):
            typer.echo(line)


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; - is standard output.")],
    place: PlaceOptions,
    selection: SelectionOptions,
    *,
    form: Annotated[
        Form,
        typer.Option(
            "--form", help="All that is known, or lines for the producer's --with-attributes."
        ),
    ] = Form.FULL,
    ids: Annotated[
        list[str] | None, typer.Option("--id", metavar="ID", help="This letter; repeatable.")
    ] = None,
) -> None:
    """Write dead letters to a file, a line of JSON for each; they stay in the queue."""
    chosen = selection.selection(ids)
    if str(file) != "-" and file.exists():
        refuse_usage(f"{file} exists: name a new file")
    found = open_session(place).find(chosen)
    lines = _lines(found, form)
    try:
        with _opened(file) as stream:
            stream.write(b"".join(line + b"\n" for line in lines))
    except OSError as error:
        raise DeadLetterError(f"cannot write {file}: {error.strerror}") from error
    typer.echo(f"wrote {len(lines)} of {counted(len(found.look.letters))}", err=True)
    if not found.look.complete:
        typer.echo("there may be more: raise --limit to look at them", err=True)


def _lines(found: Found, form: Form) -> list[bytes]:
    if form is Form.FULL:
        return [encode_line(letter_record(one, found.histories)) for one in found.letters]
    lines = []
    for letter in found.letters:
        line = producer_line(letter)
        if line is None:
            raise DeadLetterError(
                f"{letter.id} has an attribute that the producer's files cannot hold: leave it "
                "out, or use --form full"
            )
        lines.append(encode_line(line))
    return lines


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        yield sys.stdout.buffer
        return
    with file.open("xb") as stream:
        yield stream
