"""An endpoint of SQS that gives wrong answers, byte by byte as a test wants them."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias

from shared.sqs.answers import md5_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PATIENCE: Final = 60.0
"""Seconds after which a connection that nobody ends is given up; a passing test needs far fewer."""

Behaviour: TypeAlias = "Callable[[Call], None]"
"""What the server does with a call."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has arrived: its operation, its parameters, and the way back."""

    operation: str
    parameters: Mapping[str, Any]
    connection: socket.socket
    ended: threading.Event

    def answer(self, status: int, body: bytes, *headers: str) -> None:
        """Answer in the ordinary way."""
        head = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
        self.connection.sendall("\r\n".join([*head, "", ""]).encode() + body)

    def drip(self, data: bytes, every: float) -> None:
        """Send a byte now and then, for as long as the other side listens."""
        for byte in data:
            self.connection.sendall(bytes([byte]))
            if self.ended.wait(every):
                return


@dataclass
class WrongServer:
    """The server: `behave` is what it does with each call, `calls` are those so far."""

    endpoint: str
    behave: Behaviour
    calls: list[Call] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def queue_url(self) -> str:
        """Return the URL of a queue of this server."""
        return f"{self.endpoint}/000000000000/work"

    def operations(self) -> list[str]:
        """Return the operations of the calls so far."""
        return [call.operation for call in self.calls]

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection until either side closes it."""
        with connection, connection.makefile("rb") as stream, contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            while not self.ended.is_set() and (read := read_call(stream)):
                call = Call(*read, connection, self.ended)
                self.calls.append(call)
                self.behave(call)


def read_call(stream: IO[bytes]) -> tuple[str, dict[str, Any]] | None:
    """Return operation and parameters of the next request; None if there is no whole one."""
    stream.readline()
    headers = {}
    while (line := stream.readline()) not in {b"\r\n", b""}:
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    body = stream.read(length)
    if not length or len(body) < length:
        return None
    return headers["x-amz-target"].rpartition(".")[2], json.loads(body)


@contextmanager
def wrong_server(behave: Behaviour) -> Iterator[WrongServer]:
    """Run the server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = WrongServer(f"http://127.0.0.1:{listener.getsockname()[1]}", behave)

        def accept() -> None:
            with contextlib.suppress(OSError):  # the listener is closed
                while True:
                    connection, _ = listener.accept()
                    thread = threading.Thread(target=server.serve, args=(connection,), daemon=True)
                    thread.start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield server
        finally:
            server.ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join(PATIENCE)


def right_answer(call: Call) -> dict[str, Any]:
    """Return what SQS would answer; a receive gets one message, whose body is `body`."""
    entries = call.parameters.get("Entries", [])
    match call.operation:
        case "ReceiveMessage":
            return {"Messages": [a_message()]}
        case "SendMessageBatch":
            return {
                "Successful": [
                    {
                        "Id": entry["Id"],
                        "MessageId": f"id-{entry['Id']}",
                        "MD5OfMessageBody": md5_of(entry["MessageBody"]),
                    }
                    for entry in entries
                ],
                "Failed": [],
            }
        case "GetQueueUrl":
            return {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/work"}
        case _:
            return {"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []}


def a_message(**changes: object) -> dict[str, Any]:
    """Return a message as a receive has it."""
    return {
        "MessageId": "m-1",
        "ReceiptHandle": "r-1",
        "Body": "body",
        "MD5OfBody": md5_of("body"),
        "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"},
        **changes,
    }


def be_right(call: Call) -> None:
    """Answer as SQS does."""
    call.answer(200, json.dumps(right_answer(call)).encode())


def say(status: int, body: str | bytes, *headers: str) -> Behaviour:
    """Return the behaviour of an answer that is always the same."""
    data = body.encode() if isinstance(body, str) else body
    return lambda call: call.answer(status, data, *headers)


def refuse(code: str, status: int = 400, text: str = "said so") -> Behaviour:
    """Return the behaviour of refusing a call with one of SQS's error codes."""
    return say(status, json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": text}))


def change(edit: Callable[[dict[str, Any]], object]) -> Behaviour:
    """Return the behaviour of answering as SQS does, but for what `edit` changes."""

    def behave(call: Call) -> None:
        answer = right_answer(call)
        edit(answer)
        call.answer(200, json.dumps(answer).encode())

    return behave


def silent(call: Call) -> None:
    """Answer nothing."""
    call.ended.wait(60)


def cut(call: Call) -> None:
    """Send a part of the right answer, and close the connection."""
    body = json.dumps(right_answer(call)).encode()
    call.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + body)
    call.connection.shutdown(socket.SHUT_RDWR)


def drip_the_head(call: Call) -> None:
    """Send a byte now and then, and come no further than the first header."""
    call.drip(b"HTTP/1.1 200 OK\r\nServer: " + b"a" * 10_000, 0.05)


def drip_the_body(call: Call) -> None:
    """Send spaces before the right answer, which JSON allows, for a very long time."""
    call.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    call.drip(b" " * 100_000, 0.05)


def drip_without_length(call: Call) -> None:
    """Do the same for a body that ends with the connection."""
    call.connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    call.drip(b" " * 100_000, 0.05)


def flood(call: Call) -> None:
    """Answer something that is no HTTP."""
    call.connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" + b"\x00" * 1000)
    call.connection.shutdown(socket.SHUT_RDWR)
