"""The guard of the local Auto Scaling API: a foreign page can neither read, nor scale, nor harm."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from support.builders.sessions import KEYS, SESSION
from support.fakes.groups import NAME, autoscaling_client

from tidemill.rig.autoscaling.ports import FAULTS
from tidemill.rig.door.app import HEALTH
from tidemill.rig.door.credentials import Keys
from tidemill.rig.door.requests import DIRECT, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.fakes.groups import GroupInMemory

SCALE = (
    f"Action=SetDesiredCapacity&Version=2011-01-01&AutoScalingGroupName={NAME}&DesiredCapacity=4"
)
FOREIGN = {
    "origin": {"Origin": "https://evil.example"},
    "opaque-origin": {"Origin": "null"},
    "site": {"Sec-Fetch-Site": "cross-site"},
    "rebound": {"Host": "evil.example:4567", "Sec-Fetch-Site": "same-origin"},
    "no-signature": {},
}


def ask(url: str, headers: Mapping[str, str], method: str, body: bytes) -> tuple[int, bytes]:
    """Return status and body of an answer to a request as it is."""
    request = urllib.request.Request(url, body or None, dict(headers), method=method)  # noqa: S310 - our own server
    try:
        with DIRECT.open(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            if any(name.lower().startswith("access-control") for name in error.headers):
                pytest.fail("a page may read this")
            return error.code, error.read()


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("POST", "/", SCALE, id="scale"),
        pytest.param("GET", f"/?{SCALE}", "", id="scale-by-get"),
        pytest.param("GET", "/?Action=DescribeAutoScalingGroups", "", id="read"),
        pytest.param("POST", f"{FAULTS}?kind=spot", "", id="fault"),
        pytest.param("OPTIONS", "/", "", id="preflight"),
    ],
)
def test_a_foreign_page_is_refused(
    group: GroupInMemory, url: str, kind: str, method: str, path: str, body: str
) -> None:
    """The group stays as it was, and the page learns nothing of it."""
    headers = {"Content-Type": "text/plain", **FOREIGN[kind]}
    status, answered = ask(url + path, headers, method, body.encode())
    assert (status, NAME.encode() in answered) == (403, False)
    assert (group.memory.desired, group.faults) == (2, [])


@pytest.mark.parametrize("kind", ["origin", "site", "rebound"])
def test_even_a_signed_request_of_a_page_is_refused(url: str, kind: str) -> None:
    """Whoever has the keys needs no browser."""
    request = signed(KEYS, f"{url}/?Action=DescribeAutoScalingGroups")
    headers = {**dict(request.header_items()), **FOREIGN[kind]}
    assert ask(request.full_url, headers, "GET", b"")[0] == 403


def test_other_keys_are_refused_as_aws_does(url: str) -> None:
    """boto3 understands the error."""
    with (
        autoscaling_client(url, Keys("test", "test")) as client,
        pytest.raises(ClientError) as caught,
    ):
        client.describe_auto_scaling_groups()
    assert caught.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_an_instance_may_use_the_api_but_injects_no_fault(group: GroupInMemory, url: str) -> None:
    """On AWS its role decides what it may call; faults are nothing that an instance has."""
    keys = SESSION.keys("i-1")
    with autoscaling_client(url, keys) as client:
        assert client.describe_auto_scaling_groups()["AutoScalingGroups"]
    request = signed(keys, f"{url}{FAULTS}?kind=spot", method="POST")
    status, answered = ask(request.full_url, dict(request.header_items()), "POST", b"")
    assert (status, b"i-1 may not inject faults" in answered) == (403, True)
    assert group.faults == []


def test_whether_it_is_up_needs_no_signature(url: str) -> None:
    """A page does not even learn that."""
    assert ask(url + HEALTH, {}, "GET", b"") == (200, b"up")
    assert ask(url + HEALTH, FOREIGN["origin"], "GET", b"")[0] == 403
