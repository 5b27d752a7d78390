"""Options that several commands share, and the readers of their values."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import psutil
import typer

from tidemill.release.environment import read_environment
from tidemill.release.errors import ReleaseError
from tidemill.scaling.template.document import Document, parse_template
from tidemill.scaling.template.fleet import read_fleet
from tidemill.scaling.times.calibration import calibrated, read_calibration
from tidemill.scaling.times.catalogue import USUAL, Times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.scaling.spec import Fleet

TemplateOption = Annotated[
    Path, typer.Option("--template", help="The template to run.", metavar="FILE")
]
ParameterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-P",
        metavar="NAME=VALUE",
        help="A parameter of the template, or @ENV for all that samconfig.toml sets for an "
        "environment; repeatable.",
    ),
]
SpeedOption = Annotated[
    float,
    typer.Option("--speed", min=1, max=60, help="How many times faster than real time to run."),
]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port of the local AWS; 0 picks a free one.")
]
AutoscalingPortOption = Annotated[
    int,
    typer.Option(
        "--autoscaling-port",
        min=0,
        max=65535,
        help="Port of the Auto Scaling API; 0 picks a free one.",
    ),
]
BootOption = Annotated[
    float | None,
    typer.Option(
        "--boot-seconds",
        min=0,
        max=3600,
        help="Seconds of AWS's time from launch to a working consumer, exactly.",
    ),
]
TimesOption = Annotated[
    Path | None,
    typer.Option(
        "--times", metavar="FILE", help="Times that were measured on AWS, in place of the usual."
    ),
]
RunFunctionsOption = Annotated[
    bool,
    typer.Option(
        "--run-functions",
        help="Let the local AWS run the template's functions and custom resources, on this machine "
        "and with your rights. Only for a template that you trust.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

DEFAULT_TEMPLATE = Path("template.yaml")
KEPT_HOURS = 15 * 24
"""CloudWatch keeps datapoints of one minute for 15 days (CloudWatch User Guide, "Metrics
retention")."""
SAMCONFIG = Path("samconfig.toml")
DEFAULT_SPEED = 20.0


def tell_functions(template: Path, *, run_functions: bool) -> None:
    """Say what runs as whom, if functions run at all."""
    if run_functions:
        user = psutil.Process().username()
        typer.echo(
            f"functions and custom resources of {template} run on this machine as {user}: they "
            f"can read, change and send whatever {user} can",
            err=True,
        )


def find_template(path: Path) -> Path:
    """Return the project's own template where the default one is not in the current folder.

    So a run may start in the folder of one's own handler, from which Python imports it.
    """
    own = Path(__file__).parents[2] / DEFAULT_TEMPLATE
    return own if path == DEFAULT_TEMPLATE and not path.exists() and own.exists() else path


def read_template(path: Path) -> Document:
    """Return the template in this file.

    Raises:
        typer.BadParameter: it cannot be read.
        TemplateError: it is not a template.
    """
    try:
        text = find_template(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        hint = (
            ": run this in the project's folder, or give --template"
            if path == DEFAULT_TEMPLATE
            else ""
        )
        reason = getattr(error, "strerror", None) or error
        refuse_usage(f"--template: cannot read {path}: {reason}{hint}")
    return parse_template(text, str(path))


def read_times(path: Path | None, boot_seconds: float | None) -> Times:
    """Return AWS's times: the usual ones, those of a file, with boots of exactly these seconds.

    Raises:
        typer.BadParameter: the file cannot be read.
        CalibrationError: it is not a file of measured times.
    """
    times = USUAL
    if path is not None:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            refuse_usage(
                f"--times: cannot read {path}: {getattr(error, 'strerror', None) or error}"
            )
        times = calibrated(times, read_calibration(text, str(path)))
    return times if boot_seconds is None else times.with_boot(boot_seconds)


def read_working_fleet(template: Document, parameters: Mapping[str, str], folder: Path) -> Fleet:
    """Return the template's fleet, whose handler can be loaded.

    Raises:
        typer.BadParameter: the handler cannot be loaded.
        ScalingError: the template or a parameter is wrong.
    """
    from tidemill.rig.handler_check import wrong_handler_of  # noqa: PLC0415 - only rigs need it

    fleet = read_fleet(template, parameters)
    if sentence := wrong_handler_of(fleet, folder):
        refuse_usage(sentence)
    return fleet


def read_parameters(given: list[str] | None) -> dict[str, str]:
    """Return the values of all `--parameter` options by name; a later option wins.

    Raises:
        typer.BadParameter: an option is neither NAME=VALUE nor an environment of samconfig.toml.
    """
    values: dict[str, str] = {}
    for item in given or []:
        if item.startswith("@"):
            values |= _of_environment(item.removeprefix("@"))
        else:
            values |= read_pairs("--parameter", [item])
    return values


def _of_environment(name: str) -> dict[str, str]:
    try:
        return dict(read_environment(SAMCONFIG.read_text(encoding="utf-8"), name).parameters)
    except OSError as error:
        refuse_usage(f"--parameter @{name}: cannot read {SAMCONFIG}: {error.strerror}")
    except ReleaseError as error:
        refuse_usage(f"--parameter @{name}: {error}")


def read_pairs(option: str, given: list[str] | None) -> dict[str, str]:
    """Return the values of a repeatable option NAME=VALUE by name.

    Raises:
        typer.BadParameter: a value is not of that form.
    """
    values: dict[str, str] = {}
    for item in given or []:
        name, equals, value = item.partition("=")
        if not equals or not name:
            refuse_usage(f"{option} {item}: give NAME=VALUE")
        values[name] = value
    return values


class UsageRefusal(typer.BadParameter):
    """Wrong usage; the sentence says what is wrong, so that it needs no "Invalid value"."""

    def format_message(self) -> str:
        """Return the sentence alone."""
        return self.message


def refuse_usage(sentence: str) -> NoReturn:
    """End the command with this sentence and the exit code for wrong usage, 2."""
    raise UsageRefusal(sentence)


def print_json(found: object) -> None:
    """Print one JSON object; a number that JSON does not have is printed as null."""
    typer.echo(json.dumps(_finite(found), allow_nan=False))


def _finite(value: Any) -> Any:  # noqa: ANN401 - any part of the object
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
