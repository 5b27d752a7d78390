"""HTTP server of the API: every request gets one answer, and faults have a path of their own.

The guard of the rig's door refuses requests of web pages, and those without the session's keys.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from tidemill.rig.autoscaling.actions import run_action
from tidemill.rig.autoscaling.ports import FAULTS
from tidemill.rig.autoscaling.protocol import operation, read_request, write_error, write_result
from tidemill.rig.door.app import HEALTH
from tidemill.rig.door.calls import RefusedError, Reply, Request, refusal
from tidemill.rig.door.credentials import CONTROLLERS
from tidemill.rig.errors import RigError
from tidemill.scaling.errors import FaultError, RequestError, invalid
from tidemill.scaling.faults import read_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tidemill.rig.autoscaling.ports import ServedGroup
    from tidemill.rig.autoscaling.protocol import Answer
    from tidemill.rig.door.guard import Guard

MOST_BYTES = 1 << 20
"""The size limit of a request; requests of these actions are far smaller."""

TEXT = (("Content-Type", "text/plain"),)
UP = Reply(200, TEXT, b"up")

IDLE_SECONDS = 30
"""A client that sends nothing for so long is disconnected, which frees its thread."""


def answer(group: ServedGroup, form: str) -> Answer:
    """Answer one request.

    Args:
        group: the group that is served.
        form: the request's fields, form-encoded.
    """
    try:
        fields = dict(parse_qsl(form, keep_blank_values=True))
        model = operation(fields.get("Action", ""))
        return write_result(model, run_action(group, model.name, read_request(model, fields)))
    except RequestError as error:
        return write_error(error)
    except Exception as error:  # noqa: BLE001 - each client gets an answer, the server keeps running
        return write_error(RequestError("InternalFailure", repr(error)))


@contextmanager
def serving(
    group: ServedGroup, guard: Guard, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """Serve the API inside the block and yield its URL; port 0 is any free one.

    Args:
        group: the group that is served.
        guard: decides which requests are answered.
        host: the address to listen on.
        port: the port to listen on.

    Raises:
        RigError: the port is not available.
    """
    try:
        server = _Server(group, guard, (host, port))
    except OSError as error:
        raise RigError(
            f"the Auto Scaling API cannot listen on {host}:{port}: {error.strerror}: choose "
            "another port"
        ) from error
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, group: ServedGroup, guard: Guard, address: tuple[str, int]) -> None:
        self.group = group
        self.guard = guard
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a client that disconnects in the middle of a request."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        """Answer a request with its fields in the URL, or say that the server is up."""
        if self.path == HEALTH:
            self._answer(self._health)
        else:
            self._answer(lambda: self._run(urlsplit(self.path).query, self._request()))

    def do_POST(self) -> None:
        """Answer a request with its fields in the body, or inject a fault."""
        self._answer(self._post)

    def do_OPTIONS(self) -> None:
        """Refuse what a browser asks before it lets a foreign page send a request."""
        self._answer(lambda: self._run("", self._request()))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Log nothing: the timeline has the effects of requests."""

    def _health(self) -> Reply:
        self.server.guard.check_origin(self._request())
        return UP

    def _post(self) -> Reply:
        self.server.guard.check_origin(self._request())
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return _reply(write_error(invalid(f"A request has at most {MOST_BYTES} bytes")))
        request = self._request(self.rfile.read(int(length)))
        if request.path != FAULTS:
            return self._run(request.body.decode("utf-8", errors="replace"), request)
        caller = self.server.guard.admit(request, time.time()).caller
        if caller not in CONTROLLERS:
            raise RefusedError("AccessDenied", f"{caller} may not inject faults")
        return self._inject(dict(parse_qsl(urlsplit(self.path).query)))

    def _run(self, form: str, request: Request) -> Reply:
        """Answer an action of a caller that is known."""
        self.server.guard.admit(request, time.time())
        return _reply(answer(self.server.group, form))

    def _inject(self, fields: Mapping[str, str]) -> Reply:
        try:
            target = self.server.group.inject(read_fault(fields))
        except (FaultError, RigError) as error:
            return Reply(409, TEXT, str(error).encode())
        return Reply(200, TEXT, target.encode())

    def _request(self, body: bytes = b"") -> Request:
        headers = tuple((name.lower(), value.strip()) for name, value in self.headers.items())
        return Request(self.command, self.path, headers, body)

    def _answer(self, serve: Callable[[], Reply]) -> None:
        """Send what `serve` returns, or its refusal."""
        try:
            reply = serve()
        except RefusedError as error:
            self.close_connection = True  # the body may not have been read
            reply = refusal(self._request(), error)
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)


def _reply(answered: Answer) -> Reply:
    status, body = answered
    return Reply(status, (("Content-Type", "text/xml"),), body)
