"""Tests of `python -m producer` as a process: standard input, signals, a real endpoint."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.emulators.ministack import Ministack, free_port, without_aws
from support.emulators.producers import (
    NOWHERE,
    PATIENCE,
    accepted_in,
    finished,
    started,
    wait_until,
)
from support.fakes.producing import vehicle_line

pytestmark = pytest.mark.impure


def test_every_message_of_a_sent_log_is_in_the_queue(ministack: Ministack, tmp_path: Path) -> None:
    """The ids in the sent log are those of the messages in the queue."""
    url = ministack.create_queue("producer-log")
    log = tmp_path / "sent.jsonl"

    code, output, _ = finished(
        *("--count", 500, "--poison", 10, "--queue-url", url, "--sent-log", log, "--json"),
        environment=ministack.environment,
    )

    recorded = accepted_in(log)
    assert code == 0
    assert json.loads(output)["sent"] == len(recorded) == 510
    assert len({entry["message_id"] for entry in recorded}) == 510
    assert sum(entry["poison"] for entry in recorded) == 10
    assert len(ministack.take_all(url)) == 510


def test_standard_input_is_sent_while_it_is_still_open(ministack: Ministack) -> None:
    """A slow writer's line is sent without waiting for nine others."""
    url = ministack.create_queue("producer-stdin")
    with started(
        *("--file", "-", "--queue-name", "producer-stdin"), environment=ministack.environment
    ) as process:
        assert process.stdin is not None
        process.stdin.write(vehicle_line(1) + "\n")
        process.stdin.flush()
        wait_until(lambda: ministack.take_all(url) == [vehicle_line(1)])
        _, errors = process.communicate(vehicle_line(2), PATIENCE)

    assert ministack.take_all(url) == [vehicle_line(2)]
    assert process.returncode == 0
    assert errors.startswith("sent 2,")


def test_what_one_producer_prints_another_sends() -> None:
    """A dry run's output is valid input, blank lines included."""
    _, printed, _ = finished("--count", 1000, "--dry-run")
    code, again, _ = finished("--file", "-", "--dry-run", given=printed.replace("\n", "\n \n"))

    assert code == 0
    assert again == printed
    assert printed.count("\n") == 1000


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal_ends_a_run_in_order(
    ministack: Ministack, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Batches being sent are finished and logged; the summary counts what was not sent."""
    url = ministack.create_queue(f"producer-{number.name}")
    log = tmp_path / "sent.jsonl"
    with started(
        *("--count", 10_000, "--rate", 50, "--queue-url", url, "--sent-log", log, "--json"),
        environment=ministack.environment,
    ) as process:
        wait_until(lambda: len(accepted_in(log)) >= 10)
        process.send_signal(number)
        output, errors = process.communicate(timeout=PATIENCE)

    summary = json.loads(output)
    assert process.returncode == summary["exit_code"] == code
    assert summary["signal"] == number.name
    assert errors.startswith(f"stopped by {number.name}\nsent {summary['sent']}, ")
    assert summary["sent"] + summary["unsent"] == 10_000
    assert len(accepted_in(log)) == summary["sent"] == len(ministack.take_all(url))


def test_a_signal_ends_a_run_whose_input_is_idle(ministack: Ministack) -> None:
    """The program ends although its reader is blocked, and says which line it read last."""
    url = ministack.create_queue("producer-silent")
    with started("--file", "-", "--queue-url", url, environment=ministack.environment) as process:
        assert process.stdin is not None
        process.stdin.write(f"\n{vehicle_line(1)}\n{vehicle_line(2)[:20]}")
        process.stdin.flush()
        wait_until(lambda: ministack.take_all(url) == [vehicle_line(1)])
        process.send_signal(signal.SIGTERM)
        # Not `communicate`, which would close the input.
        assert process.wait(PATIENCE) == 143
        assert process.stderr is not None
        assert process.stderr.read().startswith("stopped by SIGTERM after line 2\nsent 1, failed 0")


def test_a_signal_ends_the_wait_for_a_queue_that_is_away(tmp_path: Path) -> None:
    """A signal ends the retries, of which a hundred would take half an hour."""
    url = f"http://127.0.0.1:{free_port()}/000000000000/orders"
    environment = {**NOWHERE, "AWS_ENDPOINT_URL": url.rsplit("/", 2)[0]}
    with started(
        *("--count", 5, "--queue-url", url, "--attempts", 100, "--sent-log", tmp_path / "log"),
        environment=environment,
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)

    assert first.startswith("trying again: no answer from the endpoint")
    assert process.returncode == 130
    assert "not sent 5" in errors


def test_a_second_signal_ends_the_wait_for_an_answer() -> None:
    """What the silent endpoint was sent is indeterminate, and the summary says so at once."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/000000000000/orders"
        with started(
            *("--count", 5, "--queue-url", url, "--json"),
            environment={**NOWHERE, "AWS_ENDPOINT_URL": url.rsplit("/", 2)[0]},
        ) as process:
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                while _pending(process.pid):
                    time.sleep(0.05)
                time.sleep(0.5)
                process.send_signal(signal.SIGINT)
                output, errors = process.communicate(timeout=60)

    summary = json.loads(output)
    assert process.returncode == summary["exit_code"] == 130
    assert summary["indeterminate"] == [{"of": "vehicle", "first": 1, "last": 5}]
    assert (summary["sent"], summary["failed"], summary["unsent"]) == (0, 0, 0)
    assert "indeterminate: vehicles 1-5: no answer came" in errors


def _pending(pid: int) -> bool:
    """Return whether a process has a signal that it has not got yet."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return any(int(line.split()[1], 16) for line in lines if line.startswith(("SigP", "ShdP")))


def test_nobody_at_the_endpoint_is_a_failure() -> None:
    """Each message is listed, the reason is the last line but one, without a traceback."""
    url = f"http://127.0.0.1:{free_port()}/000000000000/orders"
    code, _, errors = finished(
        *("--count", 3, "--queue-url", url, "--attempts", 1),
        environment={**NOWHERE, "AWS_ENDPOINT_URL": url.rsplit("/", 2)[0]},
    )

    lines = errors.splitlines()
    assert code == 1
    assert [line[:20] for line in lines[:3]] == ["not sent: vehicle VH"] * 3
    assert lines[3].startswith("Error: gave up after 1 attempt: no answer from the endpoint")
    assert lines[4].startswith("sent 0, failed 3")
    assert len(lines) == 5


def test_missing_credentials_are_a_failure(tmp_path: Path) -> None:
    """Missing credentials give one line that says which variables to set."""
    environment = {
        **without_aws(os.environ),
        "AWS_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
    }
    code, _, errors = finished("--count", 1, "--queue-name", "q", environment=environment)

    assert code == 1
    assert errors.startswith("Error: no AWS credentials found: set AWS_PROFILE or")
    assert errors.count("\n") == 1


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    """A closed standard output, as in `producer --dry-run | head`, gives no traceback."""
    with started("--count", 1_000_000, "--dry-run") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith('{"vehicleId"')
        process.stdout.close()
        process.stdout = None
        _, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert "Traceback" not in errors
    assert "Exception" not in errors


def test_a_closed_input_is_wrong_usage() -> None:
    """A closed standard input is an error of usage."""
    process = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m producer --file - --dry-run <&-', sys.executable],
        env=NOWHERE,
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 2
    assert process.stderr == "Error: cannot read standard input: Bad file descriptor\n"


def test_help_is_there_without_any_settings() -> None:
    """`--help` needs no settings."""
    code, output, errors = finished("--help")

    assert code == 0
    assert output.startswith("Usage: producer [OPTIONS]")
    assert errors == ""
