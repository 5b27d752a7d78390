"""Docker Compose: starts and removes localstack/compose.yaml, and explains each failure."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tidemill.rig.containers.engine import DockerEngine
from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.clients import REGION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROJECT: Final = "tidemill"
REGION_NAMES: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")
"""The variables from which clients of AWS read their region: not all of them know both."""
CLEAR_LINE: Final = "\x1b[2K"
"""The control sequence that compose writes before lines of logs, even without colours."""
KEYS_OF: Final = ("exec", "--no-TTY", "door", "cat", "/run/tidemill/user/exports")
"""What prints the keys of the user at the terminal, as lines for a shell."""
PORTS: Final = {"door": "LOCALSTACK_PORT", "fleet": "AUTOSCALING_PORT"}
"""The variable that sets the port of each service on this machine."""


def up(file: Path) -> None:
    """Build missing images, start all services, and return when all are healthy.

    Args:
        file: the compose file; the user sets its variables in the environment.

    Raises:
        RigError: a service does not start; the text has the reason and a remedy.
    """
    DockerEngine().close()  # without a usable engine, its error is clearer than compose's
    code, output = _compose(file, ["up", "--wait"])
    if code:
        raise RigError(_diagnosis(file, output))


def down(file: Path) -> None:
    """Remove containers, network and volumes, with the instances of a killed controller.

    Raises:
        RigError: Docker reports an error.
    """
    DockerEngine().close()
    code, output = _compose(file, ["down", "--volumes"])
    if code:
        raise RigError(f"docker compose down: {_last(output)}")


def keys(file: Path) -> str:
    """Return the user's keys of the session, as lines for a shell.

    Raises:
        RigError: the door does not run.
    """
    DockerEngine().close()
    found = _output_of(file, KEYS_OF)
    if not found:
        raise RigError("nothing is up there: start it with `tidemill compose up`")
    return found + "".join(f"export {name}={REGION}\n" for name in REGION_NAMES)


def from_start(output: str) -> str | None:
    """Return the problem that the output of `docker compose up` shows, None if it is unknown."""
    if "is not a docker command" in output or "unknown shorthand flag" in output:
        return "this Docker has no compose: install its plug-in (docker-compose-plugin)"
    taken = re.search(r"(?:0\.0\.0\.0|127\.0\.0\.1|\[::\]):(\d+).*(?:allocated|in use)", output)
    if taken:
        variables = " or ".join(PORTS.values())
        return (
            f"port {taken[1]} is in use: end the program that listens there, or set {variables} "
            "to another"
        )
    if re.search(r"registry|manifest|pull access denied|failed to resolve", output):
        return (
            "an image is missing and cannot be pulled: build LocalStack's by `docker build --tag "
            "tidemill/localstack localstack` and set LOCALSTACK_IMAGE=tidemill/localstack; if "
            "python:3.13-slim cannot be pulled, set TIDEMILL_BASE to a base image that you have"
        )
    return None


def from_localstack(log: str) -> str:
    """Return the problem that the log of a LocalStack that did not start shows."""
    if re.search(r"LOCALSTACK_AUTH_TOKEN|[Ll]icense activation|auth token", log):
        return (
            "this LocalStack image requires an account's token: unset LOCALSTACK_IMAGE, or set it "
            "to localstack/localstack:4.14.0, the last version that needs none"
        )
    hook = re.search(r"^the stack is not created: .*", log, re.MULTILINE)
    if hook:
        return hook[0]
    return (
        f"LocalStack does not start: {_last(log)} (`docker compose -f localstack/compose.yaml "
        "logs localstack` shows the whole log)"
    )


def from_fleet(log: str) -> str:
    """Return the problem that the log of a controller that did not start shows."""
    last = _last(log).removeprefix("tidemill: ")
    if "Docker engine" in last:
        last = f"in its container {last}; set DOCKER_SOCKET to the socket's path on this machine"
    return f"the fleet's controller does not start: {last}"


def _diagnosis(file: Path, output: str) -> str:
    known = from_start(output)
    if known:
        return known
    for service, read in (("localstack", from_localstack), ("fleet", from_fleet)):
        if _state(file, service) not in {"healthy", "starting", ""}:
            return read(_output_of(file, ["logs", "--no-color", "--no-log-prefix", service]))
    return f"docker compose up: {_last(output)}"


def _state(file: Path, service: str) -> str:
    """Return healthy, unhealthy, starting or how it ended; an empty text if never created."""
    form = '{{if eq .State "running"}}{{.Health}}{{else}}{{.State}}{{end}}'
    return _output_of(file, ["ps", "--all", "--format", form, service]).strip()


def _environment() -> dict[str, str]:
    """Return the environment; the controller gets the socket that the docker command uses."""
    host = os.environ.get("DOCKER_HOST", "")
    socket = {"DOCKER_SOCKET": host.removeprefix("unix://")} if host.startswith("unix://") else {}
    return {"COMPOSE_PROJECT_NAME": PROJECT, **socket, **os.environ}


def _compose(file: Path, words: Sequence[str]) -> tuple[int, str]:
    """Run compose; return its exit code and its output, which is also written to the terminal."""
    output: list[str] = []
    with subprocess.Popen(
        _command(file, words),
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            sys.stderr.write(line)
            output.append(line)
    return process.returncode, "".join(output)


def _output_of(file: Path, words: Sequence[str]) -> str:
    done = subprocess.run(
        _command(file, words), env=_environment(), capture_output=True, text=True, check=False
    )
    return done.stdout.replace(CLEAR_LINE, "")


def _command(file: Path, words: Sequence[str]) -> list[str]:
    return ["docker", "compose", "--ansi", "never", "--file", str(file), *words]


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it wrote no output"
