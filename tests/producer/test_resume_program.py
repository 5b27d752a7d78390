"""Tests of `python -m producer --resume` as a process that is killed, and of answers that are lost.

They need a real process, because only SIGKILL gives it no chance to write anything.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.emulators.producers import NOWHERE, PATIENCE, finished, lines_of, started, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.ministack import Ministack

pytestmark = pytest.mark.impure


def under_way(journal: Path) -> set[int]:
    """Return the lines of which the journal says that they were being sent, and not more."""
    found: set[int] = set()
    for line in lines_of(journal)[1:]:
        for kind, ranges in json.loads(line).items():
            numbers = {n for first, last in ranges for n in range(first, last + 1)}
            found = found | numbers if kind == "sending" else found - numbers
    return found


def test_a_producer_that_is_killed_again_and_again_loses_nothing(
    ministack: Ministack, tmp_path: Path
) -> None:
    """What is in the queue twice was under way at a kill, and is named by the next run."""
    url = ministack.create_queue("producer-killed")
    file, journal = tmp_path / "orders.jsonl", tmp_path / "journal"
    bodies = [f'{{"order":{number}}}' for number in range(1, 2001)]
    file.write_text("\n".join(bodies))
    arguments = ("--file", file, "--queue-url", url, "--resume", journal, "--json")
    doubtful: set[int] = set()
    for part in range(1, 5):
        with started(*arguments, "--rate", 1500, environment=ministack.environment) as process:
            wait_until(lambda part=part: len(lines_of(journal)) > 60 * part)  # type: ignore[misc]
            process.kill()
            process.wait(PATIENCE)
        text = journal.read_bytes()
        assert text.count(b"\n") > 60 * part
        journal.write_bytes(text[: text.rindex(b"\n") + 1])
        doubtful |= under_way(journal)

    code, output, errors = finished(*arguments, environment=ministack.environment)

    summary = json.loads(output)
    found = Counter(ministack.take_all(url))
    twice = {bodies.index(body) + 1 for body, times in found.items() if times > 1}
    assert code == 0, errors
    assert set(found) == set(bodies)
    named = {n for one in summary["perhaps_twice"] for n in range(one["first"], one["last"] + 1)}
    assert twice <= named <= doubtful
    assert summary["sent"] + summary["sent_before"] == 2000
    assert summary["last_line"] == 2000
    assert finished(*arguments, environment=ministack.environment)[0] == 0
    assert ministack.take_all(url) == []


def test_the_journal_of_another_file_is_wrong_usage(ministack: Ministack, tmp_path: Path) -> None:
    """Nothing is sent, and one line says why."""
    url = ministack.create_queue("producer-changed")
    file, journal = tmp_path / "orders.jsonl", tmp_path / "journal"
    file.write_text("[1]\n")
    arguments = ("--file", file, "--format", "jsonl", "--queue-url", url, "--resume", journal)
    assert finished(*arguments, environment=ministack.environment)[0] == 0
    file.write_text("[1]\n[2]\n")

    code, _, errors = finished(*arguments, environment=ministack.environment)

    assert code == 2
    assert errors.startswith(f"Error: --resume {journal}: it is about another file")
    assert errors.count("\n") == 1
    assert ministack.take_all(url) == ["[1]"]


def test_a_lost_answer_is_indeterminate_with_its_lines(tmp_path: Path) -> None:
    """An endpoint that ends the connection after the request may have carried it out."""
    file, journal = tmp_path / "orders.jsonl", tmp_path / "journal"
    file.write_text('{"order":1}\n{"order":2}\n')
    with socket.create_server(("127.0.0.1", 0)) as closing:
        url = f"http://127.0.0.1:{closing.getsockname()[1]}/000000000000/orders"
        with started(
            *("--file", file, "--queue-url", url, "--resume", journal, "--attempts", 1, "--json"),
            environment={**NOWHERE, "AWS_ENDPOINT_URL": url.rsplit("/", 2)[0]},
        ) as process:
            connection, _ = closing.accept()
            with connection:
                connection.recv(65_536)
            output, errors = process.communicate(timeout=PATIENCE)

    summary = json.loads(output)
    assert process.returncode == 1
    assert (summary["sent"], summary["failed"], summary["last_line"]) == (0, 0, None)
    assert summary["indeterminate"] == [{"of": "line", "first": 1, "last": 2}]
    assert "indeterminate: lines 1-2: no answer came, so they may be in the queue" in errors
    assert json.loads(lines_of(journal)[-1]) == {"indeterminate": [[1, 2]]}


def test_ctrl_c_ends_a_run_whose_endpoint_hangs_within_seconds() -> None:
    """The summary names what was being sent, without a second Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/000000000000/orders"
        with started(
            *("--count", 1000, "--queue-url", url, "--json"),
            environment={**NOWHERE, "AWS_ENDPOINT_URL": url.rsplit("/", 2)[0]},
        ) as process:
            connection, _ = silent.accept()
            with connection:
                begun = time.monotonic()
                process.send_signal(signal.SIGINT)
                output, _ = process.communicate(timeout=PATIENCE)

    summary = json.loads(output)
    assert process.returncode == 130
    assert time.monotonic() - begun < 9
    assert summary["sent"] == summary["failed"] == 0
    named = sum(part["last"] - part["first"] + 1 for part in summary["indeterminate"])
    assert named + summary["unsent"] == 1000
    assert named > 0


@pytest.mark.parametrize("closed", ["reader gone", "never open", "full"])
def test_a_summary_that_cannot_be_written_is_one_line(
    ministack: Ministack, tmp_path: Path, closed: str
) -> None:
    """The messages are sent; the exit code says that the summary is not."""
    url = ministack.create_queue(f"producer-{closed.replace(' ', '-')}")
    file = tmp_path / "orders.jsonl"
    file.write_text("{}\n")
    reading, writing = os.pipe()
    os.close(reading)
    output = {"reader gone": "", "never open": ">&-", "full": ">/dev/full"}[closed]
    process = subprocess.run(
        [
            *("/bin/sh", "-c", f'"$0" -m producer "$@" --json {output}', sys.executable),
            *("--file", file, "--queue-url", url),
        ],
        env=ministack.environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)

    lines = process.stderr.splitlines()
    assert process.returncode == 1
    assert lines[0].startswith("sent 1,")
    assert lines[1].startswith("Error: cannot write the summary to standard output: ")
    assert len(lines) == 2
    assert ministack.take_all(url) == ["{}"]
