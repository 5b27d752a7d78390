"""The producer's command line: reads the options, makes one run, prints the result."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated, Final

import typer

from producer.arrivals import Pattern  # noqa: TC001 - typer reads the annotations when it runs
from producer.build import execute
from producer.errors import UsageError
from producer.messages.input_messages import CsvTypes, Format
from producer.options import Options, queue_from
from shared.errors import SettingsError, WorkloadError
from shared.logs import LineStream, encode_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.summary import Summary

EPILOG: Final = """
Exit codes:

\b
  0    everything was sent (with --skip-invalid: everything that is valid)
  1    something was not sent: an invalid line, failed messages, no queue, no answer;
       or is indeterminate, since the answer was lost: the summary names the lines
  2    the options are wrong, a file cannot be opened, or a journal is another file's
  130  stopped by SIGINT (Ctrl-C): requests under way have 5 s, or until a second one
  143  stopped by SIGTERM, in the same way

Progress, problems and the summary go to standard error. Credentials, region and endpoint are
set as for other AWS tools: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and so on.
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command(epilog=EPILOG)
def produce(  # noqa: PLR0913 - one parameter for each option
    *,
    count: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Send N random vehicles.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Send what FILE holds: JSON lines, a JSON array, or CSV with a header, each also "
            "as gzip; '-' reads standard input.",
        ),
    ] = None,
    form: Annotated[
        Format,
        typer.Option("--format", help="What FILE holds; auto goes by its name and beginning."),
    ] = Format.AUTO,
    csv_types: Annotated[
        CsvTypes,
        typer.Option(
            help="What values of CSV become: texts, or (json) numbers, true, false and null where "
            "they are such."
        ),
    ] = CsvTypes.TEXT,
    schema: Annotated[
        str | None,
        typer.Option(
            metavar="SCHEMA",
            help="Check each message of FILE: module:Type (msgspec, dataclass, TypedDict, "
            "pydantic), a JSON Schema in file.json, or vehicle.",
        ),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="An attribute of every message, such as traceparent=00-...; NAME:Number=5 for a "
            "number; repeatable.",
        ),
    ] = None,
    attribute_column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A column of CSV to send as an attribute, not in the body; repeatable.",
        ),
    ] = None,
    with_attributes: Annotated[
        bool,
        typer.Option(
            "--with-attributes",
            help='Each message of FILE is {"body": ..., "attributes": {...}}, with '
            "groupId and deduplicationId if you like.",
        ),
    ] = False,
    group_id: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPLATE",
            help="Group of each message, from its fields: '{vehicleId}' or '{customer.id}'. Needed "
            "by FIFO queues; makes others fair.",
        ),
    ] = None,
    deduplication_id: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPLATE",
            help="Deduplication id, for FIFO queues; by default the run's name and the line.",
        ),
    ] = None,
    queue_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The queue's URL. [env: QUEUE_URL]")
    ] = None,
    queue_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Or the queue's name. [env: QUEUE_NAME]")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(metavar="R", help="Messages per second; by default as fast as possible."),
    ] = None,
    pattern: Annotated[
        Pattern | None,
        typer.Option(
            help="How messages spread over time: evenly (constant, the default), all of a period "
            "at its beginning (burst), rising from 0 to twice the rate (ramp), or at random "
            "(poisson)."
        ),
    ] = None,
    period: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            help="Seconds between bursts (60), or that a ramp rises (the whole run with --count, "
            "else 60).",
        ),
    ] = None,
    in_flight: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="Batches sent at once.")
    ] = 8,
    attempts: Annotated[
        int, typer.Option(min=1, max=100, metavar="N", help="Attempts to send each message.")
    ] = 8,
    poison: Annotated[
        int, typer.Option(min=0, metavar="N", help="Mix in N malformed messages on purpose.")
    ] = 0,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Make the run repeatable; by default random.")
    ] = None,
    skip_invalid: Annotated[
        bool,
        typer.Option("--skip-invalid", help="Skip invalid lines instead of stopping at the first."),
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="JOURNAL",
            help="Keep account of acknowledged lines in JOURNAL; if it exists, send the others.",
        ),
    ] = None,
    sent_log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write what SQS is asked and answers, for `tidemill ledger`."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the messages instead of sending them.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the summary as a JSON object on standard output.")
    ] = False,
) -> None:
    """Send messages to an SQS queue: random vehicles, or what a file holds."""
    url, name = queue_from(queue_url, queue_name, os.environ)
    options = Options(
        count=count,
        file=file,
        queue_url=url,
        queue_name=name,
        rate=rate,
        pattern=pattern,
        period=period,
        in_flight=in_flight,
        attempts=attempts,
        poison=poison,
        seed=seed,
        skip_invalid=skip_invalid,
        sent_log=sent_log,
        dry_run=dry_run,
        json=json,
        format=form,
        csv_types=csv_types,
        schema=schema,
        attributes=tuple(attribute or ()),
        attribute_columns=tuple(attribute_column or ()),
        with_attributes=with_attributes,
        group_id=group_id,
        deduplication_id=deduplication_id,
        resume=resume,
    )
    options.check()
    summary = execute(options)
    sys.stderr.write(f"{summary.as_text()}\n")
    raise typer.Exit(_print_json(summary) if options.json else summary.exit_code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; every error becomes one line on stderr."""
    try:
        code: int | None = app(arguments, prog_name="producer", standalone_mode=False)
    except typer.TyperException as error:
        return _print_error(error.format_message(), error.exit_code)
    except SettingsError as error:
        return _print_error("\nError: ".join(error.problems), 2)
    except UsageError as error:
        return _print_error(str(error), 2)
    except WorkloadError as error:
        return _print_error(str(error), 1)
    return code or 0


def _print_json(summary: Summary) -> int:
    """Print the summary and return the exit code; a reader that has gone is a failure, too."""
    try:
        LineStream(sys.stdout.buffer).write([encode_line(summary.as_dict())])
    except (OSError, AttributeError) as error:  # AttributeError: it was closed from the beginning
        with suppress(OSError, ValueError, AttributeError):
            # What is left in its buffer would fail a second time when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        reason = getattr(error, "strerror", None) or "it is closed"
        return _print_error(
            f"cannot write the summary to standard output: {reason}", summary.exit_code or 1
        )
    return summary.exit_code


def _print_error(text: str, code: int) -> int:
    sys.stderr.write(f"Error: {text}\n")
    return code
