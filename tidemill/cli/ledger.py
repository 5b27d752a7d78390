"""The command `tidemill ledger`: what became of every message of a run."""

from __future__ import annotations

import time
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tidemill.cli.options import JsonOption, print_json, refuse_usage
from tidemill.cli.report import DEMO_FOLDER
from tidemill.ledger.account import draw_up
from tidemill.ledger.causes import Conditions
from tidemill.ledger.errors import LedgerError
from tidemill.ledger.figures import figures
from tidemill.ledger.folder import LineFolder
from tidemill.ledger.problems import problems_of
from tidemill.ledger.queues import read_queues
from tidemill.ledger.sent import read_sent_logs

if TYPE_CHECKING:
    from tidemill.ledger.lines import WorkerRecord
    from tidemill.ledger.queues import Queues

HOUR: Final = 3600.0
SENT_LOG: Final = "sent.jsonl"


def ledger(
    *,
    folder: Annotated[
        Path,
        typer.Option(
            "--folder",
            metavar="FOLDER",
            help="A run's folder, with sent.jsonl, logs/ and queues.json; what the other options "
            "give is not read from it.",
        ),
    ] = DEMO_FOLDER,
    sent_log: Annotated[
        list[Path] | None,
        typer.Option(
            "--sent-log",
            metavar="FILE",
            help="What the producer wrote with its own --sent-log; repeatable.",
        ),
    ] = None,
    logs: Annotated[
        Path | None,
        typer.Option(
            "--logs", metavar="FOLDER", help="The workers' output, a *.jsonl file for each."
        ),
    ] = None,
    log_group: Annotated[
        str | None,
        typer.Option("--log-group", metavar="NAME", help="Or their CloudWatch Logs group."),
    ] = None,
    hours: Annotated[
        float, typer.Option("--hours", min=0.01, help="Read so many hours of the log group.")
    ] = 24,
    queue_url: Annotated[
        str | None,
        typer.Option(
            "--queue-url", metavar="URL", help="The work queue; its dead letters are looked at."
        ),
    ] = None,
    wait: Annotated[
        float,
        typer.Option("--wait", min=0, help="Wait so many seconds for the queue to be empty."),
    ] = 0,
    look_inside: Annotated[
        bool,
        typer.Option(
            "--look-inside",
            help="Receive what is in the work queue, to see which messages these are: this counts "
            "as a receive of each, and the last one moves a message to the dead letters.",
        ),
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="INSTANCE",
            help="An instance that was killed, frozen or cut off on purpose; '*' for SQS itself; "
            "repeatable.",
        ),
    ] = None,
    running: Annotated[
        bool,
        typer.Option("--running", help="Workers still run: one without a last line is no problem."),
    ] = False,
    endpoint_url: Annotated[
        str | None,
        typer.Option("--endpoint-url", metavar="URL", help="Use an emulator instead of AWS."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what became of every message: processed, dead-lettered, lost, duplicated and why.

    Without options it is about the last demo. The exit code is 1 if a promise was broken, or if the
    records cannot prove that none was.
    """
    if logs is not None and log_group is not None:
        refuse_usage("--logs and --log-group cannot be combined: choose where the lines are")
    if queue_url is None and (look_inside or wait):
        refuse_usage("--look-inside and --wait need --queue-url")
    sent = read_sent_logs(sent_log or [folder / SENT_LOG])
    queues = (
        read_queues(folder)
        if queue_url is None
        else _look(queue_url, endpoint_url, wait, inside=look_inside)
    )
    # After the look: what a worker ends in between is then in its lines at least.
    record = _lines(logs or folder / "logs", log_group, hours, endpoint_url)
    conditions = Conditions(ended=not running, faults=dict.fromkeys(fault or [], ("injected",)))
    account = draw_up(sent, record, queues, conditions)
    summary = figures(account, sent, record)
    if as_json:
        print_json(summary)
    else:
        _show(summary)
    if found := problems_of(account):
        raise LedgerError("; ".join(map(str, found)))


def _look(url: str, endpoint: str | None, wait: float, *, inside: bool) -> Queues:
    from tidemill.ledger.aws import AwsRecords  # noqa: PLC0415 - boto3 is slow to import

    aws = AwsRecords(endpoint)
    aws.wait_until_empty(url, wait, time.sleep)
    return aws.queues(url, inside=inside)


def _lines(folder: Path, group: str | None, hours: float, endpoint: str | None) -> WorkerRecord:
    if group is not None:
        from tidemill.ledger.aws import AwsRecords  # noqa: PLC0415 - boto3 is slow to import

        return AwsRecords(endpoint).lines(group, time.time() - hours * HOUR)
    if not folder.is_dir():
        raise LedgerError(f"there is no folder {folder} with the workers' lines")
    lines = LineFolder(folder)
    lines.read()
    return lines.record


def _show(summary: dict[str, object]) -> None:
    from rich.console import Console  # noqa: PLC0415 - rich is slow to import

    from tidemill.cli.rig_output import summary_table  # noqa: PLC0415 - so is this
    from tidemill.report.tables import reason_lines  # noqa: PLC0415 - only for people

    Console().print(summary_table(summary, "Messages of the run"))
    for text in reason_lines(summary):
        typer.echo(text)
