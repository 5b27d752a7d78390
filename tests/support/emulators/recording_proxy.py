"""A proxy in front of a local AWS endpoint that records the API calls."""

from __future__ import annotations

import http.client
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

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


class Recorder(ThreadingHTTPServer):
    """Forwards requests; `requests` are those received so far, in order."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        """Listen on a free port of the loopback interface for this endpoint."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[Request] = []
        self.upstream = urlsplit(upstream).netloc
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        self._changed = threading.Condition()

    def note(self, request: Request) -> None:
        """Record a request."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

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
        self.server.note(read_request(self.headers, body))
        connection = http.client.HTTPConnection(self.server.upstream, timeout=PATIENCE)
        try:
            connection.request("POST", self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
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
    with Recorder(upstream) as recorder:
        thread = threading.Thread(target=recorder.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield recorder
        finally:
            recorder.shutdown()
            thread.join()
