"""The Docker engine: its calls, and its errors."""

from __future__ import annotations

import gc
import io
import json
import os
import socket
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import pytest
from docker.errors import NotFound
from support.emulators import docker as support

from tidemill.rig.containers.engine import ContainerSpec, DockerEngine
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from docker import DockerClient
    from support.emulators.docker import Images

PATIENCE: Final = 30.0

PROGRAM: Final = """
import json, os, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(int(os.environ["CODE"])))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
try:
    open("/written", "w").close()
    writes = True
except OSError:
    writes = False
found = {
    "host": socket.gethostname(),
    "rights": int(status["CapEff"], 16) != 0,
    "new_rights": int(status["NoNewPrivs"]) == 0,
    "writes": writes,
    "volume": os.path.isdir("/volume"),
}
print(json.dumps(found), flush=True)
print("to standard error", file=sys.stderr, flush=True)
signal.pause()
"""

leaves_a_socket = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
"""The SDK leaves a socket open after an error; it is closed with the error, which tests keep."""


@pytest.fixture
def name() -> str:
    """Return a name for what a test creates in the engine."""
    return f"tidemill-test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def engine(docker_engine: DockerClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerEngine]:
    """Provide the engine that the docker command uses."""
    assert docker_engine.ping()
    monkeypatch.setenv("DOCKER_HOST", support.engine_host())
    engine = DockerEngine()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def image(docker_engine: DockerClient, images: Images) -> Iterator[str]:
    """Build an image that prints what it may do, then waits to be stopped."""
    entry = json.dumps(["python3", "-c", PROGRAM])
    text = f"FROM {images.base}\nUSER 0\nENTRYPOINT {entry}\n"
    built, _ = docker_engine.images.build(
        fileobj=io.BytesIO(text.encode()), labels={support.LABEL: "1"}, rm=True
    )
    assert built.id
    yield built.id
    docker_engine.images.remove(built.id, force=True)


@pytest.fixture
def spec(docker_engine: DockerClient, image: str, name: str) -> Iterator[ContainerSpec]:
    """Provide a container to create, with its own network; both are removed at the end."""
    network = docker_engine.networks.create(name, labels={support.LABEL: "1"})
    yield ContainerSpec(
        name=name,
        image=image,
        hostname="i-1",
        network=name,
        environment={"CODE": "7"},
        labels={support.LABEL: name, "other": "2"},
        volumes={},
    )
    with suppress(NotFound):
        docker_engine.api.remove_container(name, force=True, v=True)
    network.remove()


def await_true(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the condition was not true in time"
        time.sleep(0.05)


def printed(engine: DockerEngine, spec: ContainerSpec) -> dict[str, Any]:
    """Return what a container of the image prints at its start."""
    engine.create(spec)
    engine.start(spec.name)
    await_true(lambda: b"\n" in engine.output(spec.name, stdout=True, stderr=False))
    line: dict[str, Any] = json.loads(engine.output(spec.name, stdout=True, stderr=False))
    return line


def states(engine: DockerEngine, spec: ContainerSpec) -> list[str]:
    """Return the states of the containers with the label of this one."""
    found = engine.containers(support.LABEL, spec.name)
    assert all(seen.name == spec.name for seen in found)
    assert all(seen.labels["other"] == "2" for seen in found)
    return [seen.state for seen in found]


# ---- a real engine


def test_a_container_is_created_runs_ends_and_is_removed(
    engine: DockerEngine, spec: ContainerSpec
) -> None:
    """It is found by its label all the time, and its exit code is that of its program."""
    assert states(engine, spec) == []
    engine.create(spec)
    assert states(engine, spec) == ["created"]
    engine.start(spec.name)
    assert states(engine, spec) == ["running"]
    await_true(lambda: b"error" in engine.output(spec.name, stdout=False, stderr=True))
    engine.signal(spec.name, "SIGTERM")
    await_true(lambda: states(engine, spec) == ["exited"])
    assert engine.exit_code(spec.name) == 7
    engine.remove(spec.name)
    assert states(engine, spec) == []


def test_a_container_that_has_ended_is_started_again(
    engine: DockerEngine, spec: ContainerSpec
) -> None:
    """The warm pool needs this."""
    printed(engine, spec)
    engine.signal(spec.name, "SIGTERM")
    await_true(lambda: states(engine, spec) == ["exited"])
    engine.start(spec.name)
    assert states(engine, spec) == ["running"]


def test_a_container_is_removed_while_it_works(engine: DockerEngine, spec: ContainerSpec) -> None:
    """Terminating an instance needs this."""
    printed(engine, spec)
    engine.remove(spec.name)
    assert states(engine, spec) == []


def test_streams_are_read_separately(engine: DockerEngine, spec: ContainerSpec) -> None:
    """Only the requested stream is read."""
    printed(engine, spec)
    await_true(lambda: bool(engine.output(spec.name, stdout=False, stderr=True)))
    assert engine.output(spec.name, stdout=False, stderr=True) == b"to standard error\n"
    assert b"error" not in engine.output(spec.name, stdout=True, stderr=False)
    both = engine.output(spec.name, stdout=True, stderr=True)
    assert len(both.splitlines()) == 2


def test_output_is_followed_from_the_first_byte_to_the_end(
    engine: DockerEngine, spec: ContainerSpec
) -> None:
    """A late follower gets the earlier output too."""
    first = printed(engine, spec)
    chunks = engine.follow(spec.name, stdout=True, stderr=False)
    assert json.loads(next(chunks)) == first
    engine.signal(spec.name, "SIGTERM")
    assert b"".join(chunks) == b""
    await_true(lambda: states(engine, spec) == ["exited"])  # its output ends a little before it


def test_a_container_may_do_nothing_that_it_need_not(
    engine: DockerEngine, spec: ContainerSpec
) -> None:
    """Its user is root, but without capabilities, and its file system is read-only."""
    assert printed(engine, spec) == {
        "host": "i-1",
        "rights": False,
        "new_rights": False,
        "writes": False,
        "volume": False,
    }


def test_a_container_that_stands_in_for_a_machine_may_write(
    engine: DockerEngine, spec: ContainerSpec
) -> None:
    """Its root user keeps its capabilities, and the given path of the host is mounted."""
    machine = replace(spec, writable=True, volumes={"/volume": "/tmp"})  # noqa: S108 - on the engine's host, whichever that is
    assert printed(engine, machine) == {
        "host": "i-1",
        "rights": True,
        "new_rights": False,
        "writes": True,
        "volume": True,
    }


def test_a_container_is_on_its_network_with_its_environment(
    engine: DockerEngine, spec: ContainerSpec, docker_engine: DockerClient
) -> None:
    """It is on no other network."""
    engine.create(spec)
    made = docker_engine.api.inspect_container(spec.name)
    assert list(made["NetworkSettings"]["Networks"]) == [spec.network]
    assert "CODE=7" in made["Config"]["Env"]


def test_signalling_or_removing_what_is_gone_is_no_error(
    engine: DockerEngine, spec: ContainerSpec
) -> None:
    """This is no error."""
    engine.signal(spec.name, "SIGTERM")
    engine.remove(spec.name)
    engine.create(spec)
    engine.signal(spec.name, "SIGTERM")
    assert states(engine, spec) == ["created"]


def test_images_and_networks_that_exist_pass_the_check(
    engine: DockerEngine, spec: ContainerSpec
) -> None:
    """This is no error."""
    engine.check_image(spec.image)
    engine.check_network(spec.network)


def in_one_line(call: Callable[[], object]) -> str:
    """Return the error message of a call, which is one line."""
    with pytest.raises(RigError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_missing_image_is_an_error_that_says_what_to_do(engine: DockerEngine, name: str) -> None:
    """The error says how to build the image."""
    error_text = in_one_line(lambda: engine.check_image(name))
    assert (
        error_text == f"there is no image {name}: build it with `make images`, or name another one"
    )


def test_a_missing_network_is_an_error_that_says_what_to_do(
    engine: DockerEngine, name: str
) -> None:
    """The error names the compose file, which creates one."""
    error_text = in_one_line(lambda: engine.check_network(name))
    assert error_text.startswith(f"there is no Docker network {name}: `docker compose up` creates")


def test_a_taken_name_is_an_error(engine: DockerEngine, spec: ContainerSpec) -> None:
    """The error has the engine's own reason."""
    engine.create(spec)
    error_text = in_one_line(lambda: engine.create(spec))
    assert error_text.startswith(f"Docker: creating {spec.name}: ")
    assert "already in use" in error_text


def test_an_image_that_was_removed_meanwhile_is_an_error(
    engine: DockerEngine, spec: ContainerSpec
) -> None:
    """A user may have removed it while the fleet was up."""
    error_text = in_one_line(lambda: engine.create(replace(spec, image=f"{spec.name}:gone")))
    assert error_text.startswith(f"Docker: creating {spec.name}: No such image")


@leaves_a_socket
@pytest.mark.parametrize(
    ("call", "doing"),
    [
        pytest.param(lambda engine, name: engine.start(name), "starting", id="start"),
        pytest.param(lambda engine, name: engine.exit_code(name), "inspecting", id="exit-code"),
        pytest.param(
            lambda engine, name: engine.output(name, stdout=True, stderr=True),
            "reading the output of",
            id="output",
        ),
        pytest.param(
            lambda engine, name: list(engine.follow(name, stdout=True, stderr=True)),
            "reading the output of",
            id="follow",
        ),
    ],
)
def test_a_missing_container_is_an_error(
    engine: DockerEngine, name: str, call: Callable[[DockerEngine, str], object], doing: str
) -> None:
    """The error says what was attempted."""
    error_text = in_one_line(lambda: call(engine, name))
    gc.collect()
    assert error_text == f"Docker: {doing} {name}: No such container: {name}"


# ---- no engine


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
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
