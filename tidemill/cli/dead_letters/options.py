"""Options that the commands of `tidemill dlq` share: the queue's place, and which letters."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields, is_dataclass
from inspect import Parameter, Signature, signature
from pathlib import Path  # noqa: TC003 - typer looks it up
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from shared.errors import WorkloadError
from tidemill.cli.options import refuse_usage
from tidemill.dead_letters.errors import DeadLetterError
from tidemill.dead_letters.selection import SHORTEST_ID, Selection, condition_of, seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST = 1_000
"""Letters that are looked at by default; their bodies are in memory."""

IdsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="Ids of letters, or their beginnings.", show_default=False),
]


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Where the dead letters and the consumers' lines are; without any, the rig that is up."""

    stack: Annotated[
        str | None, typer.Option("--stack", metavar="NAME", help="The deployed stack.")
    ] = None
    queue: Annotated[
        str | None,
        typer.Option(
            "--queue", metavar="NAME", help="The dead-letter queue: its name, ARN or URL."
        ),
    ] = None
    region: Annotated[
        str | None, typer.Option("--region", metavar="NAME", help="The region of the queue.")
    ] = None
    endpoint_url: Annotated[
        str | None,
        typer.Option("--endpoint-url", metavar="URL", help="Use an emulator instead of AWS."),
    ] = None
    logs: Annotated[
        Path | None,
        typer.Option("--logs", metavar="FOLDER", help="Consumers' lines, as files *.jsonl."),
    ] = None
    log_group: Annotated[
        str | None,
        typer.Option("--log-group", metavar="NAME", help="Consumers' lines, in CloudWatch Logs."),
    ] = None
    count_receives: Annotated[
        bool,
        typer.Option(
            "--count-receives", help="Read a queue although SQS counts each look as a receive."
        ),
    ] = False
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="Look at so many letters at most.")
    ] = MOST


@dataclass(frozen=True, slots=True)
class SelectionOptions:
    """Which letters; those that fulfil everything that is given."""

    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="Whose outcome or reason contains this."),
    ] = None
    older: Annotated[
        str | None, typer.Option("--older", metavar="TIME", help="Sent before: 30m, 2h, 3d.")
    ] = None
    newer: Annotated[
        str | None, typer.Option("--newer", metavar="TIME", help="Sent since: 30m, 2h, 3d.")
    ] = None
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            metavar="NAME[=VALUE]",
            help="Whose JSON has this field, such as customer.id=7; repeatable.",
        ),
    ] = None
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute", metavar="NAME[=VALUE]", help="With this attribute; repeatable."
        ),
    ] = None
    group: Annotated[
        str | None, typer.Option("--group", metavar="ID", help="Of this message group.")
    ] = None
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="QUEUE", help="That SQS has moved from this queue."),
    ] = None

    def selection(self, ids: Sequence[str] | None = None) -> Selection:
        """Return what is selected.

        Raises:
            typer.BadParameter: a value is not of its form.
        """
        for given in ids or ():
            if len(given) < SHORTEST_ID:
                refuse_usage(f"ID {given}: give {SHORTEST_ID} characters of it at least")
        return Selection(
            ids=tuple(ids or ()),
            reason=self.reason,
            older=_seconds("--older", self.older),
            newer=_seconds("--newer", self.newer),
            fields=_conditions("--field", self.field),
            attributes=_conditions("--attribute", self.attribute),
            group=self.group,
            source=self.source,
        )


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the fields of PlaceOptions and the like as options of its own."""
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, type] = {
        name: kind for name, kind in hints.items() if isinstance(kind, type) and is_dataclass(kind)
    }
    parameters: list[Parameter] = []
    for name, parameter in signature(function).parameters.items():
        if name in groups:
            parameters += _parameters(groups[name])
        else:
            own = parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name])
            parameters.append(own)

    @functools.wraps(function)
    def call(**given: Any) -> None:  # noqa: ANN401 - each option's own
        for name, kind in groups.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        try:
            function(**given)
        except WorkloadError as error:  # of a call to SQS
            raise DeadLetterError(str(error)) from error

    call.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # functions may have it
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    return call


def _parameters(kind: type) -> list[Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        Parameter(
            field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(kind)
    ]


def _seconds(option: str, given: str | None) -> float | None:
    try:
        return None if given is None else seconds_of(given)
    except ValueError as error:
        refuse_usage(f"{option} {given}: {error}")


def _conditions(option: str, given: Sequence[str] | None) -> tuple[tuple[str, str | None], ...]:
    try:
        return tuple(condition_of(one) for one in given or ())
    except ValueError as error:
        refuse_usage(f"{option}: {error}")
