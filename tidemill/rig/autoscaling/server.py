"""Serves the API over HTTP: one request in, one answer out, whatever the request is."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from tidemill.rig.autoscaling.actions import run_action
from tidemill.rig.autoscaling.ports import INTERRUPT
from tidemill.rig.autoscaling.protocol import operation, read_request, write_error, write_result
from tidemill.rig.errors import RigError
from tidemill.scaling.errors import RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.rig.autoscaling.ports import Group
    from tidemill.rig.autoscaling.protocol import Answer

MOST_BYTES = 1 << 20
"""No request of these actions comes near a megabyte; what is larger is not read."""

QUIET_SECONDS = 30
"""A client that sends nothing for so long is let go, so that it holds no thread for ever."""


def answer(group: Group, form: str) -> Answer:
    """Answer one request.

    Args:
        group: has the group.
        form: the request's fields, form-encoded.
    """
    try:
        fields = dict(parse_qsl(form, keep_blank_values=True))
        model = operation(fields.get("Action", ""))
        return write_result(model, run_action(group, model.name, read_request(model, fields)))
    except RequestError as error:
        return write_error(error)
    except Exception as error:  # noqa: BLE001 - whoever asks gets an answer, the server stays up
        return write_error(RequestError("InternalFailure", repr(error)))


@contextmanager
def serving(group: Group, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the API inside the block and yield its URL; port 0 is any free one.

    Raises:
        RigError: the port cannot be had.
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

    def __init__(self, group: Group, host: str, port: int) -> None:
        self.group = group
        super().__init__((host, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away in the middle is its own affair."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = QUIET_SECONDS

    def do_GET(self) -> None:
        """Answer a request whose fields are in its address."""
        self._send(*answer(self.server.group, urlsplit(self.path).query))

    def do_POST(self) -> None:
        """Answer a request whose fields are in its body, or interrupt a Spot instance."""
        place = urlsplit(self.path)
        if place.path == INTERRUPT:
            self._interrupt(dict(parse_qsl(place.query)).get("instance"))
            return
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self._send(*write_error(invalid(f"A request has at most {MOST_BYTES} bytes")))
            return
        body = self.rfile.read(int(length))
        self._send(*answer(self.server.group, body.decode("utf-8", errors="replace")))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: the timeline tells what requests do."""

    def _interrupt(self, instance: str | None) -> None:
        try:
            self._send(200, self.server.group.interrupt(instance).encode(), "text/plain")
        except RigError as error:
            self._send(409, str(error).encode(), "text/plain")

    def _send(self, status: int, body: bytes, kind: str = "text/xml") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
