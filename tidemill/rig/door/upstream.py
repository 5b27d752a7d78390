"""Upstream emulator: hands calls to an emulator of AWS in another process, over HTTP."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import urllib3

from tidemill.rig.door.calls import RefusedError, Reply

if TYPE_CHECKING:
    from tidemill.rig.door.app import Emulator, Receive, Scope
    from tidemill.rig.door.calls import Call

THREADS: Final = 256
"""A long poll of a consumer holds a thread for up to 20 seconds."""
OF_THE_CONNECTION: Final = {
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
}
"""Header fields that concern the connection to the door."""
ANSWER_SECONDS: Final = 120.0


def upstream(url: str) -> Emulator:
    """Return the emulator that answers at this URL."""
    address = urllib3.util.parse_url(url)
    pool = urllib3.HTTPConnectionPool(
        str(address.host), address.port, maxsize=THREADS, retries=False, timeout=ANSWER_SECONDS
    )
    threads = ThreadPoolExecutor(THREADS)

    def ask(call: Call) -> Reply:
        request = call.request
        headers = urllib3.HTTPHeaderDict()
        for name, value in request.headers:
            if name not in OF_THE_CONNECTION:
                headers.add(name, value)
        try:
            answer = pool.urlopen(
                request.method,
                request.target,
                body=request.body,
                headers=headers,
                redirect=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            reason = f"the emulator behind the door does not answer: {error}"
            raise RefusedError("ServiceUnavailable", reason, 503) from error
        fields = tuple((name.lower(), value) for name, value in answer.headers.iteritems())
        return Reply(answer.status, fields, answer.data)

    async def forward(call: Call, _scope: Scope, _receive: Receive) -> Reply:
        return await asyncio.get_running_loop().run_in_executor(threads, ask, call)

    return forward
