"""Docker engine: creates, signals and removes containers through Docker's SDK."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from requests.exceptions import RequestException

from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CALL_SECONDS: Final = 60
"""An engine under load may take seconds to create or remove a container, but not a minute."""
API_VERSION: Final = "1.44"
"""The API of Docker Engine 25, the oldest one that the newest engines support."""
NOT_FOUND: Final = 404
CONFLICT: Final = 409


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """The properties that a container is created with; it gets no privileges beyond them.

    `volumes` maps paths in the container to paths on the engine's host; with `:ro` at its end, the
    container cannot write there. `writable` is for containers that stand in for a whole machine:
    their root file system is writable, and they keep root's capabilities.
    """

    name: str
    image: str
    hostname: str
    network: str
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    volumes: Mapping[str, str]
    writable: bool = False


@dataclass(frozen=True, slots=True)
class ContainerState:
    """A container at one moment; `state` is Docker's word, such as created, running or exited."""

    name: str
    state: str
    labels: Mapping[str, str]


class DockerEngine:
    """One Docker engine; every method raises RigError when the engine reports an error."""

    def __init__(self) -> None:
        """Connect to the engine that the docker command uses: DOCKER_HOST, or the usual socket.

        Raises:
            RigError: no engine answers there, or this user may not use it.
        """
        where = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
        try:
            self._client = docker.from_env(timeout=CALL_SECONDS, version=API_VERSION)
        except (DockerException, ValueError) as error:
            raise RigError(
                f"DOCKER_HOST is {where}, which is no engine's address: {error}"
            ) from error
        try:
            self._client.ping()
        except (DockerException, RequestException, OSError) as error:
            self._client.close()
            raise RigError(_unreachable(where, error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def check_image(self, image: str) -> None:
        """Raise RigError if the engine does not have this image."""
        with _docker_errors(f"looking for image {image}"):
            try:
                self._client.images.get(image)
            except ImageNotFound as error:
                raise RigError(
                    f"there is no image {image}: build it with `make images`, or name another one"
                ) from error

    def check_network(self, network: str) -> None:
        """Raise RigError if there is no such network."""
        with _docker_errors(f"looking for network {network}"):
            try:
                self._client.networks.get(network)
            except NotFound as error:
                raise RigError(
                    f"there is no Docker network {network}: `docker compose up` creates the "
                    "fleet's own; `docker network create` creates another"
                ) from error

    def create(self, spec: ContainerSpec) -> None:
        """Create a container without starting it."""
        with _docker_errors(f"creating {spec.name}"):
            self._client.containers.create(
                spec.image,
                name=spec.name,
                hostname=spec.hostname,
                network=spec.network,
                environment=dict(spec.environment),
                labels=dict(spec.labels),
                volumes=[f"{host}:{inside}" for inside, host in spec.volumes.items()],
                read_only=not spec.writable,
                tmpfs=None if spec.writable else {"/tmp": ""},  # noqa: S108 - a mount of its own
                cap_drop=None if spec.writable else ["ALL"],
                security_opt=["no-new-privileges"],
            )

    def start(self, name: str) -> None:
        """Start a container that was created."""
        with _docker_errors(f"starting {name}"):
            self._client.api.start(name)

    def signal(self, name: str, signal: str) -> None:
        """Send a signal to a container; nothing happens if it does not run."""
        with _docker_errors(f"signalling {name}"):
            try:
                self._client.api.kill(name, signal)
            except APIError as error:
                if error.status_code not in {NOT_FOUND, CONFLICT}:
                    raise

    def pause(self, name: str) -> None:
        """Freeze every program of a container; nothing happens if it does not run."""
        with _docker_errors(f"pausing {name}"):
            self._if_possible(self._client.api.pause, name)

    def unpause(self, name: str) -> None:
        """Let a paused container's programs continue; nothing happens if it is not paused."""
        with _docker_errors(f"continuing {name}"):
            self._if_possible(self._client.api.unpause, name)

    def execute(self, name: str, command: Sequence[str]) -> None:
        """Run a command in a container and wait for its end; nothing happens if it does not run.

        Raises:
            RigError: the command failed.
        """
        with _docker_errors(f"running a command in {name}"):
            try:
                made = self._client.api.exec_create(name, list(command))
                output: bytes = self._client.api.exec_start(made["Id"])
                code = self._client.api.exec_inspect(made["Id"])["ExitCode"]
            except APIError as error:
                if error.status_code not in {NOT_FOUND, CONFLICT}:
                    raise
                return
        if code:
            last = (output.decode(errors="replace").strip() or "no output").splitlines()[-1]
            raise RigError(f"a command in {name} ended with exit code {code}: {last}")

    @staticmethod
    def _if_possible(action: Callable[[str], object], name: str) -> None:
        """Do this with a container, unless it is gone or not in the state that this needs."""
        try:
            action(name)
        except APIError as error:
            reason = str(error.explanation)
            wrong_state = any(text in reason for text in ("not running", "not paused", "already"))
            if error.status_code not in {NOT_FOUND, CONFLICT} and not wrong_state:
                raise

    def remove(self, name: str) -> None:
        """Kill and remove a container; nothing happens if it does not exist."""
        with _docker_errors(f"removing {name}"):
            try:
                self._client.api.remove_container(name, v=True, force=True)
            except APIError as error:
                # A conflict means that it is being removed already.
                if error.status_code not in {NOT_FOUND, CONFLICT}:
                    raise

    def exit_code(self, name: str) -> int:
        """Return the exit code of a container that has ended."""
        with _docker_errors(f"inspecting {name}"):
            code: int = self._client.api.inspect_container(name)["State"]["ExitCode"]
            return code

    def containers(self, label: str, value: str) -> list[ContainerState]:
        """Return all containers with this label, including those that do not run."""
        with _docker_errors("listing containers"):
            found = self._client.api.containers(all=True, filters={"label": [f"{label}={value}"]})
        return [
            ContainerState(item["Names"][0].lstrip("/"), item["State"], item["Labels"])
            for item in found
        ]

    def output(self, name: str, *, stdout: bool, stderr: bool) -> bytes:
        """Return what a container has written so far to these streams."""
        with _docker_errors(f"reading the output of {name}"):
            written: bytes = self._client.api.logs(name, stdout=stdout, stderr=stderr)
            return written

    def follow(self, name: str, *, stdout: bool, stderr: bool) -> Iterator[bytes]:
        """Yield what a container writes, from its first byte on, until it ends."""
        with _docker_errors(f"reading the output of {name}"):
            yield from self._client.api.logs(
                name, stdout=stdout, stderr=stderr, stream=True, follow=True
            )


@contextmanager
def _docker_errors(what: str) -> Iterator[None]:
    """Raise a RigError with the action's name for each error of Docker's SDK inside the block."""
    try:
        yield
    except APIError as error:
        raise RigError(f"Docker: {what}: {error.explanation or error}") from error
    except (DockerException, RequestException) as error:
        raise RigError(f"Docker: {what}: {error}") from error


def _unreachable(where: str, error: Exception) -> str:
    if "PermissionError" in repr(error) or "Permission denied" in str(error):
        return (
            f"not allowed to use the Docker engine at {where}: add yourself to the group that owns "
            "its socket (`sudo usermod -aG docker $USER`, then log in again)"
        )
    if isinstance(error, APIError):  # for example because it is too old
        return f"the Docker engine at {where} refuses requests: {error.explanation or error}"
    return f"no Docker engine answers at {where}: start Docker, or set DOCKER_HOST"
