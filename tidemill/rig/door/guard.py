"""Guard: decides who may pass, before an emulator sees anything of a request.

A page of a foreign site in the user's browser can send requests to a port of this machine. Its
requests carry an Origin or a Sec-Fetch-Site; after DNS rebinding they carry a foreign Host; and it
does not know the session's keys. Any one of the three is enough to refuse it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tidemill.rig.door.calls import Call, RefusedError, operation_of
from tidemill.rig.door.signature import check_signature

if TYPE_CHECKING:
    from tidemill.rig.door.calls import Request
    from tidemill.rig.door.credentials import Session

MOST_BYTES: Final = 32 << 20
"""The size limit of a request. SQS takes 1 MiB, CloudWatch Logs as well."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})
PORT: Final = re.compile(r":\d+$")
OWN_SITES: Final = {"", "none"}
"""Values of Sec-Fetch-Site that no foreign page causes: a client that is no browser sends none."""


def is_name(host: str, names: frozenset[str]) -> bool:
    """Return whether a Host, with or without a port, is one of these names."""
    return PORT.sub("", host.lower()) in names


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard for one endpoint; `names` are the host names under which clients reach it."""

    session: Session
    names: frozenset[str] = LOOPBACK

    def check_origin(self, request: Request) -> None:
        """Refuse what a foreign page sends, and what was sent to another host's name.

        This is checked before the body is read.

        Raises:
            RefusedError: the request has an Origin, a foreign site, or a foreign Host.
        """
        origin = request.values("origin")
        if origin:
            raise RefusedError("AccessDenied", f"requests of web pages are refused: {origin[0]}")
        if not set(request.values("sec-fetch-site")) <= OWN_SITES:
            raise RefusedError("AccessDenied", "requests of web pages are refused")
        host = request.header("host")
        if not is_name(host, self.names):
            raise RefusedError("AccessDenied", f"this endpoint has no name {host!r}")

    def admit(self, request: Request, now: float) -> Call:
        """Return who calls what.

        Raises:
            RefusedError: the request is not signed with the keys of this session.
        """
        self.check_origin(request)
        signer = check_signature(self.session, request, now)
        return Call(signer.caller, signer.service, operation_of(request), request)


def too_long() -> RefusedError:
    """Return the error for a request with too many bytes."""
    return RefusedError("RequestTooLong", f"a request has at most {MOST_BYTES} bytes", 413)
