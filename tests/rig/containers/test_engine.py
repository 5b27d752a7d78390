"""The Docker engine: its calls, and the errors that a real engine answers with.

The module is over 280 lines because all of its tests share the fixtures of a real engine.
"""

from __future__ import annotations

import gc
import io
import json
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from docker.errors import NotFound
from support.builders.containers import in_one_line
from support.emulators import docker as support

from tidemill.rig.containers.disk import limit_command
from tidemill.rig.containers.engine import ContainerSpec, DockerEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def test_a_container_is_paused_and_continues(engine: DockerEngine, spec: ContainerSpec) -> None:
    """What cannot be paused, or is not paused, is left as it is."""
    engine.pause(spec.name)
    engine.unpause(spec.name)
    printed(engine, spec)
    engine.unpause(spec.name)
    engine.pause(spec.name)
    engine.pause(spec.name)
    assert states(engine, spec) == ["paused"]
    engine.unpause(spec.name)
    assert states(engine, spec) == ["running"]
    engine.pause(spec.name)
    engine.signal(spec.name, "SIGKILL")
    await_true(lambda: states(engine, spec) == ["exited"])
    engine.pause(spec.name)
    assert states(engine, spec) == ["exited"]


@leaves_a_socket
def test_a_command_runs_in_a_container(engine: DockerEngine, spec: ContainerSpec) -> None:
    """One that fails is an error with its last line; without a container, nothing happens."""
    engine.execute(spec.name, ["true"])
    printed(engine, spec)
    engine.execute(spec.name, limit_command(full=True))
    write = ["python3", "-c", "open('/dev/shm/file', 'w').write('1')"]
    error = in_one_line(lambda: engine.execute(spec.name, ["sh", "-c", "echo no >&2; exit 3"]))
    assert error == f"a command in {spec.name} ended with exit code 3: no"
    engine.execute(spec.name, write)  # a new program has room: the disk is full for the others
    limits = ["grep", "Max file size  *0  ", "/proc/1/limits"]
    engine.execute(spec.name, limits)
    engine.execute(spec.name, limit_command(full=False))
    assert "exit code 1" in in_one_line(lambda: engine.execute(spec.name, limits))


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
