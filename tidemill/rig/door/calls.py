"""Calls, replies and refusals: the values that pass through the door, and its port for faults."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Forward = Callable[[], "Awaitable[Reply]"]
    """Lets the emulator answer the call; may be called once, later, or never."""
    Disturbance = Callable[["Call", Forward], "Awaitable[Reply]"]
    """What may happen to a call on its way: it is asked once for each call that was let in.

    It returns `await forward()` for an undisturbed call. It may answer itself without calling
    `forward`, wait before or after it, change its reply (the emulator has then acted), return a
    reply that is slow or cut, or raise CutError.
    """

Headers = tuple[tuple[str, str], ...]
"""Header fields in the order of the wire; names are in lower case."""

JSON_PROTOCOLS: Final = ("application/x-amz-json", "application/json")
CBOR: Final = "application/cbor"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived; `target` is the path and the query as they were on the wire."""

    method: str
    target: str
    headers: Headers
    body: bytes = field(default=b"", repr=False)

    def values(self, name: str) -> list[str]:
        """Return the values of every header field with this name, in lower case."""
        return [value for given, value in self.headers if given == name]

    def header(self, name: str) -> str:
        """Return the value of a header field; an empty text if it is absent or there are two."""
        found = self.values(name)
        return found[0] if len(found) == 1 else ""

    @property
    def path(self) -> str:
        """Return the path without the query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose signature is right.

    Attributes:
        caller: who signed it: `rig`, `user`, `producer`, or an instance's id.
        service: the service that it is signed for, such as `sqs`, `logs` or `monitoring`.
        operation: the operation, such as `ReceiveMessage`; empty if the protocol has none.
        request: the request itself.
    """

    caller: str
    service: str
    operation: str
    request: Request


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and how it is sent.

    Attributes:
        status: HTTP's status.
        headers: header fields; the length is added.
        body: the body.
        bytes_per_second: how fast the body is sent; None is at once.
        cut_after: the connection is closed after so many bytes of the body; None is never.
    """

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    bytes_per_second: float | None = None
    cut_after: int | None = None


class CutError(Exception):
    """The connection is to be closed without any answer."""


class RefusedError(Exception):
    """The door refuses a request; `code` is AWS's, and the text says why."""

    def __init__(self, code: str, reason: str, status: int = 403) -> None:
        """Refuse a request with an error of AWS's."""
        super().__init__(reason)
        self.code = code
        self.status = status


async def undisturbed(_call: Call, forward: Forward) -> Reply:
    """Disturb nothing."""
    return await forward()


def operation_of(request: Request) -> str:
    """Return the operation that a request calls, by the protocols of AWS that have names for it."""
    target = request.header("x-amz-target")
    if target:  # JSON protocols, such as AmazonSQS.ReceiveMessage
        return target.rpartition(".")[2]
    head, _, name = request.path.rpartition("/operation/")
    if head.startswith("/service/"):  # Smithy RPC v2
        return name
    query = request.target.partition("?")[2]
    for form in (request.body.decode("latin-1"), query):  # the query protocol
        if "Action=" in form and len(form) <= MOST_FORM:
            return parse_qs(form).get("Action", [""])[0]
    return ""


MOST_FORM: Final = 1 << 20
"""A form that is longer is not searched for its action."""


def refusal(request: Request, error: RefusedError) -> Reply:
    """Return the answer to a refused request, in the protocol that its client reads."""
    kind = request.header("content-type") or request.header("accept")
    if request.header("smithy-protocol") == "rpc-v2-cbor" or kind.startswith(CBOR):
        body = _cbor({"__type": error.code, "message": str(error)})
        headers = (("content-type", CBOR), ("smithy-protocol", "rpc-v2-cbor"))
    elif kind.startswith(JSON_PROTOCOLS):
        body = json.dumps({"__type": error.code, "message": str(error)}).encode()
        headers = (("content-type", "application/x-amz-json-1.0"), ("x-amzn-errortype", error.code))
    else:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(error.code)}</Code>"
            f"<Message>{escape(str(error))}</Message></Error></ErrorResponse>"
        ).encode()
        headers = (("content-type", "text/xml"), ("x-amzn-errortype", error.code))
    return Reply(error.status, headers, body)


def _cbor(texts: dict[str, str]) -> bytes:
    """Return a map of texts in CBOR (RFC 8949): a head of 5 bits of kind and count, then texts."""
    parts = [bytes([0xA0 | len(texts)])]
    for text in (part for pair in texts.items() for part in pair):
        data = text.encode()
        parts += [b"\x79", len(data).to_bytes(2, "big"), data]
    return b"".join(parts)
