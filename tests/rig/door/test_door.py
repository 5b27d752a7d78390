"""The door in front of a real MiniStack: who gets in, who calls, and what a browser gets."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from support.builders.sessions import KEYS, SESSION

from tidemill.rig.door.app import CONTROL, HEALTH
from tidemill.rig.door.credentials import Keys, Session
from tidemill.rig.door.requests import DIRECT, signed
from tidemill.rig.local_aws.clients import LocalClients
from tidemill.rig.local_aws.ministack import local_aws

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REGION = "us-east-1"
STRANGER = Session("another session").keys("user")
SERVICES = {
    "sqs": "list_queues",
    "cloudwatch": "list_metrics",
    "logs": "describe_log_groups",
    "cloudformation": "list_stacks",
    "dynamodb": "list_tables",
    "s3": "list_buckets",
    "sts": "get_caller_identity",
    "lambda": "list_functions",
}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run MiniStack behind its door."""
    with local_aws(tmp_path_factory.mktemp("door"), 0, REGION, SESSION) as aws:
        yield aws.url


def ask(
    url: str, headers: Mapping[str, str], method: str = "GET", body: bytes = b""
) -> tuple[int, Mapping[str, str], bytes]:
    """Return status, header fields and body of an answer to a request as it is."""
    request = urllib.request.Request(url, body or None, dict(headers), method=method)  # noqa: S310 - our own server
    try:
        with DIRECT.open(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def call(endpoint: str, service: str, keys: Keys) -> None:
    """Call a service as boto3 does."""
    client = boto3.client(  # type: ignore[call-overload]  # its stubs list services
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        getattr(client, SERVICES[service])()
    finally:
        client.close()


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_with_the_sessions_keys_uses_every_service(endpoint: str, service: str) -> None:
    """boto3 signs, and the door signs again: both protocols of today and of yesterday."""
    call(endpoint, service, KEYS)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("keys", "code"),
    [
        pytest.param(Keys("test", "test"), "InvalidClientTokenId", id="test"),
        pytest.param(STRANGER, "SignatureDoesNotMatch", id="of-another-session"),
        pytest.param(Keys("000000000000", "test"), "SignatureDoesNotMatch", id="of-a-function"),
    ],
)
def test_other_keys_are_refused_as_aws_does(
    endpoint: str, service: str, keys: Keys, code: str
) -> None:
    """boto3 understands the error in each protocol."""
    with pytest.raises(ClientError) as caught:
        call(endpoint, service, keys)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "`tidemill status` prints" in caught.value.response["Error"]["Message"]


def test_an_object_is_stored_with_any_name(endpoint: str) -> None:
    """S3 signs paths and bodies in its own way."""
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=KEYS.access_key,
        aws_secret_access_key=KEYS.secret_key,
    )
    s3.create_bucket(Bucket="things")
    name = "a b/ü//c+d=e&f"
    s3.put_object(Bucket="things", Key=name, Body=b"x" * 100_000)
    assert len(s3.get_object(Bucket="things", Key=name)["Body"].read()) == 100_000
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="things")["Contents"]] == [name]
    s3.close()


def test_messages_pass_in_both_directions_with_every_character(endpoint: str) -> None:
    """Neither the body nor its signature is changed on its way."""
    sqs = LocalClients(endpoint, SESSION).sqs
    url = sqs.create_queue(QueueName="characters")["QueueUrl"]
    assert url.startswith(endpoint)
    body = json.dumps({"text": "é\u2028\U0001f600<&>"}, ensure_ascii=False)
    sqs.send_message(QueueUrl=url, MessageBody=body)
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == body


# ---- what a page of a foreign site can send


SEND = b'{"QueueName": "planted"}'
FOREIGN = {
    "origin": {"Origin": "https://evil.example"},
    "opaque-origin": {"Origin": "null"},
    "site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "rebound": {"Host": "evil.example:4566", "Sec-Fetch-Site": "same-origin"},
    "rebound-to-our-port": {"Host": "localhost.evil.example:4566"},
    "no-signature": {},
    "wrong-signature": {
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, "
        f"SignedHeaders=host, Signature={'0' * 64}"
    },
}


@pytest.mark.parametrize("path", ["/", "/_ministack/health", "/_ministack/reset", "/bucket/key"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_page_gets_nothing(endpoint: str, kind: str, path: str) -> None:
    """With any of a browser's header fields, the answer is a refusal that the page cannot read."""
    for method in ("GET", "POST", "OPTIONS", "PUT", "DELETE"):
        headers = {"Content-Type": "text/plain", "X-Amz-Target": "AmazonSQS.CreateQueue"}
        status, answered, body = ask(
            endpoint + path, {**headers, **FOREIGN[kind]}, method, SEND if method == "POST" else b""
        )
        assert status == 403
        assert not [name for name in answered if name.lower().startswith("access-control-")]
        assert b"QueueUrl" not in body
    found = LocalClients(endpoint, SESSION).sqs.list_queues(QueueNamePrefix="planted")
    assert not found.get("QueueUrls")


@pytest.mark.parametrize("kind", ["origin", "site", "rebound"])
def test_even_the_right_keys_do_not_help_a_page(endpoint: str, kind: str) -> None:
    """The three checks do not depend on one another."""
    request = signed(KEYS, f"{endpoint}/_ministack/health")
    headers = {**dict(request.header_items()), **FOREIGN[kind]}
    status, _, _ = ask(request.full_url, headers)
    assert status == 403


def test_an_answer_has_no_header_that_lets_a_page_read_it(endpoint: str) -> None:
    """MiniStack itself adds Access-Control-Allow-Origin: * to every answer."""
    request = signed(KEYS, f"{endpoint}/_ministack/health")
    status, answered, body = ask(request.full_url, dict(request.header_items()))
    assert (status, b"services" in body) == (200, True)
    assert not [name for name in answered if name.lower().startswith("access-control-")]


def test_whether_it_is_up_is_all_that_a_stranger_learns(endpoint: str) -> None:
    """Not even that, if it is asked by a page."""
    assert ask(endpoint + HEALTH, {})[::2] == (200, b"up")
    assert ask(endpoint + HEALTH, {"Origin": "https://evil.example"})[0] == 403
    assert ask(endpoint + HEALTH, {"Host": "evil.example"})[0] == 403


def test_a_body_that_is_too_long_is_refused_before_it_is_read(endpoint: str) -> None:
    """The guard reads a body before it knows the caller, so the body is limited."""
    headers = {"Content-Length": str(1 << 40), "Content-Type": "application/x-amz-json-1.0"}
    address = urlsplit(endpoint)
    with socket.create_connection((address.hostname or "", address.port or 0), 60) as wire:
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(["POST / HTTP/1.1", f"Host: {address.netloc}", *lines, "", ""])
        wire.sendall(head.encode())
        assert wire.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_an_instance_may_not_disturb_calls(endpoint: str) -> None:
    """The rig and the user may."""
    request = signed(SESSION.keys("i-1"), f"{endpoint}{CONTROL}/faults", method="POST", body=b"{}")
    status, _, body = ask(request.full_url, dict(request.header_items()), "POST", b"{}")
    assert (status, b"may not inject faults" in body) == (403, True)
