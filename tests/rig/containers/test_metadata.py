"""The instance metadata service, over HTTP and through an SDK.

The module is over 280 lines because nearly all of its tests share a visitor of the service.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING, Final

import pytest
from botocore.credentials import InstanceMetadataProvider, RefreshableCredentials
from botocore.utils import InstanceMetadataFetcher, InstanceMetadataRegionFetcher
from support.builders.sessions import KEYS

from tidemill.rig.containers.metadata import (
    MAX_TTL,
    META_DATA,
    TOKEN_HEADER,
    TOKEN_PATH,
    TTL_HEADER,
    USER_DATA,
    InstanceMetadata,
    MetadataService,
    Tokens,
    categories,
    listing,
)
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENDS_AT: Final = 1_750_000_020.0
TARGET: Final = f"{META_DATA}autoscaling/target-lifecycle-state"


class Visitor:
    """A client of the service, such as a program on the instance."""

    def __init__(self, service: MetadataService) -> None:
        """Use this service."""
        self.service = service

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Return status, content type and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
        finally:
            connection.close()

    def token(self) -> str:
        """Return a token."""
        status, _, token = self.ask("PUT", TOKEN_PATH, {TTL_HEADER: "60"})
        assert status == 200
        return token

    def get(self, path: str) -> tuple[int, str, str]:
        """Return the answer to a request with a token."""
        return self.ask("GET", path, {TOKEN_HEADER: self.token()})


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    """Provide a client on an instance."""
    service = MetadataService(InstanceMetadata("i-1", "eu-west-1", "#!/bin/sh\n", KEYS))
    try:
        yield Visitor(service)
    finally:
        service.close()


@pytest.mark.parametrize(
    ("ttl", "status"),
    [
        pytest.param("1", 200, id="shortest"),
        pytest.param(str(MAX_TTL), 200, id="longest"),
        pytest.param("0", 400, id="none"),
        pytest.param(str(MAX_TTL + 1), 400, id="too-long"),
        pytest.param("-1", 400, id="negative"),
        pytest.param("many", 400, id="no-number"),
        pytest.param("1.5", 400, id="no-whole-number"),
        pytest.param("", 400, id="empty"),
        pytest.param(None, 400, id="missing"),
    ],
)
def test_a_token_lasts_from_a_second_to_six_hours(
    visitor: Visitor, ttl: str | None, status: int
) -> None:
    """Other durations are a bad request."""
    headers = {} if ttl is None else {TTL_HEADER: ttl}
    got, _, token = visitor.ask("PUT", TOKEN_PATH, headers)
    assert (got, bool(token)) == (status, status == 200)


def test_a_token_is_issued_at_its_own_path_only(visitor: Visitor) -> None:
    """PUT on other paths is not found."""
    assert visitor.ask("PUT", f"{META_DATA}instance-id", {TTL_HEADER: "60"})[0] == 404


@pytest.mark.parametrize("version", ["2021-03-23", "2012-01-12", "1.0"])
def test_a_token_is_forbidden_at_a_path_with_a_version(visitor: Visitor, version: str) -> None:
    """The page says that this is intended; it does not matter whether the duration is valid."""
    for ttl in ("60", "many"):
        status, _, token = visitor.ask("PUT", f"/{version}/api/token", {TTL_HEADER: ttl})
        assert (status, token) == (403, "")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        pytest.param("169.254.169.254", 200, id="as-on-ec2"),
        pytest.param("localhost:9", 200, id="local"),
        pytest.param("evil.example:80", 403, id="rebound"),
        pytest.param("", 403, id="none"),
    ],
)
def test_a_token_is_issued_under_the_services_own_names_only(
    visitor: Visitor, host: str, status: int
) -> None:
    """A web page whose name was bound to this address afterwards gets no credentials."""
    got, _, token = visitor.ask("PUT", TOKEN_PATH, {TTL_HEADER: "60", "Host": host})
    assert (got, bool(token)) == (status, status == 200)


@pytest.mark.parametrize("path", [f"{META_DATA}instance-id", f"{META_DATA}none", USER_DATA])
@pytest.mark.parametrize("token", [None, "", "of-somebody-elses"], ids=["none", "empty", "wrong"])
def test_nothing_is_answered_without_a_token(
    visitor: Visitor, token: str | None, path: str
) -> None:
    """Every path answers 401, known or not."""
    visitor.token()  # a token exists, but none of these is it
    headers = {} if token is None else {TOKEN_HEADER: token}
    status, _, body = visitor.ask("GET", path, headers)
    assert (status, body) == (401, "")


def test_a_token_is_not_valid_at_another_instance(visitor: Visitor) -> None:
    """Each instance has its own service."""
    other = MetadataService(InstanceMetadata("i-2", "eu-west-1", "", KEYS))
    try:
        status = Visitor(other).ask("GET", META_DATA, {TOKEN_HEADER: visitor.token()})[0]
    finally:
        other.close()
    assert status == 401


def test_a_token_expires() -> None:
    """It ends to the second, also if other tokens are issued meanwhile."""
    now = 100.0
    tokens = Tokens(lambda: now)
    short, long = tokens.issue(1), tokens.issue(60)
    now = 100.9
    assert tokens.valid(short)
    now = 101.0
    assert not tokens.valid(short)
    assert tokens.valid(long)
    assert tokens.valid(tokens.issue(1))
    assert tokens.valid(long)
    assert not tokens.valid("")


def test_an_expired_token_is_unauthorized(visitor: Visitor) -> None:
    """An unknown token gets the same answer."""
    token = visitor.token()
    visitor.service._server.tokens.clock = lambda: float("inf")
    assert visitor.ask("GET", META_DATA, {TOKEN_HEADER: token})[0] == 401


def test_an_instance_reads_what_it_is(visitor: Visitor) -> None:
    """A slash after a name changes nothing."""
    expected = {
        "instance-id": "i-1",
        "placement/region": "eu-west-1",
        "placement/availability-zone": "eu-west-1a",
        "instance-life-cycle": "on-demand",
    }
    for path, text in expected.items():
        for slash in ("", "/"):
            assert visitor.get(f"{META_DATA}{path}{slash}") == (200, "text/plain", text)


def test_an_instance_reads_its_user_data(visitor: Visitor) -> None:
    """The service returns the text unchanged."""
    assert visitor.get(USER_DATA) == (200, "application/octet-stream", "#!/bin/sh\n")


def test_an_instance_without_user_data_finds_none() -> None:
    """The status is 404; the other paths do not change."""
    service = MetadataService(InstanceMetadata("i-1", "eu-west-1", "", KEYS))
    try:
        visitor = Visitor(service)
        status, _, body = visitor.get(USER_DATA)
        assert (status, body) == (404, "")
        assert visitor.get(f"{META_DATA}instance-id")[0] == 200
    finally:
        service.close()


def test_a_head_gets_the_answer_of_a_get_without_its_body(visitor: Visitor) -> None:
    """GET and HEAD are allowed; both need the token."""
    for path, status in ((f"{META_DATA}instance-id", 200), (f"{META_DATA}none", 404)):
        token = {TOKEN_HEADER: visitor.token()}
        assert visitor.ask("HEAD", path, token) == (status, "text/plain", "")
    assert visitor.ask("HEAD", META_DATA)[0] == 401


def test_the_service_lists_its_version_and_its_parts(visitor: Visitor) -> None:
    """A path that ends in a slash lists what is below it."""
    assert visitor.get("/") == (200, "text/plain", "latest")
    assert visitor.get("/latest/")[2].split("\n") == ["meta-data", "user-data"]
    assert visitor.get(META_DATA)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        f"{META_DATA}none",
        f"{META_DATA}instance",
        f"{META_DATA}instance-id/more",
        f"{META_DATA}spot/",
        f"{META_DATA}spot/instance-action",
        "/latest/none",
        "/latest/dynamic/",
    ],
)
def test_an_unknown_path_is_not_found(visitor: Visitor, path: str) -> None:
    """A valid token does not change this."""
    assert visitor.get(path)[0] == 404


@pytest.mark.parametrize(
    ("path", "names"),
    [
        pytest.param("", {"instance-id", "placement/", "autoscaling/", "iam/"}, id="top"),
        pytest.param("placement", {"availability-zone", "region"}, id="without-slash"),
        pytest.param("placement/", {"availability-zone", "region"}, id="with-slash"),
        pytest.param("iam/", {"security-credentials/"}, id="deeper"),
        pytest.param("autoscaling/", {"target-lifecycle-state"}, id="one"),
    ],
)
def test_a_folder_lists_what_is_right_below(visitor: Visitor, path: str, names: set[str]) -> None:
    """Folders end in a slash."""
    status, kind, body = visitor.get(META_DATA + path)
    listed = set(body.split("\n"))
    assert (status, kind) == (200, "text/plain")
    assert names == listed if path else names < listed


def test_the_top_is_listed_without_its_slash_too(visitor: Visitor) -> None:
    """People type the path without it."""
    assert visitor.get(META_DATA.rstrip("/")) == visitor.get(META_DATA)


def test_a_listing_of_nothing_is_none() -> None:
    """A name is not a folder, nor is the start of a name."""
    known = categories(InstanceMetadata("i-1", "eu-west-1", "", KEYS))
    assert listing(known, "instance-id") is None
    assert listing(known, "place") is None


def test_the_target_state_shows_when_the_instance_is_to_be_terminated(visitor: Visitor) -> None:
    """A client sees the change at once."""
    assert visitor.get(TARGET)[2] == "InService"
    visitor.service.metadata.target = "Terminated"
    assert visitor.get(TARGET)[2] == "Terminated"


def test_a_spot_instance_gets_a_notice_with_its_end(visitor: Visitor) -> None:
    """Before the notice, the path is not found."""
    path = f"{META_DATA}spot/instance-action"
    assert visitor.get(path)[0] == 404
    visitor.service.metadata.ends_at = ENDS_AT
    status, _, body = visitor.get(path)
    assert status == 200
    assert json.loads(body) == {"action": "terminate", "time": "2025-06-15T15:07:00Z"}
    assert visitor.get(f"{META_DATA}spot/termination-time")[2] == "2025-06-15T15:07:00Z"
    assert visitor.get(f"{META_DATA}instance-life-cycle")[2] == "spot"


def endpoint_of(visitor: Visitor) -> dict[str, str]:
    """Return the setting with which an SDK finds the service."""
    return {"ec2_metadata_service_endpoint": f"http://127.0.0.1:{visitor.service.port}"}


def test_an_sdk_gets_its_roles_credentials(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have a session token and expire in some hours, like a role's."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
    fetcher = InstanceMetadataFetcher(config=endpoint_of(visitor))
    credentials = InstanceMetadataProvider(iam_role_fetcher=fetcher).load()
    assert credentials is not None
    assert (credentials.access_key, credentials.secret_key) == (KEYS.access_key, KEYS.secret_key)
    assert (credentials.token, credentials.method) == ("any", "iam-role")
    assert isinstance(credentials, RefreshableCredentials)
    assert not credentials.refresh_needed()


def test_an_sdk_finds_out_its_region(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK derives it from the zone."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
    fetcher = InstanceMetadataRegionFetcher(config=endpoint_of(visitor))
    assert fetcher.retrieve_region() == "eu-west-1"


def test_a_service_comes_back_at_the_port_that_it_had() -> None:
    """Instances know only that port, whichever controller serves it."""
    machine = InstanceMetadata("i-1", "eu-west-1", "", KEYS)
    first = MetadataService(machine)
    Visitor(first).token()
    first.close()
    second = MetadataService(machine, first.port)
    try:
        assert second.port == first.port
        assert Visitor(second).get(f"{META_DATA}instance-id")[2] == "i-1"
    finally:
        second.close()


def test_a_port_that_is_taken_is_an_error_in_one_sentence() -> None:
    """The error names the instance."""
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        expected = f"the metadata service of i-1 cannot listen on port {port}: Address already in"
        with pytest.raises(RigError, match=expected):
            MetadataService(InstanceMetadata("i-1", "eu-west-1", "", KEYS), port)


def test_a_client_that_disconnects_does_no_harm(
    visitor: Visitor, capfd: pytest.CaptureFixture[str]
) -> None:
    """Invalid requests do no harm either; nothing is written to the terminal."""
    with socket.create_connection(("127.0.0.1", visitor.service.port)) as connection:
        connection.sendall(b"PUT /latest")
    with socket.create_connection(("127.0.0.1", visitor.service.port)) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert connection.recv(1 << 16)
    assert visitor.get(TARGET)[0] == 200
    assert capfd.readouterr() == ("", "")
