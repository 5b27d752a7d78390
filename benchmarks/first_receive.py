"""First receive: the time from a consumer's start to its first ReceiveMessage.

`python -m benchmarks.first_receive` starts consumers with queue URL and log group, as on an
instance. They call a small server of this program, which records when the first ReceiveMessage
arrives. Credentials are in the environment; on an instance the metadata service supplies them,
which takes some milliseconds more. Run it on an idle machine, because other work slows it down.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

import docker
from docker.errors import DockerException, ImageNotFound
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

IMAGES: Final = Path(__file__).parent.parent / "images"
PATIENCE: Final = 60.0


class Endpoint(ThreadingHTTPServer):
    """Server that answers every AWS call with an empty result; `received_at` is an epoch second."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port of the loopback interface."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received_at = 0.0
        self.received = threading.Event()

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of a consumer that calls this server."""
        url = f"http://127.0.0.1:{self.server_port}"
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": url,
            "QUEUE_URL": f"{url}/000000000000/work",
            "LOG_GROUP": "/tidemill/workers",
        }

    def first_receive(self) -> float:
        """Wait for the first ReceiveMessage and return the epoch second of its arrival."""
        if not self.received.wait(PATIENCE):
            sys.exit(f"no ReceiveMessage within {PATIENCE:.0f} s: does the consumer start?")
        return self.received_at


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        now = time.time()
        if self.headers["X-Amz-Target"] == "AmazonSQS.ReceiveMessage":
            if not self.server.received.is_set():
                self.server.received_at = now
            self.server.received.set()
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is inherited
        """Keep the terminal for the table."""


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Run an endpoint for one consumer."""
    with Endpoint() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def process() -> float:
    """Return the seconds from the start of `python -m consumer` to its first receive."""
    with endpoint() as server:
        started_at = time.time()
        consumer = subprocess.Popen(
            [sys.executable, "-m", "consumer"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(IMAGES), **server.environment},
            stdout=subprocess.DEVNULL,
        )
        try:
            return server.first_receive() - started_at
        finally:
            consumer.terminate()
            consumer.wait()


def container(engine: DockerClient, image: str) -> tuple[float, float]:
    """Return a container's seconds: from the start of its process, and from `docker run`."""
    with endpoint() as server:
        asked_at = time.time()
        consumer = engine.containers.run(
            image,
            detach=True,
            network_mode="host",
            read_only=True,
            cap_drop=["ALL"],
            environment=server.environment,
        )
        try:
            received_at = server.first_receive()
            consumer.reload()
            return received_at - _epoch(
                consumer.attrs["State"]["StartedAt"]
            ), received_at - asked_at
        finally:
            consumer.remove(force=True)


def _epoch(text: str) -> float:
    """Return the engine's time, a text with nanoseconds, as an epoch second."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp() + float(f"0.{fraction}")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description="Time from a consumer's start to its first receive."
    )
    parser.add_argument("--runs", type=int, default=10, help="runs of each kind [default: 10]")
    parser.add_argument(
        "--image", default="tidemill/consumer", help="the image [default: tidemill/consumer]"
    )
    options = parser.parse_args()

    process()  # the first run writes Python's bytecode, so it is not counted
    rows = {"process, from its start": [process() for _ in range(options.runs)]}
    try:
        engine = docker.from_env()
        pairs = [container(engine, options.image) for _ in range(options.runs)]
    except ImageNotFound:
        sys.exit(f"there is no image {options.image}: run `make images`")
    except DockerException as error:
        sys.stderr.write(
            f"no containers were measured, because no Docker engine answers: {error}\n"
        )
    else:
        rows["container, from its process' start"] = [started for started, _ in pairs]
        rows["container, from docker run"] = [asked for _, asked in pairs]
        engine.close()

    table = Table(title=f"Seconds to the first receive, {options.runs} runs each")
    table.add_column("what")
    for name in ("median", "fastest", "slowest"):
        table.add_column(name, justify="right")
    for name, seconds in rows.items():
        numbers = (statistics.median(seconds), min(seconds), max(seconds))
        table.add_row(name, *(f"{number:.3f}" for number in numbers))
    Console().print(table)


if __name__ == "__main__":
    main()
