"""Call limits: a call to AWS ends in time, however slowly its answer comes.

The timeouts of botocore are for each operation of a socket ("read" in urllib3's "Timeout"), so an
answer of a byte a second is waited for without end. Here a client's connections note which call
uses them, and a thread shuts the connection of a call whose time is over: whatever the call waits
for (TLS, headers, a body), it ends with an error at once.

A connection is shut through a duplicate of its descriptor, which belongs to the call: TLS moves a
descriptor from one socket object to another, a connection lets go of it while an answer is still
being read, and the number of a closed one may be another file by then.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.client import BaseClient


class LimitedCall:
    """A call under way in one thread; `over` is True once its time is."""

    def __init__(self, deadline: float) -> None:
        """Note until when (monotonic) it may take."""
        self.deadline = deadline
        self.over = False
        self._connections: list[socket.socket] = []

    def use(self, descriptor: int) -> None:
        """Note a connection, and shut it if the time is over already."""
        self._connections.append(socket.socket(fileno=os.dup(descriptor)))
        if self.over:
            self.shut()

    def shut(self) -> None:
        """End all reads and writes of its connections."""
        self.over = True
        for connection in self._connections:
            with suppress(OSError):  # one of the two sides has closed it
                connection.shutdown(socket.SHUT_RDWR)

    def let_go(self) -> None:
        """Leave the connections to other calls."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()


class _Watch:
    """The calls under way, and a thread that ends those whose time is over."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: set[LimitedCall] = set()
        self._thread: threading.Thread | None = None
        self._next = 0.0
        self._current = threading.local()

    def begin(self, call: LimitedCall) -> None:
        """Watch the call that this thread makes."""
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="limits", daemon=True)
                thread.start()
                self._thread = thread
            self._calls.add(call)
            if call.deadline < self._next:
                self._changed.notify()
        self._current.call = call

    def end(self, call: LimitedCall) -> None:
        """Watch it no longer."""
        self._current.call = None
        with self._changed:
            self._calls.discard(call)
            call.let_go()

    def use(self, descriptor: int) -> None:
        """Note a connection of this thread's call, if that has a limit."""
        call: LimitedCall | None = getattr(self._current, "call", None)
        if call is not None:
            with self._changed:
                call.use(descriptor)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for call in [one for one in self._calls if one.deadline <= now]:
                    self._calls.discard(call)
                    call.shut()
                self._next = min((call.deadline for call in self._calls), default=float("inf"))
                self._changed.wait(self._next - now if self._calls else None)


_watch = _Watch()


def _noting(base: Any) -> Any:  # noqa: ANN401 - the types of botocore's connections contradict each other
    """Return botocore's class of connections, which note that a call uses them."""

    class Connection(base):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:  # before the handshake of TLS
            made: socket.socket = super()._new_conn()
            _watch.use(made.fileno())
            return made

        def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as above
            if self.sock is not None:  # perhaps a connection of an earlier call
                _watch.use(self.sock.fileno())
            super().request(*args, **kwargs)

    return Connection


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _noting(AWSHTTPConnection)


class _SecurePool(AWSHTTPSConnectionPool):
    ConnectionCls = _noting(AWSHTTPSConnection)


def use_limits(client: BaseClient) -> None:
    """Let `limited` limit this client's calls; for a client that has made none yet."""
    # botocore has no public way to other classes of connections.
    session = client._endpoint.http_session  # type: ignore[attr-defined]  # noqa: SLF001 - see above
    session._pool_classes_by_scheme.update(http=_Pool, https=_SecurePool)  # noqa: SLF001 - see above


@contextmanager
def limited(seconds: float) -> Iterator[LimitedCall]:
    """End the call that this thread makes inside the block after these seconds.

    It then raises an error of botocore, as if the other side had closed the connection, and the
    call that the block is given is `over`.
    """
    call = LimitedCall(time.monotonic() + seconds)
    _watch.begin(call)
    try:
        yield call
    finally:
        _watch.end(call)
