"""Signatures: what botocore signs passes, and nothing that was changed afterwards does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from support.builders.sessions import KEYS, SESSION

from tidemill.rig.door.calls import RefusedError, Request
from tidemill.rig.door.credentials import Session
from tidemill.rig.door.signature import LATE_SECONDS, Signer, check_signature

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "http://127.0.0.1:4566"
BODY = b'{"QueueUrl": "x"}'


def signed(
    url: str = URL, method: str = "POST", body: bytes = BODY, service: str = "sqs", token: str = ""
) -> Request:
    """Return a request that botocore has signed now, as it is on the wire."""
    made = AWSRequest(method=method, url=url, data=body, headers={"X-Amz-Target": "AmazonSQS.X"})
    credentials = ReadOnlyCredentials(KEYS.access_key, KEYS.secret_key, token or None)
    (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, "eu-west-1").add_auth(
        made
    )
    address = urlsplit(url)
    headers = [("host", address.netloc), ("user-agent", "any")]
    headers += [(name.lower(), value) for name, value in made.headers.items()]
    return Request(method, url.removeprefix(URL) or "/", tuple(headers), body)


def changed(request: Request, name: str, value: str) -> Request:
    """Return the request with another value of a header field."""
    headers = tuple((given, value if given == name else old) for given, old in request.headers)
    return replace(request, headers=headers)


def code_of(request: Request, session: Session = SESSION, later: float = 0) -> str:
    """Return the code with which a request is refused, an empty text if it passes."""
    try:
        check_signature(session, request, datetime.now(UTC).timestamp() + later)
    except RefusedError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(signed, id="json"),
        pytest.param(lambda: signed(token="any"), id="role"),  # noqa: S106 - no secret: nobody checks it
        pytest.param(lambda: signed(f"{URL}/?b=2&a=1&a=0&c", "GET", b""), id="query"),
        pytest.param(
            lambda: signed(f"{URL}/bucket/a%20b/%C3%BC//c%2Bd", "PUT", service="s3"), id="s3"
        ),
        pytest.param(lambda: signed(f"{URL}/x/../y/./z", "GET", b"", "logs"), id="path"),
        pytest.param(
            lambda: signed(f"{URL}/2015-03-31/functions/f%3A1", "GET", b"", "lambda"), id="rest"
        ),
    ],
)
def test_what_botocore_signs_passes(sign: Callable[[], Request]) -> None:
    """Whatever the service, the path, the query and the body are.

    It is signed in the test: a signature that is older than fifteen minutes is refused.
    """
    assert code_of(sign()) == ""


def test_the_signer_is_known() -> None:
    """With the service that it signed for."""
    now = datetime.now(UTC).timestamp()
    assert check_signature(SESSION, signed(), now) == Signer("user", "sqs")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda one: replace(one, body=b'{"QueueUrl": "y"}'), id="body"),
        pytest.param(lambda one: replace(one, body=b""), id="no-body"),
        pytest.param(lambda one: replace(one, method="PUT"), id="method"),
        pytest.param(lambda one: replace(one, target="/other"), id="path"),
        pytest.param(lambda one: replace(one, target="/?Action=Delete"), id="query"),
        pytest.param(lambda one: changed(one, "host", "localhost:4566"), id="host"),
        pytest.param(lambda one: changed(one, "x-amz-target", "AmazonSQS.Delete"), id="target"),
        pytest.param(
            lambda one: replace(one, headers=(*one.headers, ("x-amz-target", "AmazonSQS.Delete"))),
            id="target-twice",
        ),
        pytest.param(
            lambda one: replace(one, headers=tuple(h for h in one.headers if h[0] != "x-amz-date")),
            id="no-date",
        ),
    ],
)
def test_what_was_changed_after_it_was_signed_is_refused(
    change: Callable[[Request], Request],
) -> None:
    """A signature covers the method, the path, the query, the body and what it names."""
    assert code_of(change(signed())) == "SignatureDoesNotMatch"


def test_a_body_of_s3_is_compared_with_its_signed_digest() -> None:
    """The digest is in a header field there, so the signature alone would not notice."""
    assert code_of(replace(signed(service="s3"), body=b"other")) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("later", [LATE_SECONDS + 5, -LATE_SECONDS - 5])
def test_a_request_of_long_ago_or_of_the_future_is_refused(later: float) -> None:
    """So a request that was recorded cannot be sent again for long."""
    assert code_of(signed(), later=later) == "SignatureDoesNotMatch"
    assert code_of(signed(), later=later / 2) == ""


def test_another_sessions_keys_are_refused() -> None:
    """A rig that has ended has left worthless keys."""
    assert code_of(signed(), Session("another")) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer x",
        "AWS tidemill-user:x",
        "AWS4-ECDSA-P256-SHA256 Credential=tidemill-user/20260101/sqs/aws4_request",
        "AWS4-HMAC-SHA256 Credential=tidemill-user",
    ],
    ids=["none", "bearer", "version-2", "version-4a", "half"],
)
def test_every_other_authorization_is_none(authorization: str) -> None:
    """Also where an emulator would accept it."""
    assert (
        code_of(changed(signed(), "authorization", authorization)) == "MissingAuthenticationToken"
    )


def test_two_authorizations_are_none() -> None:
    """The door and the emulator might read different ones."""
    one = signed()
    twice = replace(one, headers=(*one.headers, ("authorization", one.header("authorization"))))
    assert code_of(twice) == "MissingAuthenticationToken"


def test_the_host_has_to_be_signed() -> None:
    """So a request for another endpoint cannot be sent here."""
    one = signed()
    without = one.header("authorization").replace("host;", "")
    assert code_of(changed(one, "authorization", without)) == "SignatureDoesNotMatch"


def test_every_field_of_awss_has_to_be_signed() -> None:
    """Otherwise an emulator could be given another operation than the one that was signed."""
    one = signed()
    more = replace(one, headers=(*one.headers, ("x-amz-meta-other", "1")))
    assert code_of(more) == "SignatureDoesNotMatch"


def test_a_key_of_nobody_is_told() -> None:
    """Such as `test`, which emulators without a door accept."""
    one = signed()
    other = one.header("authorization").replace("tidemill-user", "test")
    assert code_of(changed(one, "authorization", other)) == "InvalidClientTokenId"
