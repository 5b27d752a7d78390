"""What prevents the compose project from starting, reported in one sentence with a remedy."""

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
    """Start the project, which fails; return the last line of the output."""
    done = project.tidemill("compose", "up")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.rstrip().splitlines()[-1]


def test_a_localstack_that_requires_a_token(project: Project) -> None:
    """Images later than 4.14.0 need one; the image of this test imitates them."""
    token = "LOCALSTACK_AUTH_TOKEN"  # noqa: S105 - a name
    text = f"License activation failed! No credentials were found: set the {token}"
    base = project.engine.images.get("tidemill/localstack:test")
    dockerfile = f'FROM {base.id}\nENTRYPOINT ["sh", "-c", "echo \'{text}\'; exit 55"]\n'
    image, _ = project.engine.images.build(fileobj=io.BytesIO(dockerfile.encode()), rm=True)
    assert image.id
    project.settings = {"LOCALSTACK_IMAGE": image.id}
    try:
        assert refusal(project) == (
            "tidemill: this LocalStack image requires an account's token: unset LOCALSTACK_IMAGE, "
            "or set it to localstack/localstack:4.14.0, the last version that needs none"
        )
    finally:
        project.compose("down", "--volumes")
        project.engine.images.remove(image.id, force=True)


def test_a_parameter_that_the_template_does_not_have(project: Project) -> None:
    """The stack is not created, and the command reports that at once."""
    project.settings = {"PARAMETERS": "Nope=1"}
    assert refusal(project).startswith(
        "tidemill: the stack is not created: unknown parameter Nope: the template has ImageTag"
    )


def test_a_parameter_out_of_bounds(project: Project) -> None:
    """The error has the template's own words."""
    project.settings = {"PARAMETERS": "MaxInstances=1001"}
    assert "parameter MaxInstances=1001: give 1 to 1000 instances" in refusal(project)


def test_a_port_that_is_taken(project: Project) -> None:
    """The error names the port and the setting that changes it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        project.autoscaling_port = taken.getsockname()[1]
        assert refusal(project) == (
            f"tidemill: port {project.autoscaling_port} is in use: end the program that listens "
            "there, or set LOCALSTACK_PORT or AUTOSCALING_PORT to another"
        )


def test_a_socket_that_is_not_there(project: Project) -> None:
    """The controller looks for the engine's socket in its own container."""
    project.settings = {"DOCKER_SOCKET": "/nowhere/docker.sock"}
    message = refusal(project)
    assert message.startswith(
        "tidemill: the fleet's controller does not start: in its container no"
    )
    assert message.endswith("set DOCKER_SOCKET to the socket's path on this machine")


def test_no_engine(project: Project) -> None:
    """The command reports this before it runs compose."""
    host = project.host
    project.host = "unix:///nowhere/docker.sock"
    assert refusal(project) == (
        "tidemill: no Docker engine answers at unix:///nowhere/docker.sock: start Docker, or set "
        "DOCKER_HOST"
    )
    project.host = host


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        pytest.param(
            "localstack Error pull access denied for nope, repository does not exist",
            "an image is missing and cannot be pulled",
            id="no-such-image",
        ),
        pytest.param(
            'Error response from daemon: Get "https://registry/v2/": dial tcp: no such host',
            "an image is missing and cannot be pulled",
            id="no-registry",
        ),
        pytest.param(
            "docker: 'compose' is not a docker command.",
            "this Docker has no compose",
            id="no-compose",
        ),
        pytest.param(
            "Ports are not available: listen tcp 0.0.0.0:4566: bind: address already in use",
            "port 4566 is in use",
            id="port-in-use",
        ),
    ],
)
def test_errors_of_compose_are_reported_plainly(message: str, sentence: str) -> None:
    """Each usual error of compose has a plain sentence."""
    assert (from_start(message) or "").startswith(sentence)


def test_an_unknown_error_is_reported_unchanged() -> None:
    """The error has the last line, and says where the other lines are."""
    assert from_start("something else") is None
    assert from_localstack("a\nb\n").startswith("LocalStack does not start: b (")
    assert from_fleet("a\ntidemill: b\n") == "the fleet's controller does not start: b"
