"""A CloudWatch Logs of one group that misbehaves as a test wants, over a real socket."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from enum import Enum, auto
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from support.emulators.programs import PATIENCE
from support.emulators.serving import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GROUP: Final = "/fleet/workers"
JSON: Final = "application/x-amz-json-1.1"


class Mood(Enum):
    """How the service answers."""

    WELL = auto()
    THROTTLED = auto()
    UNAVAILABLE = auto()
    DENIED = auto()
    NO_GROUP = auto()
    EXPIRED = auto()
    HTML = auto()
    """A proxy answers in the service's place."""
    NULL = auto()
    LIST = auto()
    """JSON, and no answer to this call."""
    HANGING = auto()
    """No answer comes until the test has ended."""
    ANSWER_LOST = auto()
    """The events are taken, and the connection ends without an answer."""


ERRORS: Final = {
    Mood.THROTTLED: (400, "ThrottlingException", "Rate exceeded"),
    Mood.UNAVAILABLE: (503, "ServiceUnavailableException", "try later"),
    Mood.DENIED: (400, "AccessDeniedException", "not authorized to perform this"),
    Mood.NO_GROUP: (400, "ResourceNotFoundException", "The specified log group does not exist."),
    Mood.EXPIRED: (400, "ExpiredTokenException", "The security token is expired"),
}


class LogService(ThreadingHTTPServer):
    """Keeps the events that it takes; `mood` may be changed at any time."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port of the loopback interface."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        self.ended = threading.Event()
        self._mood = Mood.WELL
        self._events: list[str] = []
        self._calls: list[tuple[Mood, str]] = []
        self._changed = threading.Condition()

    @property
    def mood(self) -> Mood:
        """Return how it answers now."""
        return self._mood

    @mood.setter
    def mood(self, mood: Mood) -> None:
        with self._changed:
            self._mood = mood

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings of a consumer that writes to it."""
        return {"LOG_GROUP": GROUP, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": self.endpoint}

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Return the lines that it has taken, in the order of their arrival."""
        with self._changed:
            return [json.loads(event) for event in self._events]

    def calls(self, mood: Mood) -> list[str]:
        """Return the operations that were called in this mood."""
        with self._changed:
            return [operation for was, operation in self._calls if was is mood]

    def wait_for(self, wanted: Callable[[], object]) -> None:
        """Wait until this holds; it is asked again after each call."""
        with self._changed:
            assert self._changed.wait_for(wanted, PATIENCE), (self._calls, len(self._events))

    def wait_for_lines(self, event: str, count: int = 1) -> None:
        """Wait until there are so many lines of an event."""
        self.wait_for(lambda: sum(line["event"] == event for line in self.lines) >= count)

    def take(self, operation: str, request: dict[str, Any]) -> Mood:
        """Take the call's events, if the mood lets it; return the mood."""
        with self._changed:
            mood = self._mood
            if mood in {Mood.WELL, Mood.ANSWER_LOST}:
                assert request["logGroupName"] == GROUP
                self._events += [event["message"] for event in request.get("logEvents", [])]
            self._calls.append((mood, operation))
            self._changed.notify_all()
        return mood


class _Handler(BaseHTTPRequestHandler):
    server: LogService
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        mood = self.server.take(self.headers["X-Amz-Target"].rpartition(".")[2], request)
        if mood is Mood.HANGING:
            self.server.ended.wait(PATIENCE)
        if mood in {Mood.HANGING, Mood.ANSWER_LOST}:
            self.close_connection = True
        elif mood is Mood.HTML:
            self._answer(200, b"<html>Welcome to this network</html>", "text/html")
        elif mood in {Mood.NULL, Mood.LIST}:
            self._answer(200, {Mood.NULL: b"null", Mood.LIST: b"[]"}[mood], JSON)
        else:
            status, code, text = ERRORS.get(mood, (HTTPStatus.OK, "", ""))
            error = {"__type": code, "message": text} if code else {}
            self._answer(status, json.dumps(error).encode(), JSON)

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Print nothing, because the record contains all calls."""


@contextmanager
def log_service() -> Iterator[LogService]:
    """Provide a service that answers well at first."""
    with served(LogService()) as service:
        try:
            yield service
        finally:
            service.ended.set()
