"""Fixtures of the tests of the local Auto Scaling API: a group, its server and a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.sessions import GUARD
from support.fakes.groups import autoscaling_client, group_of_two

from tidemill.rig.autoscaling.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_autoscaling import AutoScalingClient
    from support.fakes.groups import GroupInMemory


@pytest.fixture
def group() -> GroupInMemory:
    """Return a group of two instances in service."""
    return group_of_two()


@pytest.fixture
def url(group: GroupInMemory) -> Iterator[str]:
    """Serve the group."""
    with serving(group, GUARD) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[AutoScalingClient]:
    """Return an ordinary client of the API."""
    with autoscaling_client(url) as client:
        yield client
