"""HTTP server of the API: every request gets one answer, and faults have a path of their own."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from tidemill.rig.autoscaling.actions import run_action
from tidemill.rig.autoscaling.ports import FAULTS
from tidemill.rig.autoscaling.protocol import operation, read_request, write_error, write_result
from tidemill.rig.errors import RigError
from tidemill.scaling.errors import FaultError, RequestError, invalid
from tidemill.scaling.faults import read_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.rig.autoscaling.ports import ServedGroup
    from tidemill.rig.autoscaling.protocol import Answer

MOST_BYTES = 1 << 20
"""The size limit of a request; requests of these actions are far smaller."""

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
def serving(group: ServedGroup, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the API inside the block and yield its URL; port 0 is any free one.

    Raises:
        RigError: the port is not available.
    """
    try:
        server = _Server(group, host, port)
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

    def __init__(self, group: ServedGroup, host: str, port: int) -> None:
        self.group = group
        super().__init__((host, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a client that disconnects in the middle of a request."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        """Answer a request with its fields in the URL."""
        self._send(*answer(self.server.group, urlsplit(self.path).query))

    def do_POST(self) -> None:
        """Answer a request with its fields in the body, or inject a fault."""
        address = urlsplit(self.path)
        if address.path == FAULTS:
            self._inject(dict(parse_qsl(address.query)))
            return
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self._send(*write_error(invalid(f"A request has at most {MOST_BYTES} bytes")))
            return
        body = self.rfile.read(int(length))
        self._send(*answer(self.server.group, body.decode("utf-8", errors="replace")))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Log nothing: the timeline has the effects of requests."""

    def _inject(self, fields: Mapping[str, str]) -> None:
        try:
            target = self.server.group.inject(read_fault(fields))
            self._send(200, target.encode(), "text/plain")
        except (FaultError, RigError) as error:
            self._send(409, str(error).encode(), "text/plain")

    def _send(self, status: int, body: bytes, kind: str = "text/xml") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
