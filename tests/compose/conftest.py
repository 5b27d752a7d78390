"""Fixtures of the tests that run the compose project."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.emulators.compose import LOCALSTACK, Project
from support.emulators.docker import ROOT, docker_engine, engine_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

__all__ = ["docker_engine"]


@pytest.fixture(scope="session")
def built(docker_engine: DockerClient) -> Project:
    """Build every image of the project, LocalStack's too; return a project that is not up."""
    project = Project(docker_engine, engine_host())
    base = os.environ.get("TIDEMILL_BASE", "")
    chosen = ["--build-arg", f"BASE={base}"] if base else []
    subprocess.run(
        ["docker", "build", "--tag", LOCALSTACK, *chosen, "localstack"],  # noqa: S607 - docker from PATH, as a user runs it
        cwd=ROOT,
        env=project.environment(),
        check=True,
        capture_output=True,
    )
    project.compose("--profile", "*", "build")
    return project


@pytest.fixture
def project(built: Project) -> Iterator[Project]:
    """Provide a project that is down, and end it afterwards; nothing of it may remain."""
    project = Project(built.engine, built.host)
    yield project
    project.compose("--profile", "*", "down", "--volumes")
    assert project.remains() == []
