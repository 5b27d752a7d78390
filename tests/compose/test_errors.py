"""What keeps the compose project from coming up, told in one sentence that says what to do."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING

import pytest

from tidemill.rig.containers.compose import from_fleet, from_localstack, from_start

if TYPE_CHECKING:
    from support.emulators.compose import Project

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(300)]


def refusal(project: Project) -> str:
    """Bring the project up, which fails; return the last line of what is said."""
    done = project.tidemill("compose", "up")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.rstrip().splitlines()[-1]


def test_a_localstack_that_wants_a_token(project: Project) -> None:
    """As images later than 4.14.0 do; this one stands in for them."""
    token = "LOCALSTACK_AUTH_TOKEN"  # noqa: S105 - a name
    text = f"License activation failed! No credentials were found: set the {token}"
    base = project.engine.images.get("tidemill/localstack:test")
    dockerfile = f'FROM {base.id}\nENTRYPOINT ["sh", "-c", "echo \'{text}\'; exit 55"]\n'
    image, _ = project.engine.images.build(fileobj=io.BytesIO(dockerfile.encode()), rm=True)
    assert image.id
    project.settings = {"LOCALSTACK_IMAGE": image.id}
    try:
        assert refusal(project) == (
            "tidemill: this LocalStack image wants an account's token: unset LOCALSTACK_IMAGE, or "
            "set it to localstack/localstack:4.14.0, the last one that starts without"
        )
    finally:
        project.compose("down", "--volumes")
        project.engine.images.remove(image.id, force=True)


def test_a_parameter_that_the_template_does_not_have(project: Project) -> None:
    """The stack is not created, and everybody hears of it at once."""
    project.settings = {"PARAMETERS": "Nope=1"}
    assert refusal(project).startswith(
        "tidemill: the stack is not created: unknown parameter Nope: the template has ImageTag"
    )


def test_a_parameter_out_of_bounds(project: Project) -> None:
    """In the template's words."""
    project.settings = {"PARAMETERS": "MaxInstances=99"}
    assert "parameter MaxInstances=99: give 1 to 10 instances" in refusal(project)


def test_a_port_that_is_taken(project: Project) -> None:
    """Which one, and how to take another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        project.autoscaling_port = taken.getsockname()[1]
        assert refusal(project) == (
            f"tidemill: port {project.autoscaling_port} is taken: end what listens there, or set "
            "LOCALSTACK_PORT or AUTOSCALING_PORT to another"
        )


def test_a_socket_that_is_not_there(project: Project) -> None:
    """The controller looks for the engine's in its own container."""
    project.settings = {"DOCKER_SOCKET": "/nowhere/docker.sock"}
    said = refusal(project)
    assert said.startswith("tidemill: the fleet's controller does not come up: in its container no")
    assert said.endswith("DOCKER_SOCKET says where this machine has the socket")


def test_no_engine(project: Project) -> None:
    """Before compose is asked."""
    host = project.host
    project.host = "unix:///nowhere/docker.sock"
    assert refusal(project) == (
        "tidemill: no Docker engine answers at unix:///nowhere/docker.sock: start Docker, or set "
        "DOCKER_HOST"
    )
    project.host = host


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        pytest.param(
            "localstack Error pull access denied for nope, repository does not exist",
            "an image can neither be found nor pulled",
            id="no-such-image",
        ),
        pytest.param(
            'Error response from daemon: Get "https://registry/v2/": dial tcp: no such host',
            "an image can neither be found nor pulled",
            id="no-registry",
        ),
        pytest.param(
            "docker: 'compose' is not a docker command.",
            "this Docker has no compose",
            id="no-compose",
        ),
        pytest.param(
            "Ports are not available: listen tcp 0.0.0.0:4566: bind: address already in use",
            "port 4566 is taken",
            id="port-in-use",
        ),
    ],
)
def test_what_compose_says_is_told_plainly(said: str, sentence: str) -> None:
    """As far as it is one of the usual mishaps."""
    assert (from_start(said) or "").startswith(sentence)


def test_what_is_unknown_is_told_as_it_was_said() -> None:
    """By the last line, and where there is more."""
    assert from_start("something else") is None
    assert from_localstack("a\nb\n").startswith("LocalStack does not come up: b (")
    assert from_fleet("a\ntidemill: b\n") == "the fleet's controller does not come up: b"
