"""The commands that move or delete: redrive, edit and purge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tidemill.cli.dead_letters.editor import edited
from tidemill.cli.dead_letters.options import IdsArgument, PlaceOptions, SelectionOptions
from tidemill.cli.dead_letters.output import counted, plain
from tidemill.cli.dead_letters.redriving import Redrive, confirmed
from tidemill.cli.dead_letters.session import open_session
from tidemill.cli.options import JsonOption, print_json, read_pairs, refuse_usage
from tidemill.dead_letters.editing import check_body, difference, with_fields
from tidemill.dead_letters.errors import DeadLetterError
from tidemill.dead_letters.letter import edited_entry
from tidemill.dead_letters.moving import Order
from tidemill.dead_letters.removing import remove
from tidemill.dead_letters.sweep import Sweep

ToOption = Annotated[
    str | None,
    typer.Option("--to", metavar="QUEUE", help="Send there: name, ARN or URL [default: source]."),
]
JournalOption = Annotated[
    Path | None,
    typer.Option("--journal", metavar="FILE", help="Account of what was sent, to go on later."),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
WRONG = 1


def redrive(
    place: PlaceOptions,
    selection: SelectionOptions,
    *,
    ids: IdsArgument = None,
    everything: Annotated[bool, typer.Option("--all", help="All letters.")] = False,
    to: ToOption = None,
    rate: Annotated[
        float | None, typer.Option("--rate", metavar="N", help="Letters a second at most.")
    ] = None,
    journal: JournalOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send dead letters to their source queue, and delete them; may be interrupted at any time."""
    chosen = selection.selection(ids)
    if chosen.everything != everything:
        refuse_usage("redrive: give --all, or say which letters (ids, --reason, --field, ...)")
    if rate is not None and rate <= 0:
        refuse_usage(f"--rate {rate:g}: give a number above 0")
    session = open_session(place)
    run = Redrive(session, session.place.target(to), journal, rate)
    counts = session.place.counts()
    about = f"all dead letters (about {counts.visible + counts.hidden})"
    if not everything:
        number = len(session.find(chosen).letters)
        about = counted(number)
        if not number:
            hidden = f"; {counts.hidden} are hidden by readers now" if counts.hidden else ""
            raise DeadLetterError(f"no dead letter is selected{hidden}")
    if dry_run:
        typer.echo(f"would send {about} to {run.target.url}")
        return
    confirmed(f"Send {about} to {run.target.url}?", yes=yes)
    if everything:
        run.all()
    else:
        run.selected(chosen)
    run.report(as_json=as_json)


def edit(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")],
    place: PlaceOptions,
    *,
    fields: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A field of its JSON; repeatable."),
    ] = None,
    body_file: Annotated[
        Path | None, typer.Option("--body-file", metavar="FILE", help="The new body.")
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option("--attribute", metavar="NAME=VALUE", help="A new attribute; repeatable."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="NAME", help="Leave out this attribute; repeatable."),
    ] = None,
    to: ToOption = None,
    journal: JournalOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Change one dead letter and send it; without --set and the like, in your editor."""
    if fields and body_file:
        refuse_usage("--set and --body-file: give one of them")
    attributes = read_pairs("--attribute", attribute)
    session = open_session(place)
    run = Redrive(session, session.place.target(to), journal, None)
    found = session.find(SelectionOptions().selection([letter_id])).letters
    letter = next((one for one in found if one.id == letter_id), found[0])
    old = letter.received.body
    new = _new_body(old, fields, body_file, ask=not (attributes or without))
    check_body(new)
    if new == old and not attributes and not without:
        raise DeadLetterError(
            "nothing was changed, so nothing was sent: see `tidemill dlq redrive`"
        )
    for line in difference(old, new):
        typer.echo(plain(line), err=True)
    confirmed(f"Send {letter.id} so to {run.target.url}, and delete it here?", yes=yes)
    run.move(
        Order(
            wanted=lambda one: one.id == letter.id,
            entry=lambda one: edited_entry(run.entry(one), new, attributes, tuple(without or ())),
            ids=frozenset({letter.id}),
        )
    )
    run.report(as_json=as_json)


def purge(
    place: PlaceOptions,
    selection: SelectionOptions,
    *,
    ids: IdsArgument = None,
    everything: Annotated[bool, typer.Option("--all", help="All letters.")] = False,
    count: Annotated[
        int | None, typer.Option("--count", metavar="N", help="How many there are; not asked then.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Delete dead letters for good; asks for their number. Those that come meanwhile stay."""
    chosen = selection.selection(ids)
    if chosen.everything != everything:
        refuse_usage("purge: give --all, or say which letters (ids, --reason, --field, ...)")
    session = open_session(place)
    found = session.find(chosen)
    names = {letter.id for letter in found.letters}
    name = session.place.queue.url.rsplit("/", 1)[-1]
    if not found.look.complete:
        typer.echo("there may be more letters than --limit: they stay", err=True)
    if count is None and names:
        question = f"This deletes {counted(len(names))} of {name} for good. Type their number"
        try:
            count = typer.prompt(question, type=int, err=True)
        except typer.Abort:  # the input has ended, or Ctrl-C
            count = None
    if names and count != len(names):
        raise DeadLetterError(f"{len(names)} are selected, not {count}: nothing was deleted")
    deleted: set[str] = set()
    session.stop.install(twice=True)
    try:
        remove(Sweep(session.place.queue, session.stop), names, deleted)
    finally:
        session.stop.restore()
        left = sorted(names - deleted)
        if as_json:
            print_json({"deleted": sorted(deleted), "left": left})
        else:
            typer.echo(f"deleted {len(deleted)} of {counted(len(names))}")
    session.check_stop()
    if left:
        typer.echo(f"not found any more, or hidden by a reader: {', '.join(left)}", err=True)
        raise typer.Exit(WRONG)


def _new_body(old: str, fields: list[str] | None, body_file: Path | None, *, ask: bool) -> str:
    """Return the new body: of a file, with fields set, or as the user's editor left it."""
    if body_file is not None:
        try:
            return body_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            refuse_usage(f"--body-file: cannot read {body_file}: {reason}")
    if fields:
        return with_fields(old, fields)
    if not ask:
        return old
    return edited(old)
