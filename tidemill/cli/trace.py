"""The command `tidemill trace`: a load recorded from CloudWatch, for the simulator."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from tidemill.cli.options import KEPT_HOURS
from tidemill.simulator.errors import SimulationError


def trace(
    queue: Annotated[str, typer.Option("--queue", metavar="NAME", help="The queue's name.")],
    hours: Annotated[
        float, typer.Option("--hours", min=0.1, max=KEPT_HOURS, help="How far back, in hours.")
    ] = 24.0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="FILE", help="The file to write. [default: standard output]"
        ),
    ] = None,
) -> None:
    """Record from CloudWatch how many messages were sent to a queue, for `simulate --trace`."""
    import boto3  # noqa: PLC0415 - slow to import
    from botocore.exceptions import (  # noqa: PLC0415 - only this command needs them
        BotoCoreError,
        NoRegionError,
    )

    from shared.region import chosen_region  # noqa: PLC0415 - only this command needs it
    from tidemill.simulator.traces.cloudwatch import fetch_trace, write_trace  # noqa: PLC0415 - only this command needs it

    try:
        cloudwatch = boto3.client("cloudwatch", region_name=chosen_region())
    except NoRegionError as error:
        raise SimulationError("no AWS region: set AWS_REGION") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: AWS_ENDPOINT_URL is no URL
        raise SimulationError(f"no client of CloudWatch: {error}") from error
    lots = fetch_trace(cloudwatch, queue, hours, datetime.now(UTC))
    if output is None:
        write_trace(lots, sys.stdout)
        return
    try:
        with output.open("w", encoding="utf-8") as out:
            write_trace(lots, out)
    except OSError as error:
        raise SimulationError(f"--output: cannot write {output}: {error.strerror}") from error
    typer.echo(f"wrote {len(lots)} minutes with {sum(count for _, count in lots)} messages")
