"""The command `tidemill lint`: a template's findings as text, JSON or SARIF."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer
from rich.console import Console

from tidemill.cli.lint_output import lines_of
from tidemill.cli.options import (
    DEFAULT_TEMPLATE,
    JsonOption,
    ParameterOption,
    print_json,
    read_parameters,
    refuse_usage,
)
from tidemill.lint.check import Report, lint
from tidemill.lint.sarif import sarif_log
from tidemill.scaling.errors import ParameterError, TemplateError

app = typer.Typer()
FOUND = 1


@app.command("lint")
def lint_template(
    template: Annotated[
        Path, typer.Argument(metavar="TEMPLATE", help="The template to check, YAML or JSON.")
    ] = DEFAULT_TEMPLATE,
    parameter: ParameterOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Check a template for what causes problems in queue fleets; exit code 1 if not only notes."""
    if as_json and as_sarif:
        refuse_usage("--json and --sarif cannot be combined: choose one")
    report = _report(template, read_parameters(parameter))
    if as_sarif:
        typer.echo(json.dumps(sarif_log(report, template), indent=2))
    elif as_json:
        print_json({"template": str(template), **asdict(report)})
    else:
        console = Console()
        for line in lines_of(report, template):
            console.print(line, soft_wrap=True)
    if report.failed:
        raise typer.Exit(FOUND)


def _report(template: Path, given: dict[str, str]) -> Report:
    """Return the findings; a template that cannot be read is wrong usage, not a finding."""
    try:
        return lint(template.read_text(encoding="utf-8"), str(template), given)
    except UnicodeDecodeError:
        refuse_usage(f"{template}: not a UTF-8 text")
    except OSError as error:
        refuse_usage(f"{template}: {error.strerror}")
    except (ParameterError, TemplateError) as error:
        message = str(error)
        if not message.startswith(str(template)):
            message = f"{template}: {message}"
        refuse_usage(message)
