"""The fleet's socket of the Docker engine, in front of an engine that notes what reaches it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import TYPE_CHECKING, Any

import docker
import pytest
from docker.errors import APIError
from requests.exceptions import ConnectionError as LostError
from support.emulators.serving import served

from tidemill.rig.containers.engine import API_VERSION
from tidemill.rig.engine_socket.relay import serve
from tidemill.rig.engine_socket.rules import FleetRules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = "mill-i-00000000000000001"
ID = "b" * 64
RULES = FleetRules("mill", frozenset({"the-consumer"}), "mill_default", frozenset())


class _Engine(ThreadingMixIn, UnixStreamServer):
    """An engine with one container of the fleet, which writes for as long as it is followed."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.seen: list[str] = []
        self.path = path
        super().__init__(str(path), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Engine

    def do_GET(self) -> None:
        """Answer reads."""
        path = self.path.partition("?")[0]
        self.server.seen.append(f"GET {path}")
        if path.endswith(f"/containers/{ID}/json"):
            self._send({"Id": ID, "Name": f"/{OWN}", "State": {"ExitCode": 3}})
        elif path.endswith("/logs"):
            self.send_response(200)
            self.end_headers()
            for word in (b"one ", b"two"):
                self.wfile.write(b"\1\0\0\0" + len(word).to_bytes(4, "big") + word)
        elif path.endswith("/containers/other/json"):
            self._send({"Id": "other", "Name": "/other"})
        else:
            self._send({"State": {"ExitCode": 3}, "Config": {"Tty": False}})

    def do_POST(self) -> None:
        """Note what changes something."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.seen.append(f"POST {self.path.partition('?')[0]} {len(body)}")
        self._send({"Id": ID}, 201)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Print nothing."""

    def _send(self, found: Any, status: int = 200) -> None:  # noqa: ANN401 - what JSON has
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def relayed(engine: Path, place: Path) -> Iterator[docker.DockerClient]:
    """Serve the fleet's socket in a thread, and provide a client of it."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(serve(RULES, engine, place))

    def run() -> None:
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    while not place.exists():
        thread.join(0.01)
    client = docker.DockerClient(base_url=f"unix://{place}", version=API_VERSION)
    try:
        yield client
    finally:
        client.close()
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[_Engine]:
    """Provide an engine."""
    with served(_Engine(tmp_path / "engine.sock")) as engine:
        yield engine


@pytest.fixture
def client(engine: _Engine, tmp_path: Path) -> Iterator[docker.DockerClient]:
    """Provide Docker's SDK at the fleet's socket."""
    with relayed(engine.path, tmp_path / "fleet.sock") as client:
        yield client


def test_what_the_fleet_needs_reaches_the_engine_whole(
    engine: _Engine, client: docker.DockerClient
) -> None:
    """Bodies go in, answers come out, several on a connection that the client keeps."""
    made = client.api.create_container("the-consumer", name=OWN)
    client.api.start(made["Id"])
    assert client.api.inspect_container(OWN)["State"]["ExitCode"] == 3
    posted = [line for line in engine.seen if line.startswith("POST")]
    assert [line.split()[1].rpartition("/")[2] for line in posted] == ["create", "start"]
    assert int(posted[0].split()[2]) > 10


def test_output_passes_as_it_comes(client: docker.DockerClient) -> None:
    """Its end is the end of the connection, as with the engine itself."""
    assert b"".join(client.api.logs(OWN, stream=True, follow=True)) == b"one two"


def test_what_the_fleet_does_not_need_never_reaches_the_engine(
    engine: _Engine, client: docker.DockerClient
) -> None:
    """The client gets the reason as an error of the engine."""
    with pytest.raises(APIError, match=r"this fleet's socket does not allow .*Privileged: True"):
        client.api.create_container(
            "the-consumer",
            name=OWN,
            host_config=client.api.create_host_config(privileged=True),
        )
    for refused in (
        lambda: client.api.create_container("alpine", name=OWN),
        lambda: client.api.kill("other"),
        client.api.info,
        client.api.volumes,
    ):
        with pytest.raises(APIError, match="this fleet's socket does not allow") as caught:
            refused()
        assert caught.value.status_code == 403
    assert [line for line in engine.seen if line != "GET /containers/other/json"] == []


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /containers/create HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n",
        b"POST /containers/create HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /containers/create HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        b"POST /containers/create HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n",
        b"GET /info HTTP/1.1\r\n\r\nGET /version HTTP/1.1\r\n\r\n",
    ],
    ids=["too-long", "negative", "two-codings", "long-chunk", "second-request"],
)
def test_a_request_of_an_odd_length_is_refused(
    client: docker.DockerClient, engine: _Engine, request_: bytes, tmp_path: Path
) -> None:
    """Nothing is read beyond one request, so nothing hides behind it."""
    del client
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(60)
        wire.connect(str(tmp_path / "fleet.sock"))
        wire.sendall(request_)
        assert wire.recv(20).startswith(b"HTTP/1.1 403 ")
    assert engine.seen == []


def test_an_engine_that_is_gone_is_a_connection_that_ends(tmp_path: Path) -> None:
    """The fleet's controller then says that no engine answers."""
    with (
        relayed(tmp_path / "none.sock", tmp_path / "fleet.sock") as client,
        pytest.raises(LostError),
    ):
        client.ping()
