"""The command `tidemill verify`: what AWS answers, beside what the template and core predict."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

from producer.messages.vehicles import generated
from tidemill import __version__
from tidemill.cli.options import (
    DEFAULT_TEMPLATE,
    JsonOption,
    TemplateOption,
    print_json,
    read_template,
    refuse_usage,
)
from tidemill.scaling.errors import CalibrationError
from tidemill.scaling.times.calibration import read_calibration, write_calibration
from tidemill.verify.calibration import calibration_of, check_same_place, record_of, resumed
from tidemill.verify.check import Level
from tidemill.verify.finding import Verdict
from tidemill.verify.plan import CHECKS, NAMES, chosen, left_out
from tidemill.verify.ports import RefusedError, VerifyError
from tidemill.verify.run import Run
from tidemill.verify.target import planned_target, read_target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tidemill.scaling.times.calibration import Calibration
    from tidemill.verify.check import Check
    from tidemill.verify.ports import Aws, Clock
    from tidemill.verify.target import Target

DIFFERS = 1
OWN_HANDLER = "consumer.handlers:log_only"
"""The handler of the product, which accepts vehicles and does nothing with them."""


def verify(
    *,
    stack: Annotated[str, typer.Option("--stack", metavar="NAME", help="The stack.")] = "tidemill",
    template: TemplateOption = DEFAULT_TEMPLATE,
    act: Annotated[
        bool, typer.Option("--act", help="Also send messages and change the group.")
    ] = False,
    overnight: Annotated[
        bool, typer.Option("--overnight", help="Also wait seven hours with an idle queue.")
    ] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="At last DELETE THE STACK, and watch it.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHECK", help="Only this check; repeatable."),
    ] = None,
    list_checks: Annotated[
        bool, typer.Option("--list", help="List all checks with cost and permissions, and end.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before something is sent or changed.")
    ] = False,
    message: Annotated[
        str | None,
        typer.Option(
            "--message", metavar="TEXT", help="The message to send to a handler of yours."
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="The file of measured times.")
    ] = Path("calibration.json"),
    record: Annotated[
        Path, typer.Option("--record", metavar="FILE", help="The file of all that was observed.")
    ] = Path("verification.json"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Do not repeat what the file of --record has.")
    ] = False,
    region: Annotated[
        str | None, typer.Option("--region", metavar="NAME", help="The region of the stack.")
    ] = None,
    endpoint_url: Annotated[
        str | None,
        typer.Option("--endpoint-url", metavar="URL", help="Use an emulator instead of AWS."),
    ] = None,
    speed: Annotated[
        float,
        typer.Option("--speed", min=1, max=60, help="The speed of a rig, whose time is faster."),
    ] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Ask AWS what only AWS can answer about a deployed stack, and compare with the predictions.

    Without options it only reads. The exit code is 1 if something differs.
    """
    from tidemill.cli.verify_output import Output  # noqa: PLC0415 - rich is slow to import

    levels = _levels(act=act, overnight=overnight, delete=delete)
    checks = _checks(levels, only or [], list_checks=list_checks)
    show = Output(as_json=as_json)
    if list_checks:
        show.catalogue(checks, planned_target(read_template(template)))
        return
    _check_files(output, record)
    from tidemill.verify.aws import AccountAws  # noqa: PLC0415 - boto3 is slow to import

    aws = AccountAws(region, endpoint_url)
    target = read_target(aws, read_template(template), stack, _body(message))
    run = Run(target, checks)
    if resume:
        run.seen |= _resumed(record, run)
    about = _about(aws, speed)
    before = _before(output, target, about)
    show.announce(target, checks, left_out(levels, only or []), about)
    _confirm(target, checks, yes=yes)
    clock = _clock(aws, target, speed)
    try:
        run.observe(aws, clock, show.progress)
    finally:
        _write(run, before, about, (output, record), show.written)
    findings = run.findings()
    if as_json:
        print_json(record_of(run, about, clock.now()))
    else:
        show.findings(findings)
    if any(finding.verdict is Verdict.DIFFERS for finding in findings):
        raise typer.Exit(DIFFERS)


def _levels(*, act: bool, overnight: bool, delete: bool) -> list[Level]:
    allowed = {Level.ACT: act, Level.OVERNIGHT: overnight, Level.DELETE: delete}
    return [Level.READ, *(level for level, given in allowed.items() if given)]


def _checks(levels: list[Level], only: list[str], *, list_checks: bool) -> Sequence[Check]:
    unknown = [name for name in only if name not in NAMES]
    if unknown:
        refuse_usage(f"--only {unknown[0]}: choose from {', '.join(NAMES)}")
    if list_checks:
        return [check for check in CHECKS if not only or check.name in only]
    checks = chosen(levels, only)
    missing = [check for check in left_out(levels, only) if check.name in only]
    if missing:
        one = missing[0]
        refuse_usage(f"--only {one.name}: it {one.observation.level.value} allows it")
    return checks


def _check_files(output: Path, record: Path) -> None:
    """Refuse files that could not be written at the end, before hours are spent on their content.

    Raises:
        typer.BadParameter: there is no such folder, a file is one, or both are the same.
    """
    for option, file in (("--output", output), ("--record", record)):
        if not file.parent.is_dir():
            refuse_usage(f"{option}: there is no folder {file.parent}")
        if file.is_dir():
            refuse_usage(f"{option}: {file} is a folder: name a file")
    if output.resolve() == record.resolve():
        refuse_usage(f"--output and --record are both {output}: name two files")


def _body(message: str | None) -> Callable[[str], str | None]:
    """Return the function that returns the text of a message for a handler."""

    def body(handler: str) -> str | None:
        if message is not None:
            return message
        if handler != OWN_HANDLER:
            return None
        (vehicle,) = generated(1, Random(), datetime.now(UTC).year)  # noqa: S311 - no secret
        return vehicle.body

    return body


def _resumed(record: Path, run: Run) -> dict[str, dict[str, object]]:
    try:
        return resumed(record.read_text(encoding="utf-8"), run)
    except (OSError, UnicodeDecodeError) as error:
        refuse_usage(f"--resume: cannot read {record}: {getattr(error, 'strerror', error)}")
    except CalibrationError as error:
        refuse_usage(f"--resume: {record}: {error}")


def _before(output: Path, target: Target, about: Mapping[str, str]) -> Calibration | None:
    """Return the measured times that the file has already."""
    try:
        before = read_calibration(output.read_text(encoding="utf-8"), str(output))
        check_same_place(before, target, about)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        refuse_usage(f"--output: cannot read {output}: {getattr(error, 'strerror', error)}")
    except CalibrationError as error:
        refuse_usage(f"--output {output}: {str(error).removeprefix(f'{output}: ')}")
    return before


def _about(aws: Aws, speed: float) -> dict[str, str]:
    about = {"program": f"tidemill verify {__version__}"}
    if aws.endpoint is not None:
        about["endpoint"] = f"{aws.endpoint}, which is not AWS"
    if speed != 1:
        about["speed"] = f"{speed:g}"
    return about


def _confirm(target: Target, checks: Sequence[Check], *, yes: bool) -> None:
    """Ask before anything is sent or changed; the deletion needs the stack's name."""
    levels = {check.observation.level for check in checks}
    if yes or levels <= {Level.READ}:
        return
    try:
        if Level.DELETE in levels:
            question = f"This deletes the stack. Type its name, {target.name}"
            confirmed = typer.prompt(question, err=True) == target.name
        else:
            confirmed = typer.confirm("Do this?", err=True)
    except typer.Abort:  # the input has ended, or Ctrl-C
        confirmed = False
    if not confirmed:
        raise VerifyError("not confirmed: nothing was sent or changed")


def _clock(aws: Aws, target: Target, speed: float) -> Clock:
    """Return AWS's time; a rig's time began with its group."""
    from tidemill.verify.aws import AwsClock  # noqa: PLC0415 - boto3 is slow to import

    if speed == 1:
        return AwsClock()
    try:
        groups = aws.call(
            "autoscaling:DescribeAutoScalingGroups", AutoScalingGroupNames=[target.group]
        )["AutoScalingGroups"]
    except RefusedError as error:
        raise VerifyError(f"--speed: {error}") from error
    if not groups:
        raise VerifyError(f"--speed: there is no group {target.group}")
    return AwsClock(speed, groups[0]["CreatedTime"].timestamp())


def _write(
    run: Run,
    before: Calibration | None,
    about: dict[str, str],
    files: tuple[Path, Path],
    written: Callable[[Path], None],
) -> None:
    """Write the measured times and the record, also of a run that was interrupted."""
    output, record = files
    now = datetime.now(UTC).timestamp()
    if all(check.observation.level is Level.READ for check in run.checks):
        return
    try:
        record.write_text(json.dumps(record_of(run, about, now), indent=2) + "\n", encoding="utf-8")
        written(record)
        calibration = calibration_of(run, about, now, before)
        if calibration is not None:
            output.write_text(write_calibration(calibration), encoding="utf-8")
            written(output)
    except OSError as error:
        raise VerifyError(f"cannot write {error.filename}: {error.strerror}") from error
