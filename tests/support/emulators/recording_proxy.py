"""A proxy in front of a local AWS endpoint that records the API calls."""

from __future__ import annotations

import http.client
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from support.emulators.serving import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from email.message import Message

PATIENCE: Final = 60.0
"""Seconds after which waiting for a request fails; a passing test needs far fewer."""
OF_THE_CONNECTION: Final = {"connection", "content-length", "date", "server", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Request:
    """One API call: the service as it is signed for, the operation, the parameters."""

    service: str
    operation: str
    parameters: Mapping[str, Any]


class Fault(Enum):
    """What can happen to a request: SQS and DynamoDB never get it, or its answer never arrives.

    Either way the caller waits until the proxy ends. With REFUSED it is told to try later.
    """

    REQUEST_HELD = auto()
    ANSWER_HELD = auto()
    REFUSED = auto()


class Recorder(ThreadingHTTPServer):
    """Forwards requests; `requests` are those received so far, in order.

    `fault` says what happens to a request; those that are held are in `held` as well. `rewrite`
    may change the bodies that are passed on, but not their lengths.
    """

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        """Listen on a free port of the loopback interface for this endpoint."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[Request] = []
        self.held: list[Request] = []
        self.fault: Callable[[Request], Fault | None] = lambda _: None
        self.rewrite: Callable[[bytes], bytes] = lambda body: body
        self.ended = threading.Event()
        self.upstream = urlsplit(upstream).netloc
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        self._changed = threading.Condition()

    def note(self, request: Request) -> None:
        """Record a request."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def hold(self, request: Request) -> None:
        """Let the caller wait until the proxy ends."""
        with self._changed:
            self.held.append(request)
            self._changed.notify_all()
        self.ended.wait(PATIENCE)

    def wait_until_held(self) -> None:
        """Wait until a request is held."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.held, PATIENCE)

    def wait_for(self, wanted: Callable[[Request], bool]) -> None:
        """Wait until such a request has arrived."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(wanted, self.requests)), PATIENCE)


def read_request(headers: Message[str, str], body: bytes) -> Request:
    """Return the call that a signed request of a JSON protocol makes.

    Raises:
        ValueError: it is not signed, or of another protocol.
    """
    signed = re.search(r"Credential=[^/]+/\d+/[^/]+/(\w+)/aws4_request", headers["Authorization"])
    if signed is None or "X-Amz-Target" not in headers:
        raise ValueError(f"not a signed request of a JSON protocol: {dict(headers)}")
    operation = headers["X-Amz-Target"].rpartition(".")[2]
    return Request(signed.group(1), operation, json.loads(body))


class _Handler(BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = read_request(self.headers, body)
        self.server.note(request)
        fault = self.server.fault(request)
        if fault is Fault.REQUEST_HELD:
            self.server.hold(request)
            return
        if fault is Fault.REFUSED:
            self.send_response(HTTPStatus.SERVICE_UNAVAILABLE)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        connection = http.client.HTTPConnection(self.server.upstream, timeout=PATIENCE)
        try:
            connection.request("POST", self.path, self.server.rewrite(body), dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if fault is Fault.ANSWER_HELD:
            self.server.hold(request)
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in OF_THE_CONNECTION:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Print nothing, because the record contains all requests."""


@contextmanager
def recording(upstream: str) -> Iterator[Recorder]:
    """Provide a recording proxy of the endpoint."""
    with served(Recorder(upstream)) as recorder:
        try:
            yield recorder
        finally:
            recorder.ended.set()
