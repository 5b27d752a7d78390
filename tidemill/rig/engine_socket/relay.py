"""Relay between a socket for the fleet and the Docker engine's: one request a connection.

The rules see the whole request, so its body is read first. The answer passes as it comes, because a
container's output is followed for as long as it runs.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tidemill.rig.engine_socket.rules import ForbiddenError, check

if TYPE_CHECKING:
    from pathlib import Path

    from tidemill.rig.engine_socket.rules import FleetRules

MOST_HEAD: Final = 64 << 10
MOST_BODY: Final = 1 << 20
"""Size limits of a request; those of a fleet have a few kilobytes."""
CHUNK: Final = 64 << 10
OF_THE_CONNECTION: Final = {
    "connection",
    "content-length",
    "expect",
    "transfer-encoding",
    "upgrade",  # without it, an exec's output comes as an ordinary answer
}


async def serve(rules: FleetRules, engine: Path, socket: Path) -> None:
    """Serve at `socket`, which does not exist yet, until cancelled; `engine` is behind it."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # An engine that is gone, or a client that is, closes the connection without an answer.
        with suppress(OSError, EOFError, asyncio.LimitOverrunError):
            await _relay(rules, engine, reader, writer)
        writer.close()

    server = await asyncio.start_unix_server(relay, socket, limit=MOST_HEAD)
    async with server:
        await server.serve_forever()


async def _relay(
    rules: FleetRules,
    engine: Path,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, _, rest = first.partition(" ")
    target = rest.rpartition(" ")[0]
    fields = [(name.strip().lower(), value.strip()) for name, _, value in map(_split, lines)]
    try:
        body = await _read_body(dict(fields), reader)
        names = await _name_of(engine, target)
        check(rules, method, target, body, lambda given: names.get(given, ""))
    except ForbiddenError as error:
        writer.write(_refusal(f"this fleet's socket does not allow {error}"))
        await writer.drain()
        return
    kept = [f"{name}: {value}" for name, value in fields if name not in OF_THE_CONNECTION]
    sent = [f"{method} {target} HTTP/1.1", *kept, f"content-length: {len(body)}"]
    request = "\r\n".join([*sent, "connection: close", "", ""]).encode("latin-1") + body
    from_engine, to_engine = await asyncio.open_unix_connection(engine)
    try:
        to_engine.write(request)
        await to_engine.drain()
        while part := await from_engine.read(CHUNK):
            writer.write(part)
            await writer.drain()
    finally:
        to_engine.close()


def _split(line: str) -> tuple[str, str, str]:
    return line.partition(":")


async def _read_body(fields: dict[str, str], reader: asyncio.StreamReader) -> bytes:
    """Return the body.

    Raises:
        ForbiddenError: it is too long, or its length is not plain.
    """
    if fields.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    length = fields.get("content-length", "0")
    if "transfer-encoding" in fields or not length.isdecimal() or int(length) > MOST_BODY:
        raise ForbiddenError("a body of this length")
    return await reader.readexactly(int(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = int(await reader.readline(), 16)
        if size > MOST_BODY - len(body):
            raise ForbiddenError("a body of this length")
        body += await reader.readexactly(size)
        await reader.readline()
        if size == 0:
            return body


async def _name_of(engine: Path, target: str) -> dict[str, str]:
    """Return the name of the container that a request is about, by what the request calls it."""
    parts = target.partition("?")[0].split("/")
    if "containers" not in parts or parts[-1] == "containers":
        return {}
    given = parts[parts.index("containers") + 1]
    if given in {"json", "create"} or not given.isalnum():  # an id is hexadecimal
        return {}
    reader, writer = await asyncio.open_unix_connection(engine)
    ask = f"GET /containers/{given}/json HTTP/1.0\r\nhost: docker\r\n\r\n"
    writer.write(ask.encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0]:
        return {}
    return {given: str(json.loads(body)["Name"]).lstrip("/")}


def _refusal(reason: str) -> bytes:
    body = json.dumps({"message": reason}).encode()
    head = "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\nconnection: close\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
