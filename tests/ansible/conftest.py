"""Fixtures: machines that the tests of the playbooks share, and packages of the agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.emulators.docker import docker_engine, engine_host
from support.emulators.machines import Packages, booted, needed_ansible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from docker import DockerClient
    from support.emulators.machines import Machine

__all__ = ["docker_engine"]


def _lent(
    system: str, engine: DockerClient, factory: pytest.TempPathFactory
) -> AbstractContextManager[Machine]:
    needed_ansible()
    return booted(engine, engine_host(), system, factory.mktemp("facts"))


@pytest.fixture(scope="module")
def debian(
    docker_engine: DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """Return a Debian machine with nothing installed."""
    with _lent("debian", docker_engine, tmp_path_factory) as machine:
        yield machine


@pytest.fixture(scope="module")
def ubuntu(
    docker_engine: DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """Return a machine that identifies itself as Ubuntu, with nothing installed."""
    with _lent("ubuntu", docker_engine, tmp_path_factory) as machine:
        yield machine


@pytest.fixture(scope="module")
def amazon(
    docker_engine: DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """Return a machine that identifies itself as Amazon Linux, with nothing installed."""
    with _lent("amazon", docker_engine, tmp_path_factory) as machine:
        yield machine


@pytest.fixture(scope="module")
def packages(debian: Machine, tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Return the packages that were built with the machine."""
    folder = tmp_path_factory.mktemp("packages")
    names = ["amazon-cloudwatch-agent.deb"]
    names += [
        f"{who}.{what}" for who in ("agent", "stranger") for what in ("sig", "gpg", "fingerprint")
    ]
    for name in names:
        (folder / name).write_bytes(debian.file(f"/srv/packages/{name}"))
    return Packages(folder)
