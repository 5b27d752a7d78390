"""Brings localstack/compose.yaml up and down, and says in one sentence why it does not come up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tidemill.rig.containers.engine import Engine
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROJECT: Final = "tidemill"
CLEAR_LINE: Final = "\x1b[2K"
"""What compose puts before lines of logs, whatever it is told about colours."""
PORTS: Final = {"localstack": "LOCALSTACK_PORT", "fleet": "AUTOSCALING_PORT"}
"""By service, the variable that takes another port on this machine."""


def up(file: Path) -> None:
    """Build what is missing, start everything, and return when it works.

    Args:
        file: the compose file; what it takes from the environment is the user's to set.

    Raises:
        RigError: it does not come up; the text says why and what to do.
    """
    Engine().close()  # no engine, or not allowed: compose would say so less clearly
    code, said = _compose(file, ["up", "--wait"])
    if code:
        raise RigError(_diagnosis(file, said))


def down(file: Path) -> None:
    """Remove containers, network and volumes, the instances of a killed controller included.

    Raises:
        RigError: Docker does not do as told.
    """
    Engine().close()
    code, said = _compose(file, ["down", "--volumes"])
    if code:
        raise RigError(f"docker compose down: {_last(said)}")


def from_start(said: str) -> str | None:
    """Return what is wrong by what `docker compose up` said, if that tells."""
    if "is not a docker command" in said or "unknown shorthand flag" in said:
        return "this Docker has no compose: install its plug-in (docker-compose-plugin)"
    taken = re.search(r"(?:0\.0\.0\.0|127\.0\.0\.1|\[::\]):(\d+).*(?:allocated|in use)", said)
    if taken:
        variables = " or ".join(PORTS.values())
        return f"port {taken[1]} is taken: end what listens there, or set {variables} to another"
    if re.search(r"registry|manifest|pull access denied|failed to resolve", said):
        return (
            "an image can neither be found nor pulled: make LocalStack's by `docker build --tag "
            "tidemill/localstack localstack` and set LOCALSTACK_IMAGE=tidemill/localstack; where "
            "python:3.13-slim cannot be pulled, set TIDEMILL_BASE to a base image that is there"
        )
    return None


def from_localstack(log: str) -> str:
    """Return what is wrong by the log of a LocalStack that did not come up."""
    if re.search(r"LOCALSTACK_AUTH_TOKEN|[Ll]icense activation|auth token", log):
        return (
            "this LocalStack image wants an account's token: unset LOCALSTACK_IMAGE, or set it to "
            "localstack/localstack:4.14.0, the last one that starts without"
        )
    hook = re.search(r"^the stack is not created: .*", log, re.MULTILINE)
    if hook:
        return hook[0]
    return (
        f"LocalStack does not come up: {_last(log)} (`docker compose -f localstack/compose.yaml "
        "logs localstack` has it all)"
    )


def from_fleet(log: str) -> str:
    """Return what is wrong by the log of a controller that did not come up."""
    last = _last(log).removeprefix("tidemill: ")
    if "Docker engine" in last:
        last = f"in its container {last}; DOCKER_SOCKET says where this machine has the socket"
    return f"the fleet's controller does not come up: {last}"


def _diagnosis(file: Path, said: str) -> str:
    known = from_start(said)
    if known:
        return known
    for service, read in (("localstack", from_localstack), ("fleet", from_fleet)):
        if _state(file, service) not in {"healthy", "starting", ""}:
            return read(_ask(file, ["logs", "--no-color", "--no-log-prefix", service]))
    return f"docker compose up: {_last(said)}"


def _state(file: Path, service: str) -> str:
    """Return healthy, unhealthy or starting, or how it ended; nothing if it was never created."""
    form = '{{if eq .State "running"}}{{.Health}}{{else}}{{.State}}{{end}}'
    return _ask(file, ["ps", "--all", "--format", form, service]).strip()


def _environment() -> dict[str, str]:
    """Return the environment, with the socket that the docker command uses for the controller."""
    host = os.environ.get("DOCKER_HOST", "")
    socket = {"DOCKER_SOCKET": host.removeprefix("unix://")} if host.startswith("unix://") else {}
    return {"COMPOSE_PROJECT_NAME": PROJECT, **socket, **os.environ}


def _compose(file: Path, words: Sequence[str]) -> tuple[int, str]:
    """Run compose; what it says goes to the terminal as it comes, and is returned."""
    said: list[str] = []
    with subprocess.Popen(
        _command(file, words),
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            sys.stderr.write(line)
            said.append(line)
    return process.returncode, "".join(said)


def _ask(file: Path, words: Sequence[str]) -> str:
    done = subprocess.run(
        _command(file, words), env=_environment(), capture_output=True, text=True, check=False
    )
    return done.stdout.replace(CLEAR_LINE, "")


def _command(file: Path, words: Sequence[str]) -> list[str]:
    return ["docker", "compose", "--ansi", "never", "--file", str(file), *words]


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
