"""The Docker engine, by its SDK: containers by label, and its errors told in one sentence each."""

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
    from collections.abc import Iterator, Mapping

CALL_SECONDS: Final = 60
"""An engine under load takes its time to create or to remove a container; none takes a minute."""
API_VERSION: Final = "1.44"
"""Of Docker Engine 25; the newest engines know none before it."""
NOT_FOUND: Final = 404
CONFLICT: Final = 409


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """A container to create: it gets its network's names, these labels, and no right it can lose.

    `volumes` are host paths by the container's path; `writable` keeps the root file system so,
    and leaves the container root's rights, for containers that stand in for a whole machine.
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
class Seen:
    """A container as it is: `state` in Docker's words, such as created, running, exited."""

    name: str
    state: str
    labels: Mapping[str, str]


class Engine:
    """One Docker engine; every method raises RigError when it does not do as told."""

    def __init__(self) -> None:
        """Find the engine where the docker command does: DOCKER_HOST, or the usual socket.

        Raises:
            RigError: none answers there, or we may not use it.
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
        """Let go of the connection."""
        self._client.close()

    def check_image(self, image: str) -> None:
        """Raise RigError if the engine does not have this image."""
        with _told(f"looking for image {image}"):
            try:
                self._client.images.get(image)
            except ImageNotFound as error:
                raise RigError(
                    f"there is no image {image}: build it with `make images`, or name another one"
                ) from error

    def check_network(self, network: str) -> None:
        """Raise RigError if there is no such network."""
        with _told(f"looking for network {network}"):
            try:
                self._client.networks.get(network)
            except NotFound as error:
                raise RigError(
                    f"there is no Docker network {network}: `docker compose up` makes the fleet's "
                    "own; `docker network create` makes another"
                ) from error

    def create(self, spec: ContainerSpec) -> None:
        """Create a container without starting it."""
        with _told(f"creating {spec.name}"):
            self._client.containers.create(
                spec.image,
                name=spec.name,
                hostname=spec.hostname,
                network=spec.network,
                environment=dict(spec.environment),
                labels=dict(spec.labels),
                volumes=[f"{host}:{inside}" for inside, host in spec.volumes.items()],
                read_only=not spec.writable,
                cap_drop=None if spec.writable else ["ALL"],
                security_opt=["no-new-privileges"],
            )

    def start(self, name: str) -> None:
        """Start a container that was created."""
        with _told(f"starting {name}"):
            self._client.api.start(name)

    def signal(self, name: str, signal: str) -> None:
        """Send a signal to a container; one that does not run has nothing to hear it."""
        with _told(f"signalling {name}"):
            try:
                self._client.api.kill(name, signal)
            except APIError as error:
                if error.status_code not in {NOT_FOUND, CONFLICT}:
                    raise

    def remove(self, name: str) -> None:
        """End and remove a container, whatever it does; one that is gone is fine."""
        with _told(f"removing {name}"):
            try:
                self._client.api.remove_container(name, v=True, force=True)
            except APIError as error:
                # A conflict is a removal that goes on already.
                if error.status_code not in {NOT_FOUND, CONFLICT}:
                    raise

    def exit_code(self, name: str) -> int:
        """Return the code that a container ended with."""
        with _told(f"inspecting {name}"):
            code: int = self._client.api.inspect_container(name)["State"]["ExitCode"]
            return code

    def containers(self, label: str, value: str) -> list[Seen]:
        """Return all containers with this label, those that do not run included."""
        with _told("listing containers"):
            found = self._client.api.containers(all=True, filters={"label": [f"{label}={value}"]})
        return [Seen(item["Names"][0].lstrip("/"), item["State"], item["Labels"]) for item in found]

    def output(self, name: str, *, stdout: bool, stderr: bool) -> bytes:
        """Return what a container has written so far to the streams asked for."""
        with _told(f"reading the output of {name}"):
            written: bytes = self._client.api.logs(name, stdout=stdout, stderr=stderr)
            return written

    def follow(self, name: str, *, stdout: bool, stderr: bool) -> Iterator[bytes]:
        """Yield what a container writes, from its first word on, until it ends."""
        with _told(f"reading the output of {name}"):
            yield from self._client.api.logs(
                name, stdout=stdout, stderr=stderr, stream=True, follow=True
            )


@contextmanager
def _told(what: str) -> Iterator[None]:
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
    if isinstance(error, APIError):  # such as an engine that is too old for us
        return f"the Docker engine at {where} refuses us: {error.explanation or error}"
    return f"no Docker engine answers at {where}: start Docker, or set DOCKER_HOST"
