"""Fixtures of tests that need Docker: the engine's client, and the product's images."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import docker
import pytest
from docker.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docker import DockerClient
    from docker.models.containers import Container

ROOT: Final = Path(__file__).parents[3]
ANSWER_SECONDS: Final = 30
TAG: Final = "test"
LABEL: Final = "tidemill.test"
"""The label of every container that a test starts."""

NUMERIC_USER: Final = "10001:10001"


@dataclass(frozen=True, slots=True)
class Images:
    """Names of the images under test, and of the base that they were built on."""

    consumer: str
    producer: str
    base: str


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[DockerClient]:
    """Provide a client of the Docker engine; without an engine the test skips, and fails in CI."""
    client = docker.from_env(timeout=120, environment={**os.environ, "DOCKER_HOST": engine_host()})
    try:
        yield client
    finally:
        client.close()


@pytest.fixture(scope="session")
def images(docker_engine: DockerClient) -> Images:
    """Build both images as users do, on TIDEMILL_BASE if it is set, once per run of the tests."""
    built = _build(os.environ.get("TIDEMILL_BASE", ""))
    docker_engine.images.get(built.base)  # fails if another builder has the base
    return built


@contextmanager
def container(
    engine: DockerClient,
    image: str,
    *arguments: str,
    environment: Mapping[str, str],
    volumes: tuple[str, ...] = (),
    entrypoint: str | None = None,
    memory: str | None = None,
) -> Iterator[Container]:
    """Start a container in this machine's network, with as few rights as possible; remove it.

    It has no capabilities, a read-only file system, and a user that owns no file. In it, programs
    can call the servers on this machine's loopback interface. `memory` limits what it may use.
    """
    started = engine.containers.run(
        image,
        list(arguments),
        detach=True,
        environment=dict(environment),
        entrypoint=entrypoint,
        volumes=list(volumes),
        labels={LABEL: "1"},
        network_mode="host",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        user=NUMERIC_USER,
        mem_limit=memory,
        memswap_limit=memory,
    )
    try:
        yield started
    finally:
        with suppress(NotFound):
            started.remove(force=True, v=True)


def engine_host() -> str:
    """Return the address of the engine that the docker command uses.

    The command reads Docker contexts, the SDK does not. If no engine answers, the SDK leaves a
    socket open, which pytest reports as an error.
    """
    asked = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    try:
        host = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        subprocess.run(
            ["docker", "info"],  # noqa: S607 - whichever the user has
            capture_output=True,
            check=True,
            timeout=ANSWER_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        _do_without(f"no Docker engine answers, .ci/engine makes one: {error}")
    return host


@cache
def _build(base: str) -> Images:
    chosen = [f"BASE={base}"] if base else []
    done = subprocess.run(
        ["make", "images", f"TAG={TAG}", *chosen],  # noqa: S607 - whichever make runs the tests
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"make images failed:\n{done.stdout}{done.stderr}")
    return Images(f"tidemill/consumer:{TAG}", f"tidemill/producer:{TAG}", base or _default_base())


def _default_base() -> str:
    [base] = re.findall(
        r"^ARG BASE=(\S+)$", (ROOT / "images/consumer/Dockerfile").read_text(), flags=re.MULTILINE
    )
    return str(base)


def _do_without(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
