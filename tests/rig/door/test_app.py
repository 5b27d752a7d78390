"""The door's open paths: a custom resource's function answers without a signature."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from support.builders.sessions import GUARD
from support.emulators.doors import standing

from tidemill.rig.door.app import Door
from tidemill.rig.door.calls import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.rig.door.app import Receive, Scope
    from tidemill.rig.door.calls import Call

pytestmark = pytest.mark.impure

OPEN = "/_ministack/cfn-response/"
SECRET = f"{OPEN}0b9d3a52-7d0c-4d6f"


async def emulator(_call: Call, _scope: Scope, _receive: Receive) -> Reply:
    """Answer what the door lets in."""
    return Reply(200)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Run a door with an open path, and provide its host and port."""
    with standing(Door(GUARD, emulator, open_paths=(OPEN,))) as url:
        yield urlsplit(url).netloc


def status_of(
    address: str, method: str, target: str, headers: Mapping[str, str] | None = None
) -> int:
    """Return the status of the answer to a request without a signature."""
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.request(method, target, b"{}", dict(headers or {}))
        return connection.getresponse().status
    finally:
        connection.close()


def test_who_knows_the_secret_may_answer(address: str) -> None:
    """CloudFormation's ResponseURL is a PUT without a signature, on AWS as well."""
    assert status_of(address, "PUT", SECRET) == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", SECRET),
        ("GET", SECRET),
        ("PUT", OPEN),
        ("PUT", f"{SECRET}?Action=ListQueues"),
        ("PUT", f"{SECRET}/x"),
        ("PUT", f"{OPEN}../../"),
        ("PUT", f"{OPEN}.."),
        ("PUT", f"{OPEN}%2e%2e"),
        ("PUT", "/"),
    ],
)
def test_nothing_else_is_open(address: str, method: str, target: str) -> None:
    """An emulator would read another request in it, such as one to run code."""
    assert status_of(address, method, target) == 403


@pytest.mark.parametrize("name", ["X-Amz-Target", "Authorization", "Origin"])
def test_a_request_to_a_service_is_not_open(address: str, name: str) -> None:
    """An emulator finds the service in these fields."""
    assert status_of(address, "PUT", SECRET, {name: "AmazonSQS.DeleteQueue"}) == 403
