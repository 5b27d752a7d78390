"""Signed requests to paths of ours, which no client of AWS knows."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

if TYPE_CHECKING:
    from tidemill.rig.door.credentials import Keys

DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens URLs without a proxy, even if the user's environment sets one."""
SERVICE: Final = "tidemill"


def signed(
    keys: Keys, url: str, *, method: str = "GET", body: bytes = b"", region: str = "us-east-1"
) -> urllib.request.Request:
    """Return a request that the door lets in.

    Args:
        keys: who calls.
        url: the address, with a query whose values are quoted.
        method: HTTP's method.
        body: what is sent.
        region: the region that it is signed for.

    Raises:
        ValueError: the address is none of HTTP.
    """
    if urlsplit(url).hostname is None:
        raise ValueError("not an address that begins with http://")
    request = AWSRequest(method=method, url=url, data=body)
    credentials = ReadOnlyCredentials(keys.access_key, keys.secret_key, None)
    SigV4Auth(credentials, SERVICE, region).add_auth(request)
    return urllib.request.Request(  # noqa: S310 - the rig's own address
        url, data=body or None, headers=dict(request.headers), method=method
    )
