"""Embedded emulator: hands calls to an ASGI application in this process, such as MiniStack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.rig.door.calls import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tidemill.rig.door.app import Emulator, Message, Receive, Scope
    from tidemill.rig.door.calls import Call

    Application = Callable[[Any, Any, Any], Awaitable[None]]


def embedded(application: Application) -> Emulator:
    """Return the emulator that is this ASGI application."""

    async def answer(call: Call, scope: Scope, receive: Receive) -> Reply:
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:  # a long poll waits here for the client's end
                return await receive()
            given = True
            return {"type": "http.request", "body": call.request.body, "more_body": False}

        start: Message = {"status": 500, "headers": []}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        await application(scope, replay, collect)
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]
        )
        return Reply(start["status"], headers, bytes(body))

    return answer
