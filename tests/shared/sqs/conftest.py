"""Fixtures of the tests of calls to SQS: an endpoint that answers as a test wants it to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from support.emulators.wrong_bench import Bench, queue_at
from support.emulators.wrong_server import be_right, wrong_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def aws_settings() -> Iterator[None]:
    """Give boto3 test credentials and a region, and no access to a real account."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_REGION", "eu-west-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", "/nonexistent")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        yield


@pytest.fixture(scope="module")
def shared_bench(aws_settings: None) -> Iterator[Bench]:  # noqa: ARG001 - for the client
    """Provide one client for all tests, since building one takes long."""
    with wrong_server(be_right) as server, queue_at(server) as queue:
        yield Bench(server, queue)


@pytest.fixture
def bench(shared_bench: Bench) -> Bench:
    """Provide a server that has had no call yet."""
    shared_bench.server.calls.clear()
    return shared_bench
