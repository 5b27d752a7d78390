"""Door: the ASGI application in front of an emulator: guard, then disturbance, then emulator."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any, Final

from tidemill.rig.door.calls import (
    Call,
    CutError,
    RefusedError,
    Reply,
    Request,
    refusal,
    undisturbed,
)
from tidemill.rig.door.credentials import CONTROLLERS, FUNCTION
from tidemill.rig.door.guard import MOST_BYTES, too_long

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tidemill.rig.door.calls import Disturbance
    from tidemill.rig.door.guard import Guard

    Message = dict[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Scope = Mapping[str, Any]
    Emulator = Callable[[Call, Scope, Receive], Awaitable[Reply]]
    Lifespan = Callable[[Scope, Receive, Send], Awaitable[None]]
    Control = Callable[[Request], Awaitable[Reply]]

HEALTH: Final = "/_tidemill/health"
"""Answers without a signature whether the endpoint is up, and nothing else."""
CONTROL: Final = "/_tidemill/control"
"""Paths below this one belong to the disturbance; the user and the rig may call them."""
NOT_PASSED: Final = ("access-control-", "content-length", "transfer-encoding", "connection")
"""Header fields of the emulator that are not passed on: what lets foreign pages read, and what
concerns one connection only."""
ONE_SECRET: Final = re.compile(r"[\w-]+", re.ASCII)
"""The end of an open path, without a further part or a query."""
CHUNK_SECONDS: Final = 0.1
"""How often bytes of a slow body are sent."""


class Door:
    """An ASGI application that lets calls of this session's keys through to an emulator."""

    def __init__(
        self,
        guard: Guard,
        emulator: Emulator,
        disturbance: Disturbance = undisturbed,
        control: Control | None = None,
        lifespan: Lifespan | None = None,
        open_paths: tuple[str, ...] = (),
    ) -> None:
        """Put the door in front of an emulator.

        Args:
            guard: decides who may pass.
            emulator: answers a call.
            disturbance: what may happen to calls on their way.
            control: answers requests to paths below CONTROL.
            lifespan: the emulator's own start and end, if it is an ASGI application.
            open_paths: the start of paths to which a PUT needs no signature, because the rest of
                the path is a secret.
        """
        self._guard = guard
        self._emulator = emulator
        self._disturbance = disturbance
        self._control = control
        self._lifespan = lifespan
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the start and end of the server."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await (self._lifespan or _no_lifespan)(scope, receive, send)
        else:  # nothing here needs a web socket
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _read_head(scope)
        try:
            reply = await self._answer(request, scope, receive)
        except RefusedError as error:
            reply = refusal(request, error)
        except CutError:
            await close_connection(send)
            return
        await _send(reply, send)

    def _is_open(self, request: Request) -> bool:
        """Return whether the emulator can read nothing but the path and its secret in a request."""
        start, _, rest = request.target.rpartition("/")
        return (
            f"{start}/" in self._open_paths
            and request.method == "PUT"
            and ONE_SECRET.fullmatch(rest) is not None
            and not any(name.startswith(("x-amz-", "authorization")) for name, _ in request.headers)
        )

    async def _answer(self, request: Request, scope: Scope, receive: Receive) -> Reply:
        self._guard.check_origin(request)
        if request.path == HEALTH and request.method == "GET":
            return Reply(200, (("content-type", "text/plain"),), b"up")
        body = await _read_body(request, receive)
        request = Request(request.method, request.target, request.headers, body)
        if self._is_open(request):
            return await self._emulator(Call(FUNCTION, "", "", request), scope, receive)
        call = self._guard.admit(request, time.time())
        if request.path.startswith(CONTROL):
            if self._control is None or call.caller not in CONTROLLERS:
                raise RefusedError("AccessDenied", f"{call.caller} may not inject faults")
            return await self._control(request)

        async def forward() -> Reply:
            return await self._emulator(call, scope, receive)

        return await self._disturbance(call, forward)


async def close_connection(send: Send) -> None:
    """Close a client's connection without an answer.

    ASGI has no message for it. `send` is a method of Hypercorn's stream, whose own `send` is a
    method of the connection's protocol, and that one's is the method of its server.
    """
    stream = send
    for _ in range(2):
        stream = stream.__self__.send  # type: ignore[attr-defined]  # Hypercorn's bound methods
    writer = stream.__self__.writer  # type: ignore[attr-defined]  # the server of one connection
    writer.transport.abort()
    await asyncio.sleep(0)


def _read_head(scope: Scope) -> Request:
    query = scope.get("query_string", b"")
    target = scope["raw_path"] + (b"?" + query if query else b"")
    headers = tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1").strip())
        for name, value in scope["headers"]
    )
    return Request(scope["method"], target.decode("latin-1"), headers)


async def _read_body(request: Request, receive: Receive) -> bytes:
    """Return the body.

    Raises:
        RefusedError: it has too many bytes.
        CutError: the client has gone.
    """
    length = request.header("content-length")
    if length.isdecimal() and int(length) > MOST_BYTES:
        raise too_long()
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CutError
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise too_long()
        if not message.get("more_body", False):
            return bytes(body)


async def _send(reply: Reply, send: Send) -> None:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in reply.headers
        if not name.lower().startswith(NOT_PASSED)
    ]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body, size = reply.body[: reply.cut_after], len(reply.body)
    if reply.bytes_per_second is not None:
        step = max(1, int(reply.bytes_per_second * CHUNK_SECONDS))
        for start in range(0, len(body), step):
            part = body[start : start + step]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(len(part) / reply.bytes_per_second)
        body = b""
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if reply.cut_after is not None and reply.cut_after <= size:
        await close_connection(send)
    else:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _no_lifespan(_scope: Scope, receive: Receive, send: Send) -> None:
    for answer in ("lifespan.startup.complete", "lifespan.shutdown.complete"):
        await receive()
        await send({"type": answer})
