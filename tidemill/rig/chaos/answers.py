"""Answers of an AWS that is in trouble: errors, refusals, throttling, and nonsense with a 200."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tidemill.rig.door.calls import RefusedError, Reply, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.rig.door.calls import Headers, Request

    Answer = Callable[[Request], Reply]

JSON: Final[Headers] = (("content-type", "application/x-amz-json-1.0"),)
HTML: Final[Headers] = (("content-type", "text/html"),)
PAGE: Final = b"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"


def _error(code: str, status: int, text: str) -> Answer:
    """Return the answer that is an error of AWS's, in the protocol of the request."""
    return lambda request: refusal(request, RefusedError(code, text, status))


def _plain(status: int, body: bytes = b"", headers: Headers = ()) -> Answer:
    """Return the answer that is these bytes."""
    return lambda _: Reply(status, headers, body)


def _throttled_entries(request: Request) -> Reply:
    """Refuse each entry of a batch, as SQS does when KMS throttles; or the request, without any."""
    try:
        entries: Any = json.loads(request.body)["Entries"]
        failed = [
            {
                "Id": entry["Id"],
                "Code": "KMS.ThrottlingException",
                "Message": "You have exceeded the rate at which you may call KMS.",
                "SenderFault": True,
            }
            for entry in entries
        ]
    except (ValueError, LookupError, TypeError):
        return _error("ThrottlingException", 400, "Rate exceeded")(request)
    return Reply(200, JSON, json.dumps({"Successful": [], "Failed": failed}).encode())


EXPIRED: Final = _error(
    "ExpiredToken", 403, "The security token included in the request is expired"
)
CLOCK: Final = _error(
    "SignatureDoesNotMatch",
    403,
    "Signature expired: 20260101T000000Z is now earlier than 20260102T000000Z",
)
LOGS_ERROR: Final = _error("ServiceUnavailableException", 503, "The service is not available")

ERRORS: Final[tuple[Answer, ...]] = (
    _error("InternalFailure", 500, "The request processing has failed because of an error"),
    _error("ServiceUnavailable", 503, "The request has failed due to a temporary failure"),
    _plain(503, PAGE, HTML),
)
REFUSALS: Final[tuple[Answer, ...]] = (
    _error("SomethingNew", 400, "An error that no client knows"),
    _plain(408),
    _plain(413, PAGE, HTML),
    _plain(429),
    _plain(301, b"", (("location", "http://127.0.0.1:9/"),)),
)
THROTTLED: Final[tuple[Answer, ...]] = (
    _error("ThrottlingException", 400, "Rate exceeded"),
    _error("RequestThrottled", 403, "Request is throttled"),
    _throttled_entries,
)
NONSENSE: Final[tuple[Answer, ...]] = (
    _plain(200, PAGE, HTML),
    _plain(200, b"", JSON),
    _plain(200, b"null", JSON),
    _plain(200, b"[1, 2]", JSON),
    _plain(200, b'{"Successful": [', JSON),
    _plain(200, b"{}", JSON),
)
