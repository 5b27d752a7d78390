"""Tests of the command line within this process: what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

import boto3
import pytest
from moto import mock_aws
from support.emulators.ministack import CREDENTIALS
from support.emulators.producers import accepted_in
from support.fakes.producing import vehicle_line
from typer.testing import CliRunner

from producer.cli import app, main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient


class Result(NamedTuple):
    """Output, errors and exit code of a command."""

    code: int
    output: str
    errors: str

    @property
    def lines(self) -> list[str]:
        """Return the lines of standard output."""
        return self.output.splitlines()


Run = "Callable[..., Result]"


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., Result]:
    """Return a function that runs the producer with these arguments, away from any account."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "QUEUE_"))]:
        monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    def produce(*arguments: object) -> Result:
        code = main([str(argument) for argument in arguments])
        output, errors = capfdbinary.readouterr()
        return Result(code, output.decode(), errors.decode())

    return produce


@pytest.fixture
def sqs(run: Callable[..., Result]) -> Iterator[SQSClient]:  # noqa: ARG001 - sets the credentials
    """Provide a client of moto's SQS with a queue called orders."""
    with mock_aws():
        client = boto3.client("sqs")
        client.create_queue(QueueName="orders")
        yield client
        client.close()


def bodies(sqs: SQSClient) -> list[str]:
    """Take all messages out of the queue."""
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
    return found


def test_vehicles_reach_the_queue(run: Callable[..., Result], sqs: SQSClient) -> None:
    """Vehicles are sent; the summary is one JSON object for machines and a line for people."""
    result = run("--count", 23, "--seed", 5, "--queue-name", "orders", "--json")

    summary = json.loads(result.output)
    assert result.code == 0
    assert (summary["sent"], summary["seed"], summary["exit_code"]) == (23, 5, 0)
    assert result.errors.startswith("sent 23, failed 0, skipped 0, not sent 0; ")
    assert len(set(bodies(sqs))) == 23


def test_what_a_dry_run_prints_is_what_a_run_sends(
    run: Callable[..., Result], sqs: SQSClient
) -> None:
    """A dry run prints what a run with its seed sends, poison included, and nothing else."""
    options = ("--count", 30, "--poison", 7, "--seed", 1)

    printed = run(*options, "--dry-run")
    sent = run(*options, "--queue-name", "orders")

    assert printed.code == sent.code == 0
    assert printed.lines == run(*options, "--dry-run").lines
    assert sorted(printed.lines) == sorted(bodies(sqs))
    assert printed.errors.startswith("would be sent 37 (7 poison)")
    assert sent.errors.startswith("sent 37 (7 poison)")


def test_poison_leaves_the_vehicles_alone(run: Callable[..., Result]) -> None:
    """Two runs of one seed, with and without poison, differ only in the poison."""
    plain = run("--count", 30, "--seed", 1, "--dry-run").lines
    mixed = run("--count", 30, "--seed", 1, "--poison", 5, "--dry-run").lines

    assert [line for line in mixed if line in plain] == plain


def test_a_file_is_sent_as_it_stands(
    run: Callable[..., Result], sqs: SQSClient, tmp_path: Path
) -> None:
    """The lines of a file are sent unchanged, and the sent log matches the file."""
    lines = [vehicle_line(number).replace(":", ": ") for number in range(1, 26)]
    path, log = tmp_path / "vehicles.jsonl", tmp_path / "sent.jsonl"
    path.write_text("\n\n".join(lines))

    os.environ["QUEUE_URL"] = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    try:
        result = run("--file", path, "--sent-log", log, "--poison", 2)
    finally:
        del os.environ["QUEUE_URL"]

    recorded = accepted_in(log)
    assert result.code == 0
    assert set(lines) < set(bodies(sqs))
    assert sorted(entry["line"] for entry in recorded if not entry["poison"]) == [*range(1, 50, 2)]
    assert sum(entry["poison"] for entry in recorded) == 2
    assert len({entry["message_id"] for entry in recorded}) == 27


def test_an_invalid_line_stops_the_run(run: Callable[..., Result], tmp_path: Path) -> None:
    """Messages before the invalid line are sent, none after it, and the line is named."""
    path = tmp_path / "vehicles.jsonl"
    path.write_text(f"{vehicle_line(1)}\n{vehicle_line(2)}\nnonsense\n{vehicle_line(4)}\n")

    result = run("--file", path, "--dry-run")

    assert result.code == 1
    assert result.lines == [vehicle_line(1), vehicle_line(2)]
    assert "stopped at the invalid line 3: not JSON" in result.errors
    assert "messages sent before it: 2" in result.errors


def test_invalid_lines_can_be_skipped(run: Callable[..., Result], tmp_path: Path) -> None:
    """Each skipped line is named, and the exit code is 0 if the others were sent."""
    path = tmp_path / "vehicles.jsonl"
    path.write_text(f"{vehicle_line(1)}\nnonsense\n[]\n{vehicle_line(4)}\n")

    result = run("--file", path, "--dry-run", "--skip-invalid", "--schema", "vehicle")

    assert result.code == 0
    assert result.lines == [vehicle_line(1), vehicle_line(4)]
    assert [line.split(":")[1] for line in result.errors.splitlines()[:2]] == [" line 2", " line 3"]
    assert "skipped 2" in result.errors


@pytest.mark.parametrize("pattern", ["constant", "burst", "ramp", "poisson"])
def test_every_pattern_sends_everything(run: Callable[..., Result], pattern: str) -> None:
    """Each pattern sends all messages."""
    result = run("--count", 50, "--rate", 1000, "--pattern", pattern, "--dry-run")

    assert result.code == 0
    assert len(result.lines) == 50


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(["--queue-name", "q"], "nothing to send", id="nothing to send"),
        pytest.param(["--count", "-1"], "Invalid value for '--count'", id="negative count"),
        pytest.param(["--count", "x"], "Invalid value for '--count'", id="count of letters"),
        pytest.param(["--count"], "requires an argument", id="count of nothing"),
        pytest.param(["--count", "1"], "no queue", id="no queue"),
        pytest.param(["--count", "1", "--queue-url", "q"], "is not a queue URL", id="no URL"),
        pytest.param(["--file", "/absent", "--dry-run"], "cannot read /absent", id="no file"),
        pytest.param(["--file", "/", "--dry-run"], "cannot read /: Is a dir", id="directory"),
        pytest.param(["--count", "1", "--dry-run", "--rate", "0"], "--rate 0", id="rate of zero"),
        pytest.param(
            ["--count", "1", "--dry-run", "--rate", "1", "--pattern", "sine"],
            "'sine' is not one of 'constant', 'burst', 'ramp', 'poisson'",
            id="unknown pattern",
        ),
        pytest.param(["--bogus"], "No such option: --bogus", id="unknown option"),
        pytest.param(["[red]", "--count", "1"], "unexpected extra argument", id="extra argument"),
        pytest.param(["--count", "1", "--in-flight", "0"], "'--in-flight'", id="none in flight"),
        pytest.param(
            ["--count", "1", "--queue-name", "q", "--sent-log", "/absent/log"],
            "cannot write the sent log /absent/log",
            id="unwritable log",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    run: Callable[..., Result], arguments: list[str], text: str
) -> None:
    """The line says what is wrong; nothing is sent or printed."""
    result = run(*arguments)

    assert result.code == 2
    assert result.output == ""
    assert result.errors.startswith("Error: ")
    assert text in result.errors
    assert result.errors.count("\n") == 1


def test_a_queue_that_does_not_exist_is_a_failure(
    run: Callable[..., Result],
    sqs: SQSClient,  # noqa: ARG001 - moto's SQS is there, the queue is not
) -> None:
    """A missing queue fails by name before anything is sent, by URL at the first request."""
    by_name = run("--count", 1, "--queue-name", "nowhere")
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/nowhere"
    by_url = run("--count", 15, "--queue-url", url)

    assert by_name.code == by_url.code == 1
    assert by_name.errors == (
        "Error: queue nowhere does not exist: check name or URL, region and account\n"
    )
    assert by_url.errors.startswith(f"Error: queue {url} does not exist: check name")
    assert "sent 0, failed 0, skipped 0, not sent 15" in by_url.errors


def test_help_lists_the_exit_codes() -> None:
    """The help has the exit codes as a table that the terminal's width does not break."""
    result = CliRunner().invoke(app, ["--help"])

    assert result.exit_code == 0
    for code in ("0  ", "1  ", "2  ", "130", "143"):
        assert f"\n    {code}  " in result.output
