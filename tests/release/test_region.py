"""Region: AWS_REGION alone is enough for every program of the project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from support.emulators.ministack import without_aws

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.impure

ROOT: Final = PRODUCT_TEMPLATE.parent
REGION: Final = "eu-north-1"
SIGNED_FOR: Final = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/")
REFUSAL: Final = b'{"__type": "AccessDenied", "message": "this stand-in refuses every call"}'


class StandIn(ThreadingHTTPServer):
    """An endpoint that refuses every call; `regions` are those that calls were signed for."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port of the loopback interface."""
        super().__init__(("127.0.0.1", 0), Refusing)
        self.regions: list[str] = []


class Refusing(BaseHTTPRequestHandler):
    """Notes the region of a request's signature, and refuses the request."""

    server: StandIn

    def do_POST(self) -> None:
        """Answer a call."""
        self.rfile.read(int(self.headers["Content-Length"]))
        signed = SIGNED_FOR.search(self.headers["Authorization"])
        assert signed
        self.server.regions.append(signed["region"])
        self.send_response(403)
        self.send_header("Content-Length", str(len(REFUSAL)))
        self.end_headers()
        self.wfile.write(REFUSAL)

    def log_message(self, *_: object) -> None:
        """Write no line for a request."""


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Run the stand-in."""
    with StandIn() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def settings(home: Path, **more: str) -> dict[str, str]:
    """Return an environment with credentials, and without a region or a file of the AWS tools."""
    return {
        **without_aws(os.environ),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_MAX_ATTEMPTS": "1",
        "HOME": str(home),
        "QUEUE_NAME": "work",
        **more,
    }


PROGRAMS: Final = {
    "deploy": ("-m", "tidemill.release", "deploy", "--sam", "true"),
    "dashboard": ("-m", "tidemill", "dashboard", "export"),
    "trace": ("-m", "tidemill", "trace", "--queue", "work"),
    "verify": ("-m", "tidemill", "verify", "--stack", "tidemill"),
    "producer": ("-m", "producer", "--queue-name", "work", "--count", "1", "--attempts", "1"),
    "consumer": ("-m", "consumer"),
}


@pytest.mark.parametrize("command", PROGRAMS.values(), ids=PROGRAMS.keys())
@pytest.mark.parametrize(
    "regions",
    [
        pytest.param({"AWS_REGION": REGION}, id="alone"),
        pytest.param(
            {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": "us-east-1"}, id="before-the-default"
        ),
    ],
)
def test_every_program_calls_the_region_in_aws_region(
    command: Sequence[str], regions: dict[str, str], tmp_path: Path
) -> None:
    """Every call is signed for that region."""
    with stand_in() as server:
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=settings(tmp_path, **regions, AWS_ENDPOINT_URL=endpoint),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert "Traceback" not in done.stderr
    assert set(server.regions) == {REGION}, done.stdout + done.stderr


@pytest.mark.parametrize("command", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_without_a_region_every_program_names_the_setting(
    command: Sequence[str], tmp_path: Path
) -> None:
    """The error is one line, and the variable in it is the one that works."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=settings(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "AWS_REGION" in done.stderr
