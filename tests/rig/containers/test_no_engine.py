"""Errors of Docker engines that cannot be used: there is none, it is too old, or it fails."""

from __future__ import annotations

import gc
import json
import os
import socket
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import pytest
from support.builders.containers import in_one_line
from support.emulators.serving import served

from tidemill.rig.containers.engine import DockerEngine
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

leaves_a_socket = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
"""The SDK leaves a socket open after an error; it is closed with the error, which tests keep."""


class _Refusing(BaseHTTPRequestHandler):
    """A server that answers everything with an error, or everything but the ping."""

    status = 500
    error_text = "the disk is full"
    well = True

    def do_GET(self) -> None:
        """Answer a GET request."""
        ping = self.path.endswith("/_ping") and self.well
        body = b"OK" if ping else json.dumps({"message": self.error_text}).encode()
        self.send_response(200 if ping else self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Print nothing."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve an imitated engine; yield its DOCKER_HOST."""
    with served(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        yield f"tcp://127.0.0.1:{server.server_address[1]}"


@leaves_a_socket
@pytest.mark.parametrize("there", [True, False], ids=["nobody-listens", "no-socket"])
def test_without_an_engine_the_error_says_what_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    """The error has the address that was tried."""
    path = tmp_path / "docker.sock"
    if there:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    error_text = in_one_line(DockerEngine)
    assert error_text == (
        f"no Docker engine answers at unix://{path}: start Docker, or set DOCKER_HOST"
    )


@leaves_a_socket
def test_without_docker_host_the_usual_socket_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty DOCKER_HOST counts as none."""
    monkeypatch.setenv("DOCKER_HOST", "")
    try:
        DockerEngine().close()
    except RigError as error:
        assert "at unix:///var/run/docker.sock" in str(error)  # noqa: PT017 - an engine may be there
    gc.collect()


@leaves_a_socket
def test_a_socket_without_permission_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test changes its user id, because root may use every socket."""
    path = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0)
        server.listen()
        us = os.geteuid()
        try:
            if us == 0:
                os.seteuid(65_534)
            error_text = in_one_line(DockerEngine)
        finally:
            os.seteuid(us)
            gc.collect()
    assert error_text.startswith(
        f"not allowed to use the Docker engine at unix://{path}: add yourself"
    )
    assert "usermod -aG docker" in error_text


@pytest.mark.parametrize("host", ["smoke://signals", "unix//nothing", "tcp://somewhere:a"])
def test_an_invalid_address_is_an_error(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the setting."""
    monkeypatch.setenv("DOCKER_HOST", host)
    assert in_one_line(DockerEngine).startswith(
        f"DOCKER_HOST is {host}, which is no engine's address: "
    )


def test_an_engine_that_is_too_old_is_an_error_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error is the engine's own, since it does answer."""

    class TooOld(_Refusing):
        status = 400
        error_text = "client version 1.44 is too new. Maximum supported API version is 1.41"
        well = False

    with serving(TooOld) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        error_text = in_one_line(DockerEngine)
    assert error_text == f"the Docker engine at {host} refuses requests: {TooOld.error_text}"


CALLS: Final[dict[str, Callable[[DockerEngine], object]]] = {
    "looking for image x": lambda engine: engine.check_image("x"),
    "looking for network x": lambda engine: engine.check_network("x"),
    "starting x": lambda engine: engine.start("x"),
    "signalling x": lambda engine: engine.signal("x", "SIGTERM"),
    "removing x": lambda engine: engine.remove("x"),
    "inspecting x": lambda engine: engine.exit_code("x"),
    "listing containers": lambda engine: engine.containers("x", "y"),
    "reading the output of x": lambda engine: engine.output("x", stdout=True, stderr=True),
}


@pytest.mark.parametrize("doing", CALLS)
def test_an_engine_that_fails_is_an_error_with_its_reason(
    doing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds for every call."""
    with serving(_Refusing) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        engine = DockerEngine()
        error_text = in_one_line(lambda: CALLS[doing](engine))
        engine.close()
    assert error_text == f"Docker: {doing}: the disk is full"


@pytest.mark.parametrize("doing", CALLS)
def test_an_engine_that_has_ended_is_an_error(doing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine answered at first."""
    with serving(_Refusing) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        engine = DockerEngine()
    error_text = in_one_line(lambda: CALLS[doing](engine))
    engine.close()
    assert error_text.startswith(f"Docker: {doing}: ")
    assert "Connection refused" in error_text
