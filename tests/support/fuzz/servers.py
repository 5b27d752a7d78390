"""Targets that get requests over a network: the servers of a rig, and the door in front of them."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from hypothesis import strategies as st
from support.builders.sessions import GUARD, KEYS
from support.fakes.groups import group_of_two
from support.fuzz.target import Target, told
from support.fuzz.texts import BYTES, ENCODABLE, SCALAR, changed, changed_bytes

from tidemill.rig.autoscaling.server import answer
from tidemill.rig.containers.metadata import InstanceMetadata, MetadataService
from tidemill.rig.door.calls import RefusedError, Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

ACTIONS: Final = (
    "DescribeAutoScalingGroups",
    "SetDesiredCapacity",
    "UpdateAutoScalingGroup",
    "TerminateInstanceInAutoScalingGroup",
    "DescribeScalingActivities",
    "PutScalingPolicy",
    "CompleteLifecycleAction",
    "SetInstanceProtection",
    "EnterStandby",
    "PutWarmPool",
)
_PARAMETERS: Final = (
    "AutoScalingGroupName",
    "AutoScalingGroupNames.member.1",
    "DesiredCapacity",
    "MaxSize",
    "MinSize",
    "InstanceId",
    "InstanceIds.member.1",
    "MaxRecords",
    "NextToken",
    "ShouldDecrementDesiredCapacity",
    "PolicyName",
    "PolicyType",
    "StepAdjustments.member.1.ScalingAdjustment",
)


def _form(action: object, fields: Mapping[str, object]) -> str:
    values = {name: str(value).encode(errors="replace") for name, value in fields.items()}
    return urlencode({"Action": str(action).encode(errors="replace"), **values})


FORMS: Final = st.builds(
    _form,
    st.sampled_from(ACTIONS) | ENCODABLE,
    st.dictionaries(
        st.sampled_from(_PARAMETERS), st.just("tidemill-workers") | st.integers() | SCALAR
    ),
)


def check_form(form: str) -> None:
    """A request gets an answer of the API in XML; the server never fails by itself."""
    status, body, *_ = answer(group_of_two(), form)
    assert status in {200, 400, 403, 404, 409}, body
    assert b"InternalFailure" not in body, body


@dataclass(frozen=True)
class _Sent:
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


SIGNED: Final = (
    f"AWS4-HMAC-SHA256 Credential={KEYS.access_key}/20261127/eu-west-1/sqs/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=00"
)
_LATIN = ENCODABLE.map(lambda text: text.encode("latin-1", "replace").decode("latin-1"))
REQUESTS: Final = st.builds(
    _Sent,
    method=st.sampled_from(["GET", "POST", "PUT", "OPTIONS"]),
    target=st.sampled_from(["/", "/?Action=ListQueues", "/_tidemill/control", "/%zz?X-Amz-Date=1"])
    | _LATIN,
    headers=st.lists(
        st.tuples(
            st.sampled_from(
                ["host", "authorization", "x-amz-date", "origin", "content-type", "x-amz-target"]
            ),
            st.sampled_from(
                [
                    "127.0.0.1:4566",
                    SIGNED,
                    "20261127T000000Z",
                    "AmazonSQS.SendMessage",
                ]
            )
            | _LATIN,
        ),
        max_size=5,
    ).map(tuple),
    body=BYTES,
)


def _changed_request(request: _Sent, rng: Random) -> _Sent:
    headers = tuple(
        (name, changed(value, rng).encode("latin-1", "replace").decode("latin-1"))
        if rng.random() < 0.5
        else (name, value)
        for name, value in request.headers
    )
    return replace(request, headers=headers)


def check_request(sent: _Sent) -> None:
    """Nothing that is not signed with the session's secret passes the door."""
    request = Request(sent.method, sent.target, sent.headers, sent.body)
    try:
        GUARD.admit(request, 1_800_000_000.0)
    except RefusedError as error:
        told(error)
    else:
        raise AssertionError(f"this request has passed: {request}")


@cache
def _metadata() -> MetadataService:
    return MetadataService(InstanceMetadata("i-1", "eu-west-1", "#!/bin/sh", KEYS))


HTTP: Final = st.sampled_from(
    [
        b"PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n",
        b"GET /latest/meta-data/ HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token: y\r\n\r\n",
        b"GET /latest/user-data HTTP/1.0\r\n\r\n",
        b"HEAD /latest/meta-data/iam/security-credentials/worker HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
)


def check_metadata(data: bytes) -> None:
    """The metadata service answers anything, and gives its secrets to nobody without a token."""
    service = _metadata()
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        got = bytearray()
        while part := connection.recv(65_536):
            got += part
    assert KEYS.secret_key.encode() not in got
    assert b"#!/bin/sh" not in got


TARGETS: Final = (
    Target("autoscaling-requests", FORMS, check_form, changed, share=0.3),
    Target("door-requests", REQUESTS, check_request, _changed_request),
    Target("metadata-requests", HTTP | BYTES, check_metadata, changed_bytes, share=0.2),
)
