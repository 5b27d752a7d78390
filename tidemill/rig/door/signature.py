"""Signatures, version 4: checked by signing the request again with botocore.

AWS's rules: IAM user guide, "AWS Signature Version 4 for API requests". A presigned address, which
carries its signature in the query, is refused: nothing here needs one.
"""

from __future__ import annotations

import hmac
import re
from calendar import timegm
from dataclasses import dataclass
from hashlib import sha256
from time import strptime
from typing import TYPE_CHECKING, Final

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import ReadOnlyCredentials

from tidemill.rig.door.calls import RefusedError

if TYPE_CHECKING:
    from tidemill.rig.door.calls import Request
    from tidemill.rig.door.credentials import Session

AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=([\w.-]+)/(\d{8})/([\w-]+)/([\w-]+)/aws4_request,"
    r" *SignedHeaders=([\w;-]+), *Signature=([0-9a-f]{64})"
)
"""Access key id, day, region, service, signed header fields, signature."""
DATE: Final = "%Y%m%dT%H%M%SZ"
LATE_SECONDS: Final = 900
"""A request that was signed longer ago, or so far ahead, is refused, as AWS does."""
HINT: Final = (
    "`tidemill status` prints those of a rig, `tidemill compose keys` those of the containers"
)
DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed a request, and for which service."""

    caller: str
    service: str


def check_signature(session: Session, request: Request, now: float) -> Signer:
    """Return who signed a request.

    Args:
        session: the session whose keys are accepted.
        request: the request, with its body.
        now: the time, in epoch seconds.

    Raises:
        RefusedError: it is not signed, or not by keys of this session, or was changed since.
    """
    found = AUTHORIZATION.fullmatch(request.header("authorization"))
    if found is None:
        raise RefusedError(
            "MissingAuthenticationToken",
            f"this endpoint answers only requests that are signed with keys of its session: {HINT}",
        )
    access_key, day, region, service, signed, signature = found.groups()
    known = session.find(access_key)
    date = request.header("x-amz-date")
    wrong = RefusedError(
        "SignatureDoesNotMatch",
        f"the request is not signed with keys of this session: {HINT}",
    )
    if known is None:
        raise RefusedError(
            "InvalidClientTokenId",
            f"this session has no access key id {access_key}: {HINT}",
        )
    of_aws = {name for name, _ in request.headers if name.startswith("x-amz-")}
    if not {"host", *of_aws} <= {*signed.split(";")} or not date.startswith(day):
        raise wrong
    _check_date(date, now)
    _check_body(request)
    caller, keys = known
    credentials = ReadOnlyCredentials(keys.access_key, keys.secret_key, None)
    auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, region)
    again = AWSRequest(
        method=request.method,
        url=f"http://{request.header('host')}{request.target}",
        data=request.body,
    )
    again.headers = HTTPHeaders()
    for name in signed.split(";"):
        for value in request.values(name):
            again.headers[name] = value
    again.context["timestamp"] = date
    expected = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    if auth.signed_headers(auth.headers_to_sign(again)) != signed:
        raise wrong
    if not hmac.compare_digest(expected, signature):
        raise wrong
    return Signer(caller, service)


def _check_date(date: str, now: float) -> None:
    try:
        at = timegm(strptime(date, DATE))
    except ValueError:
        at = 0
    if abs(now - at) > LATE_SECONDS:
        raise RefusedError(
            "SignatureDoesNotMatch",
            f"Signature expired: {date or 'no date'} is more than {LATE_SECONDS // 60} minutes "
            "from this machine's time",
        )


def _check_body(request: Request) -> None:
    """Refuse a body that is not the one that was signed, where its digest is in a header field."""
    digest = request.header("x-amz-content-sha256")
    if DIGEST.fullmatch(digest) and digest != sha256(request.body).hexdigest():
        raise RefusedError("SignatureDoesNotMatch", "the body is not the one that was signed")
