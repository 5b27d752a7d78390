"""The command `tidemill`: its subcommands, and the exit codes of its errors."""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from tidemill import __version__
from tidemill.cli.chaos.kinds import app as chaos
from tidemill.cli.containers import compose, fleet
from tidemill.cli.dashboard import app as dashboard
from tidemill.cli.dead_letters.app import app as dead_letters
from tidemill.cli.demo import demo
from tidemill.cli.iam_diff import iam_diff
from tidemill.cli.ledger import ledger
from tidemill.cli.lint import app as lint
from tidemill.cli.report import agree, report
from tidemill.cli.rig import app as rig
from tidemill.cli.simulate import app as simulator
from tidemill.cli.trace import trace
from tidemill.cli.verify import verify
from tidemill.dashboard.errors import ExportError
from tidemill.dead_letters.errors import DeadLetterError
from tidemill.ledger.errors import LedgerError
from tidemill.report.errors import ReportError
from tidemill.rig.errors import RigError
from tidemill.scaling.errors import FaultError, ParameterError, ScalingError
from tidemill.verify.ports import VerifyError

USAGE = 2
FAILURE = 1
INTERRUPTED = 128 + signal.SIGINT
FAILURES = (
    DeadLetterError,
    ExportError,
    LedgerError,
    ReportError,
    RigError,
    ScalingError,
    VerifyError,
)


DISK = frozenset(
    {errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EPERM, errno.EROFS}
)
"""Errors of a disk that is full, broken or not ours to write to."""


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer passes the flag by position
    if asked:
        typer.echo(f"tidemill {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="tidemill",
    help="Queue worker fleets that scale from zero: your template, run on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C.",
)
app.command()(demo)
app.add_typer(rig)
app.add_typer(simulator)
app.command()(trace)
app.command()(agree)
app.command()(report)
app.command()(ledger)
app.add_typer(lint)
app.command()(verify)
app.command()(iam_diff)
app.add_typer(dashboard, name="dashboard")
app.add_typer(compose, name="compose")
app.command()(fleet)
app.add_typer(chaos, name="chaos")
app.add_typer(dead_letters, name="dlq")


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Define the options before a command."""


def main() -> NoReturn:
    """Run the command; an error becomes one line on standard error and an exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores them
            signal.signal(number, lambda got, _frame: sys.exit(128 + got))
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:  # typer's exit code for Ctrl-C
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # everything has ended: no second one
            _complain("ended by Ctrl-C, with everything that it had started", code)
    except typer.TyperException as error:
        code = _complain(error.format_message(), error.exit_code)
    except (FaultError, ParameterError) as error:
        code = _complain(str(error), USAGE)
    except FAILURES as error:
        code = _complain(str(error), FAILURE)
    except OSError as error:
        if error.errno not in DISK:
            raise
        code = _complain(_of_disk(error), FAILURE)
    _exit(code or 0)


def _complain(sentence: str, code: int) -> int:
    with suppress(OSError):  # standard error is on that disk, too
        typer.echo(f"tidemill: {sentence}", err=True)
    return code


def _of_disk(error: OSError) -> str:
    where = "" if error.filename is None else f" {error.filename}"
    return f"cannot write{where}: {error.strerror}"


def _exit(code: int) -> NoReturn:
    """Exit; what standard output could not take is told in a sentence, and is a failure."""
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or _complain(f"cannot write to standard output: {error.strerror}", FAILURE)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it again
    sys.exit(code)
