"""The options for the load and the work of a simulation."""

from __future__ import annotations

from typing import Any

from support.builders.fleets import PRODUCT_TEMPLATE
from typer.testing import CliRunner

from tidemill.cli.simulate import app

WORDS = ("--scenario", "burst", "--no-sensitivity", "--handler-seconds", "2")


def run(*words: str) -> Any:  # noqa: ANN401 - typer's own result
    """Simulate a burst of messages that take two seconds each."""
    template = ("--template", str(PRODUCT_TEMPLATE))
    return CliRunner().invoke(app, ["simulate", *template, *WORDS, *words])


def test_failing_handlers_are_simulated() -> None:
    """Their figures have a table of their own, and the capacity of an instance is printed."""
    failing = ("--failing", "0.1", "--crashing", "0.02", "--always-failing", "0.05")
    done = run(*failing)
    assert done.exit_code == 0, done.output
    assert "Attempts, and dead letters" in done.output
    said = " ".join(done.output.split())
    assert "an instance handles 2 at a time, at most 8.6 messages a minute" in said
    assert "a process for each of the 2 vCPUs of a t4g.small" in said
    assert "Attempts, and dead letters" not in run().output


def test_shares_of_more_than_all_attempts_are_refused() -> None:
    """An attempt cannot both fail and end its process."""
    done = run("--failing", "0.6", "--crashing", "0.6")
    assert done.exit_code == 2
    assert "shares that are at most 1 together" in " ".join(done.output.split())


def test_groups_of_a_standard_queue_are_refused() -> None:
    """They would change nothing, so whoever gives them expects something else."""
    done = run("--groups", "5")
    assert done.exit_code == 2
    assert "is no FIFO queue" in " ".join(done.output.split())
