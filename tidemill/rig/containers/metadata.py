"""The instance metadata service, version 2, of one instance that is a container.

Rules: EC2 user guide, "Use the Instance Metadata Service to access instance metadata", and EC2
Auto Scaling user guide, "Retrieve the target lifecycle state through instance metadata". The hop
limit has nothing to limit here: containers reach the service over a network of their own.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from tidemill.rig.errors import RigError
from tidemill.scaling.facts import stamp

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN_PATH: Final = "/latest/api/token"  # noqa: S105 - a path
META_DATA: Final = "/latest/meta-data/"
USER_DATA: Final = "/latest/user-data"
TTL_HEADER: Final = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER: Final = "X-aws-ec2-metadata-token"  # noqa: S105 - a header's name
MAX_TTL: Final = 21_600
ROLE: Final = "worker"
CREDENTIAL_SECONDS: Final = 6 * 3600


@dataclass(slots=True)
class Machine:
    """What the service knows of its instance; the world changes it as the instance goes on.

    `target` is the lifecycle state that Auto Scaling is taking the instance to, `ends_at` when a
    Spot instance that got its notice ends, in epoch seconds of AWS.
    """

    instance: str
    region: str
    user_data: str
    target: str = "InService"
    ends_at: float | None = None


@dataclass(slots=True)
class Tokens:
    """Tokens that were given out, with the moment at which each stops being valid."""

    clock: Callable[[], float] = time.monotonic
    _until: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)  # an instance's programs ask at the same time

    def issue(self, ttl: int) -> str:
        """Return a new token that is valid for `ttl` seconds."""
        now = self.clock()
        token = secrets.token_urlsafe(40)
        with self._lock:
            self._until = {token: until for token, until in self._until.items() if until > now}
            self._until[token] = now + ttl
        return token

    def valid(self, token: str) -> bool:
        """Tell whether this is a token of ours whose time is not over."""
        return self._until.get(token, float("-inf")) > self.clock()


def categories(machine: Machine) -> dict[str, str]:
    """Return what the service tells of its instance, by path below latest/meta-data/."""
    told = {
        "ami-id": "ami-00000000000000000",
        "instance-id": machine.instance,
        "instance-life-cycle": "on-demand",
        "instance-type": "t4g.small",
        "local-hostname": machine.instance,
        "placement/availability-zone": f"{machine.region}a",
        "placement/region": machine.region,
        "autoscaling/target-lifecycle-state": machine.target,
        "iam/security-credentials/": ROLE,
        f"iam/security-credentials/{ROLE}": _credentials(),
    }
    if machine.ends_at is not None:
        ending = stamp(machine.ends_at)
        told["instance-life-cycle"] = "spot"
        told["spot/instance-action"] = json.dumps({"action": "terminate", "time": ending})
        told["spot/termination-time"] = ending
    return told


def listing(told: dict[str, str], path: str) -> str | None:
    """Return the names right below a path, those that go deeper with a slash; None without any."""
    folder = path if not path or path.endswith("/") else f"{path}/"
    below = {name[len(folder) :] for name in told if name.startswith(folder) and name != folder}
    names = {head + slash for head, slash, _ in (name.partition("/") for name in below)}
    return "\n".join(sorted(names)) or None


class MetadataService:
    """Serves one instance's metadata on a port of its own, until it is closed."""

    def __init__(self, machine: Machine, port: int = 0) -> None:
        """Listen on every address, since the instance is on another network; 0 is any free port.

        Raises:
            RigError: the port cannot be had.
        """
        self.machine = machine
        try:
            self._server = _Server(machine, port)
        except OSError as error:
            raise RigError(
                f"the metadata service of {machine.instance} cannot listen on port {port}: "
                f"{error.strerror}"
            ) from error
        self.port: int = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, machine: Machine, port: int) -> None:
        self.machine = machine
        self.tokens = Tokens()
        super().__init__(("", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away in the middle is its own affair."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30

    def do_PUT(self) -> None:
        """Give out a token."""
        ttl = self.headers.get(TTL_HEADER, "")
        if "X-Forwarded-For" in self.headers:
            self._answer(403)
        elif self.path != TOKEN_PATH:
            self._answer(404)
        elif not ttl.isdecimal() or not 1 <= int(ttl) <= MAX_TTL:
            self._answer(400)
        else:
            token = self.server.tokens.issue(int(ttl))
            self._answer(200, token, **{TTL_HEADER: ttl})

    def do_GET(self) -> None:
        """Tell whoever has a token."""
        machine = self.server.machine
        if not self.server.tokens.valid(self.headers.get(TOKEN_HEADER, "")):
            self._answer(401)
        elif self.path == USER_DATA:
            self._answer(200, machine.user_data, kind="application/octet-stream")
        elif self.path.startswith(META_DATA) or self.path == META_DATA.rstrip("/"):
            path, told = self.path[len(META_DATA) :], categories(machine)
            # SDKs put a slash behind some names that are no folders.
            text = told.get(path) or told.get(path.rstrip("/")) or listing(told, path)
            self._answer(404) if text is None else self._answer(200, text)
        else:
            self._answer(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""

    def _answer(
        self, status: int, text: str = "", kind: str = "text/plain", **headers: str
    ) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _credentials() -> str:
    """Return credentials in the shape of a role's; a local AWS checks none."""
    now = time.time()
    return json.dumps(
        {
            "Code": "Success",
            "LastUpdated": stamp(now),
            "Type": "AWS-HMAC",
            "AccessKeyId": "test",
            "SecretAccessKey": "test",
            "Token": "test",
            "Expiration": stamp(now + CREDENTIAL_SECONDS),
        }
    )
