"""Options that several commands take, and what their values are read from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from tidemill.release.environment import read_environment
from tidemill.release.errors import ReleaseError
from tidemill.scaling.boot_times import LAUNCH_SECONDS, USER_DATA_SECONDS
from tidemill.scaling.template.document import Document, parse_template

TemplateOption = Annotated[
    Path, typer.Option("--template", help="The template to run.", metavar="FILE")
]
ParameterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-P",
        metavar="NAME=VALUE",
        help="A parameter of the template, or @ENV for those that samconfig.toml has for it; "
        "repeat it.",
    ),
]
SpeedOption = Annotated[
    float,
    typer.Option("--speed", min=1, max=60, help="How many times faster than ours AWS's time runs."),
]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port of the local AWS; 0 is any free one.")
]
AutoscalingPortOption = Annotated[
    int,
    typer.Option(
        "--autoscaling-port", min=0, max=65535, help="Port of the Auto Scaling API; 0 is any free."
    ),
]
BootOption = Annotated[
    float,
    typer.Option(
        "--boot-seconds", min=0, max=3600, help="AWS's seconds from launch to a working consumer."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]

DEFAULT_TEMPLATE = Path("template.yaml")
KEPT_HOURS = 15 * 24
"""CloudWatch keeps datapoints of one minute for 15 days (CloudWatch User Guide, "Metrics
retention")."""
SAMCONFIG = Path("samconfig.toml")
DEFAULT_SPEED = 20.0
DEFAULT_BOOT = LAUNCH_SECONDS + USER_DATA_SECONDS


def read_template(path: Path) -> Document:
    """Return the template of this file.

    Raises:
        typer.BadParameter: it cannot be read.
        TemplateError: it is no template.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        refuse_usage(f"--template: cannot read {path}: {getattr(error, 'strerror', None) or error}")
    return parse_template(text, str(path))


def read_parameters(given: list[str] | None) -> dict[str, str]:
    """Return what `--parameter`, given any number of times, comes to; a later one wins.

    Raises:
        typer.BadParameter: one is neither NAME=VALUE nor an environment of samconfig.toml.
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
    """Return what an option NAME=VALUE, given any number of times, comes to.

    Raises:
        typer.BadParameter: one is written otherwise.
    """
    values: dict[str, str] = {}
    for item in given or []:
        name, equals, value = item.partition("=")
        if not equals or not name:
            refuse_usage(f"{option} {item}: give NAME=VALUE")
        values[name] = value
    return values


def refuse_usage(sentence: str) -> NoReturn:
    """Raise what ends the command with the exit code of wrong usage."""
    raise typer.BadParameter(sentence)
