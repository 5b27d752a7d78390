"""Tests of `python -m producer` at an endpoint that hangs or answers wrongly."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Final

import pytest
from support.emulators.producers import NOWHERE, PATIENCE, started, wait_until
from support.emulators.wrong_server import be_right, wrong_server

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from support.emulators.wrong_server import Call, WrongServer

pytestmark = pytest.mark.impure

SECONDS: Final = 30.0
"""The run ends this soon after a signal; its own limits would be over minutes later."""


def hang(call: Call) -> None:
    """Answer nothing."""
    call.ended.wait(PATIENCE)


def drip(call: Call) -> None:
    """Answer with a byte now and then."""
    call.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    call.drip(b" " * 100_000, 0.05)


def at(server: WrongServer) -> Mapping[str, str]:
    """Return the environment of a producer at this endpoint."""
    return {**NOWHERE, "AWS_ENDPOINT_URL": server.endpoint}


def interrupted(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Send a producer Ctrl-C; return both of its outputs once it has ended, in time."""
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    output, errors = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - began < SECONDS
    return output, errors


def test_control_c_names_what_is_indeterminate() -> None:
    """One signal is enough, and the summary names the messages that may be in the queue."""
    with (
        wrong_server(drip) as server,
        started(
            *("--count", 25, "--queue-url", server.queue_url, "--rate", 1000, "--json"),
            environment=at(server),
        ) as process,
    ):
        wait_until(lambda: len(server.calls) == 3)
        output, errors = interrupted(process)

    summary = json.loads(output)
    assert process.returncode == summary["exit_code"] == 130
    assert summary["indeterminate"] == [{"of": "vehicle", "first": 1, "last": 25}]
    assert (summary["sent"], summary["failed"], summary["unsent"]) == (0, 0, 0)
    assert "stopped by SIGINT" in errors
    assert "indeterminate: vehicles 1-25: no answer came" in errors
    assert "Traceback" not in errors


def test_control_c_ends_the_search_for_a_queue() -> None:
    """A request for the queue's URL that hangs is not waited for; nothing was sent."""
    with (
        wrong_server(hang) as server,
        started(
            *("--count", 25, "--queue-name", "work", "--json"), environment=at(server)
        ) as process,
    ):
        wait_until(lambda: len(server.calls) == 1)
        output, errors = interrupted(process)

    summary = json.loads(output)
    assert process.returncode == summary["exit_code"] == 130
    assert summary["indeterminate"] == []
    assert (summary["sent"], summary["unsent"]) == (0, 25)
    assert errors.startswith("stopped by SIGINT\nsent 0, failed 0, skipped 0, not sent 25;")


def test_a_blip_is_a_pause_and_not_the_end() -> None:
    """A page of HTML, a redirect, a timeout of a proxy and a refused token end no run."""
    wrong = [
        b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b'HTTP/1.1 403 No\r\nContent-Length: 25\r\n\r\n{"__type": "ExpiredToken"}'[:-1],
    ]

    def behave(call: Call) -> None:
        if wrong:
            call.connection.sendall(wrong.pop())
        else:
            be_right(call)

    with (
        wrong_server(behave) as server,
        started(
            *("--count", 5, "--queue-url", server.queue_url, "--json"), environment=at(server)
        ) as process,
    ):
        output, errors = process.communicate(timeout=PATIENCE)

    summary = json.loads(output)
    assert (process.returncode, summary["sent"], summary["failed"]) == (0, 5, 0)
    assert summary["perhaps_twice"] == [{"of": "vehicle", "first": 1, "last": 5}]
    assert errors.count("trying again: ") == 1


def test_a_password_in_the_queues_url_is_not_shown() -> None:
    """Neither the refusal of a URL nor an error of a call has it."""
    with (
        wrong_server(hang) as server,
        started(
            *("--count", 5, "--queue-url", "https://user:hunter2@sqs.example"),
            environment=at(server),
        ) as process,
    ):
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert errors.startswith("Error: 'https://***@sqs.example' is not a queue URL")

    def refuse(call: Call) -> None:
        call.answer(400, b'{"__type": "QueueDoesNotExist"}')

    with (
        wrong_server(refuse) as server,
        started(
            *("--count", 5, "--queue-url", server.queue_url.replace("//", "//user:hunter2@")),
            environment=at(server),
        ) as process,
    ):
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "hunter2" not in errors
    assert "//***@127.0.0.1" in errors
