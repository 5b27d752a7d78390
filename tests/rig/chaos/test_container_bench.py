"""The fleet of containers under test: its controller, as a program of this test, is watched."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.builders.fleets import product_template
from support.builders.sessions import SESSION

from tidemill.rig.chaos.container_bench import ContainerBench
from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.clients import LocalClients
from tidemill.rig.rig import RigOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.emulators.ministack import Ministack

PATIENCE = 60.0
CONTROLLER = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"up")
        if "end" in self.path:
            os._exit(137)
HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""
BROKEN = "import sys; print('no engine', file=sys.stderr); sys.exit(1)"


@pytest.fixture
def clients(ministack: Ministack) -> LocalClients:
    """Provide clients of a local AWS."""
    return LocalClients(ministack.endpoint, SESSION)


@pytest.fixture
def bench(clients: LocalClients, tmp_path: Path) -> Iterator[ContainerBench]:
    """Provide a bench whose controller only says that it is up."""
    url = clients.sqs.create_queue(QueueName="bench")["QueueUrl"]
    options = RigOptions(tmp_path, product_template(), {}, speed=10.0)
    bench = ContainerBench(options, clients, url, [sys.executable, "-c", CONTROLLER])
    try:
        yield bench
    finally:
        bench.close()


def test_a_controller_that_ends_is_started_again(bench: ContainerBench) -> None:
    """As Docker or systemd would do; one that runs is left alone."""
    bench.turn()
    assert bench.restarts == 0
    bench._controller.kill()
    bench._controller.wait()
    bench.turn()
    assert bench.restarts == 1
    assert bench._controller.poll() is None


def test_a_bench_counts_what_waits_in_the_queue(
    bench: ContainerBench, clients: LocalClients
) -> None:
    """A message in flight waits as well."""
    url = bench.client_environment("producer")["QUEUE_URL"]
    assert bench.waiting() == 0
    for body in ("one", "two"):
        clients.sqs.send_message(QueueUrl=url, MessageBody=body)
    clients.sqs.receive_message(QueueUrl=url)
    deadline = time.monotonic() + PATIENCE
    while bench.waiting() != 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_controller_that_does_not_start_is_an_error(
    clients: LocalClients, tmp_path: Path
) -> None:
    """The error names the log with its reason."""
    url = clients.sqs.create_queue(QueueName="broken")["QueueUrl"]
    options = RigOptions(tmp_path, product_template(), {}, speed=10.0)
    with pytest.raises(RigError, match=r"the controller does not start: see .*controller\.log"):
        ContainerBench(options, clients, url, [sys.executable, "-c", BROKEN])
    assert "no engine" in (tmp_path / "controller.log").read_text()
