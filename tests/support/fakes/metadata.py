"""An instance's metadata service over HTTP, version 2, with the answers that a test prepares.

Rules: EC2 user guide, "Use the Instance Metadata Service", and Auto Scaling user guide, "Retrieve
the target lifecycle state through instance metadata".
"""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

from support.emulators.serving import served
from support.fakes import stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TOKEN_PATH: Final = "/latest/api/token"  # noqa: S105 - a path
DATA_PATH: Final = "/latest/meta-data/"
TTL_HEADER: Final = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER: Final = "X-aws-ec2-metadata-token"  # noqa: S105 - a header's name
MAX_TTL: Final = 21_600
NOT_FOUND: Final = 404
OUTAGE: Final = 503
SILENCE: Final = 0
"""The connection closes without an answer."""


class Metadata(ThreadingHTTPServer):
    """Server that gives each path its answers in turn, and then repeats the last one.

    An answer is a text, or a status without one. A path without answers is not found. The
    instance's journal records every request for data, with its answer.
    """

    daemon_threads = True

    def __init__(self, root: Path, answers: Mapping[str, Sequence[str | int]]) -> None:
        """Listen on a free port of the loopback interface."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.tokens: set[str] = set()
        self._answers = {path: list(texts) for path, texts in answers.items()}

    def next_answer(self, path: str) -> str | int:
        """Return the next answer for this path."""
        left = self._answers.get(path, [NOT_FOUND])
        return left.pop(0) if len(left) > 1 else left[0]


class _Handler(BaseHTTPRequestHandler):
    server: Metadata

    def do_PUT(self) -> None:
        ttl = self.headers.get(TTL_HEADER, "")
        if self.path != TOKEN_PATH or not ttl.isdecimal() or not 1 <= int(ttl) <= MAX_TTL:
            self._answer(400)
            return
        token = f"token-{len(self.server.tokens)}"
        answer = self.server.next_answer("token")
        if answer in (OUTAGE, SILENCE):
            self._answer(answer)
            return
        self.server.tokens.add(token)
        self._answer(token)

    def do_GET(self) -> None:
        if self.headers.get(TOKEN_HEADER) not in self.server.tokens:
            self._answer(401)
            return
        self._answer(self.server.next_answer(self.path.removeprefix(DATA_PATH)))

    def _answer(self, answer: str | int) -> None:
        if self.command == "GET":
            path = self.path.removeprefix(DATA_PATH)
            stand_in.record(self.server.root, ["metadata", path, str(answer)])
        if answer == SILENCE:
            self.close_connection = True
            return
        body = answer.encode() if isinstance(answer, str) else b""
        self.send_response(200 if isinstance(answer, str) else answer)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Print nothing, because the journal contains all requests."""


@contextmanager
def serving(root: Path, answers: Mapping[str, Sequence[str | int]]) -> Iterator[int]:
    """Serve the metadata of the instance in this folder; provide the port."""
    with served(Metadata(root, answers)) as server:
        yield server.server_address[1]
