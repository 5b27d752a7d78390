"""Kinds of AWS's published examples of the instance metadata service."""

from __future__ import annotations

import http.client
import json
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from support.builders.fleets import product_template
from support.builders.sessions import KEYS
from support.examples.kind import ExampleError, Expected, Given, Kind, Place, fields

from tidemill.rig.containers.metadata import (
    META_DATA,
    TOKEN_HEADER,
    TOKEN_PATH,
    TTL_HEADER,
    InstanceMetadata,
    MetadataService,
    categories,
)
from tidemill.scaling.group.lifecycle import LifecycleState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENDS_AT: Final = 1_750_000_020.0
SCRIPT: Final = "#!/bin/sh\n"
TARGET: Final = f"{META_DATA}autoscaling/target-lifecycle-state"
ON_THE_WAY: Final = ("Pending", "Terminating")
NOT_OURS: Final = "Warmed:Terminated"
"""A target state for which the core has no state: it ends such an instance as Terminated."""


class Client:
    """A program on the instance."""

    def __init__(self, service: MetadataService) -> None:
        """Use this service."""
        self.service = service

    def ask(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str, str]:
        """Return status, content type and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=5)
        try:
            connection.request(method, path, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
        finally:
            connection.close()

    def token(self) -> dict[str, str]:
        """Return the header with a token."""
        return {TOKEN_HEADER: self.ask("PUT", TOKEN_PATH, {TTL_HEADER: "60"})[2]}

    def get(self, path: str) -> tuple[int, str, str]:
        """Return the answer to a request with a token."""
        return self.ask("GET", path, self.token())


@contextmanager
def a_client(user_data: str = SCRIPT) -> Iterator[Client]:
    """Provide a client of the service of an instance with this user data."""
    service = MetadataService(InstanceMetadata("i-1", "eu-west-1", user_data, KEYS))
    try:
        yield Client(service)
    finally:
        service.close()


def headers_of(given: Given, client: Client) -> dict[str, str]:
    """Return the headers of an example's request; without a word on the token it has a good one."""
    headers = {given["header"]: "192.0.2.1"} if "header" in given else {}
    if given.get("method") == "PUT":
        return headers | {TTL_HEADER: str(given.get("ttl_s", 60))}
    if "token" not in given:
        return headers | client.token()
    return headers if given["token"] is None else headers | {TOKEN_HEADER: str(given["token"])}


def check_request(given: Given, expected: Expected) -> None:
    """Compare status and content type of an answer; a path may stand for all that it matches."""
    assert given.get("HttpTokens", "required") == "required"
    method = given.get("method", "GET")
    assert method in {"GET", "PUT"}
    with a_client(given.get("user_data", SCRIPT) or "") as client:
        pattern = given.get("path", TOKEN_PATH if method == "PUT" else META_DATA)
        known = [META_DATA + name for name in categories(client.service.metadata)]
        paths = (
            [path for path in known if fnmatchcase(path, pattern)] if "*" in pattern else [pattern]
        )
        assert paths, f"nothing matches {pattern}"
        for path in paths:
            status, kind, _ = client.ask(method, path, headers_of(given, client))
            results = {"status": status, "content_type": kind, "rejected": status >= 400}
            assert {name: results[name] for name in expected} == dict(expected)


def check_codes(_: Given, expected: Expected) -> None:
    """Make a request for each meaning of a status, except for one that never occurs here."""
    with a_client() as client:
        refused = {TTL_HEADER: "60", "X-Forwarded-For": "192.0.2.1"}
        found = {
            "invalid PUT": client.ask("PUT", TOKEN_PATH, {})[0],
            "invalid token on GET": client.ask("GET", META_DATA, {TOKEN_HEADER: "no"})[0],
            "not allowed or IMDS off": client.ask("PUT", TOKEN_PATH, refused)[0],
            "no such resource": client.get(f"{META_DATA}none")[0],
        }
    assert {str(status): meaning for meaning, status in found.items()} == dict(expected)


def check_target(given: Given, expected: Expected) -> None:
    """Read each target state that an instance of ours can have, and none."""
    if given["path"] != TARGET:
        raise ExampleError(f"{given['path']} has no target states")
    ours = {str(one) for one in LifecycleState if not any(word in one for word in ON_THE_WAY)}
    assert set(expected["values"]) == ours | {NOT_OURS}
    with a_client() as client:
        for target in sorted(ours):
            client.service.metadata.target = target
            assert client.get(given["path"])[::2] == (200, target)
        client.service.metadata.target = ""
        assert expected.get("absent_status", 404) == client.get(given["path"])[0]


def check_ttl(_: Given, expected: Expected) -> None:
    """Ask for tokens that last as long, or as short, as is allowed, and a second more, or less."""
    low, high = (
        expected["ttl_s"] if "ttl_s" in expected else (expected["min_ttl_s"], expected["max_ttl_s"])
    )
    with a_client() as client:
        for ttl, allowed in ((low - 1, False), (low, True), (high, True), (high + 1, False)):
            status, *_rest = client.ask("PUT", TOKEN_PATH, {TTL_HEADER: str(ttl)})
            assert (status == 200) is allowed, ttl


def check_hops(_: Given, expected: Expected) -> None:
    """Compare the template's hop limit with the one that a container needs."""
    (template,) = (
        resource["Properties"]["LaunchTemplateData"]
        for resource in product_template()["Resources"].values()
        if resource["Type"] == "AWS::EC2::LaunchTemplate"
    )
    hops = template["MetadataOptions"]["HttpPutResponseHopLimit"]
    assert hops == expected["containers_recommended"]


def check_notice(given: Given, expected: Expected) -> None:
    """Read a Spot instance's notice, before it and after."""
    with a_client() as client:
        assert expected.get("absent_status", 404) == client.get(given["path"])[0]
        client.service.metadata.ends_at = ENDS_AT
        notice = json.loads(client.get(given["path"])[2])
    assert expected.get("action", notice["action"]) == notice["action"]
    assert sorted(expected.get("keys", notice)) == sorted(notice)


METADATA_KINDS: tuple[Kind, ...] = (
    Kind(
        "the target lifecycle state",
        fields("path"),
        fields("values[]", "absent_status"),
        check_target,
        place=Place.SERVER,
    ),
    Kind(
        "the notice of a Spot interruption",
        fields("path"),
        fields("", "absent_status action keys[]"),
        check_notice,
        fits=lambda given, _: given["path"] == f"{META_DATA}spot/instance-action",
        any_of=frozenset({"absent_status", "action", "keys"}),
        place=Place.SERVER,
    ),
    Kind(
        "what the status of an answer means",
        fields(),
        fields("400", "401 403 404"),
        check_codes,
        aside={"503": "the rig's service never has too much to do"},
        place=Place.SERVER,
    ),
    Kind(
        "a request to the metadata service",
        fields("", "method header path token? user_data? HttpTokens ttl_s"),
        fields("", "status content_type rejected"),
        check_request,
        fits=lambda given, _: bool(given),
        any_of=frozenset({"status", "content_type", "rejected"}),
        place=Place.SERVER,
    ),
    Kind(
        "how long a token lasts",
        fields(),
        fields("", "ttl_s[] min_ttl_s max_ttl_s"),
        check_ttl,
        fits=lambda _, expected: (
            "ttl_s" in expected or {"min_ttl_s", "max_ttl_s"} <= expected.keys()
        ),
        place=Place.SERVER,
    ),
    Kind(
        "how far metadata may travel",
        fields(),
        fields("containers_recommended"),
        check_hops,
        aside={
            "default": "the template sets the limit itself",
            "ami_imds_support_v2": "the template sets the limit whatever the image's default is",
        },
    ),
)
