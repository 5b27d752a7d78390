"""Instance metadata service, version 2, for one instance that is a container.

Rules: EC2 user guide, "Use the Instance Metadata Service to access instance metadata", and EC2
Auto Scaling user guide, "Retrieve the target lifecycle state through instance metadata". The hop
limit is not imitated: containers reach the service over a network of their own.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from tidemill.rig.door.guard import LOOPBACK, is_name
from tidemill.rig.errors import RigError
from tidemill.scaling.facts import stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.rig.door.credentials import Keys

VERSIONED_TOKEN_PATH: Final = re.compile(r"/(?!latest/)[^/]+/api/token")
"""The token's path with a version, such as /2021-03-23/api/token, which is forbidden."""
LISTED: Final = {"/": "latest", "/latest/": "meta-data\nuser-data"}
"""The listings above the metadata; this service has one version, and no dynamic data."""
TOKEN_PATH: Final = "/latest/api/token"  # noqa: S105 - a path
META_DATA: Final = "/latest/meta-data/"
USER_DATA: Final = "/latest/user-data"
TTL_HEADER: Final = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER: Final = "X-aws-ec2-metadata-token"  # noqa: S105 - a header's name
MAX_TTL: Final = 21_600
EC2_ADDRESS: Final = "169.254.169.254"
ROLE: Final = "worker"
CREDENTIAL_SECONDS: Final = 6 * 3600


@dataclass(slots=True)
class InstanceMetadata:
    """Data of an instance that the service returns; the world updates them.

    `keys` are its role's credentials. `target` is the target lifecycle state of Auto Scaling.
    `ends_at` is when a Spot instance is terminated after its notice, in epoch seconds of AWS's
    time, None without a notice. `down` is whether each request gets an error instead of an answer.
    """

    instance: str
    region: str
    user_data: str
    keys: Keys
    target: str = "InService"
    ends_at: float | None = None
    down: bool = False


@dataclass(slots=True)
class Tokens:
    """Tokens that were issued, with the time at which each expires."""

    clock: Callable[[], float] = time.monotonic
    _until: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(
        default_factory=Lock
    )  # several programs of an instance may request tokens at the same time

    def issue(self, ttl: int) -> str:
        """Return a new token that is valid for `ttl` seconds."""
        now = self.clock()
        token = secrets.token_urlsafe(40)
        with self._lock:
            self._until = {token: until for token, until in self._until.items() if until > now}
            self._until[token] = now + ttl
        return token

    def valid(self, token: str) -> bool:
        """Return whether this token was issued and has not expired."""
        return self._until.get(token, float("-inf")) > self.clock()


def categories(metadata: InstanceMetadata) -> dict[str, str]:
    """Return the metadata of an instance by path below latest/meta-data/."""
    found = {
        "ami-id": "ami-00000000000000000",
        "instance-id": metadata.instance,
        "instance-life-cycle": "on-demand",
        "instance-type": "t4g.small",
        "local-hostname": metadata.instance,
        "placement/availability-zone": f"{metadata.region}a",
        "placement/region": metadata.region,
        "autoscaling/target-lifecycle-state": metadata.target,
        "iam/security-credentials/": ROLE,
        f"iam/security-credentials/{ROLE}": _credentials(metadata.keys),
    }
    if metadata.ends_at is not None:
        ending = stamp(metadata.ends_at)
        found["instance-life-cycle"] = "spot"
        found["spot/instance-action"] = json.dumps({"action": "terminate", "time": ending})
        found["spot/termination-time"] = ending
    return found


def listing(categories: dict[str, str], path: str) -> str | None:
    """Return the names directly below a path, one per line, folders with a slash; None if empty."""
    folder = path if not path or path.endswith("/") else f"{path}/"
    below = {
        name[len(folder) :] for name in categories if name.startswith(folder) and name != folder
    }
    names = {head + slash for head, slash, _ in (name.partition("/") for name in below)}
    return "\n".join(sorted(names)) or None


class MetadataService:
    """A server for one instance's metadata, on its own port, until it is closed."""

    def __init__(
        self, metadata: InstanceMetadata, port: int = 0, names: frozenset[str] = LOOPBACK
    ) -> None:
        """Listen on every address, since the instance is on another network.

        Args:
            metadata: what is served.
            port: the port to listen on; 0 is any free one.
            names: the host names by which the instance reaches it, beside EC2's own address.

        Raises:
            RigError: the port is not available.
        """
        self.metadata = metadata
        try:
            self._server = _Server(metadata, port, names)
        except OSError as error:
            raise RigError(
                f"the metadata service of {metadata.instance} cannot listen on port {port}: "
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

    def __init__(self, metadata: InstanceMetadata, port: int, names: frozenset[str]) -> None:
        self.metadata = metadata
        self.names = names | {EC2_ADDRESS}
        self.tokens = Tokens()
        super().__init__(("", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a client that disconnects in the middle of a request."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30

    def do_PUT(self) -> None:
        """Issue a token."""
        ttl = self.headers.get(TTL_HEADER, "")
        named = is_name(self.headers.get("Host", ""), self.server.names)  # else it is a web page's
        if (
            not named
            or "X-Forwarded-For" in self.headers
            or VERSIONED_TOKEN_PATH.fullmatch(self.path)
        ):
            self._answer(403)
        elif self.path != TOKEN_PATH:
            self._answer(404)
        elif not ttl.isdecimal() or not 1 <= int(ttl) <= MAX_TTL:
            self._answer(400)
        else:
            token = self.server.tokens.issue(int(ttl))
            self._answer(200, token, **{TTL_HEADER: ttl})

    def do_GET(self) -> None:
        """Return metadata or user data to a client with a valid token."""
        metadata = self.server.metadata
        if not self.server.tokens.valid(self.headers.get(TOKEN_HEADER, "")):
            self._answer(401)
        elif self.path == USER_DATA and metadata.user_data:
            self._answer(200, metadata.user_data, kind="application/octet-stream")
        elif self.path in LISTED:
            self._answer(200, LISTED[self.path])
        elif self.path.startswith(META_DATA) or self.path == META_DATA.rstrip("/"):
            path, found = self.path[len(META_DATA) :], categories(metadata)
            # SDKs add a slash to some names that are not folders.
            text = found.get(path) or found.get(path.rstrip("/")) or listing(found, path)
            self._answer(404) if text is None else self._answer(200, text)
        else:
            self._answer(404)

    def do_HEAD(self) -> None:
        """Answer as to a GET, without the body."""
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Log nothing."""

    def _answer(
        self, status: int, text: str = "", kind: str = "text/plain", **headers: str
    ) -> None:
        if self.server.metadata.down:
            status, text, headers = 503, "", {}
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _credentials(keys: Keys) -> str:
    """Return keys in the form of a role's credentials, with a token that no door checks."""
    now = time.time()
    return json.dumps(
        {
            "Code": "Success",
            "LastUpdated": stamp(now),
            "Type": "AWS-HMAC",
            "AccessKeyId": keys.access_key,
            "SecretAccessKey": keys.secret_key,
            "Token": "any",
            "Expiration": stamp(now + CREDENTIAL_SECONDS),
        }
    )
