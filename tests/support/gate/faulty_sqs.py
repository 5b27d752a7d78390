"""A proxy in front of SQS that does a few things which SQS may do, each at the same place."""

from __future__ import annotations

import json
import threading
import urllib.request
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from support.emulators.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator

DROPPED: Final = 4
"""The request with messages that never reaches SQS: its connection is closed."""

REFUSING: Final = 3
"""The request with messages of which the first one is refused for now."""

UNDELETED: Final = 3
"""How often the first message that is deleted is not deleted: the worker tries three times."""

PASSED_ON: Final = ("Authorization", "Content-Type", "X-Amz-Date", "X-Amz-Target")


class FaultySqs(ThreadingHTTPServer):
    """Drops one request of the producer, and refuses one of its messages and one delete."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        """Listen on a free port of the loopback interface for this endpoint."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        self.receives = 0
        self._lock = threading.Lock()
        self._sends = 0
        self._victim = ""
        self._refusals = 0

    def refused(self, operation: str, entries: list[dict[str, Any]]) -> list[str] | None:
        """Return the ids of the entries to refuse; None for a request that is to be dropped."""
        with self._lock:
            if operation == "ReceiveMessage":
                self.receives += 1
            if operation == "SendMessageBatch":
                self._sends += 1
                if self._sends == DROPPED:
                    return None
                return [entries[0]["Id"]] if self._sends == REFUSING else []
            if operation == "DeleteMessageBatch" and self._refusals < UNDELETED:
                self._victim = self._victim or entries[0]["ReceiptHandle"]
                found = [one["Id"] for one in entries if one["ReceiptHandle"] == self._victim]
                self._refusals += len(found)
                return found
        return []


class _Handler(BaseHTTPRequestHandler):
    server: FaultySqs

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        entries = request.get("Entries", [])
        refused = self.server.refused(operation, entries)
        if refused is None:
            return  # without an answer, the connection is closed
        if refused:
            request["Entries"] = [one for one in entries if one["Id"] not in refused]
        answer: dict[str, Any] = {"Successful": []}
        if "Entries" not in request or request["Entries"]:
            answer = self._ask(request)
        if refused:
            failed = {"SenderFault": False, "Code": "InternalError", "Message": "try later"}
            answer["Failed"] = [*answer.get("Failed", []), *({"Id": i, **failed} for i in refused)]
        with suppress(OSError):  # a mutant may be gone by now
            self._reply(json.dumps(answer).encode())

    def _reply(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = urllib.request.Request(  # noqa: S310 - http:// of an emulator
            self.server.upstream + self.path,
            json.dumps(request).encode(),
            {name: self.headers[name] for name in PASSED_ON},
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 - as above
            return json.loads(answer.read() or b"{}")  # type: ignore[no-any-return]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Print nothing."""


@contextmanager
def faulty(upstream: str) -> Iterator[FaultySqs]:
    """Provide a proxy of the endpoint that misbehaves."""
    with served(FaultySqs(upstream)) as server:
        yield server
