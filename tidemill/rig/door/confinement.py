"""Confinement: keeps an emulator from starting programs, and from other machines.

Emulators of AWS run the code of functions, container tasks and builds as the user who started them,
and talk to the Docker engine. A rig needs none of that: by an audit hook of Python, which cannot be
removed, this process refuses it (Python's library reference, "Audit events table").
"""

from __future__ import annotations

import re
import sys
from typing import Final

PROGRAMS: Final = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "subprocess.Popen",
    }
)
"""Events of starting a program."""
SOCKETS: Final = frozenset({"socket.bind", "socket.connect", "socket.sendmsg", "socket.sendto"})
"""Events of serving at an address, of connecting to one, and of sending to one."""
LOCAL: Final = re.compile(r"127(\.\d{1,3}){3}|localhost|::1")
"""The addresses of this machine that no other one reaches."""


class ConfinedError(PermissionError):
    """The emulator is not allowed to do this."""


def confine() -> None:
    """Refuse programs, Docker's socket and other machines in this process from now on."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in PROGRAMS:
        raise ConfinedError(
            "this local AWS runs no functions, builds or containers: start it with --run-functions "
            "to allow that"
        )
    if event in SOCKETS and (address := arguments[1]) is not None:  # otherwise it is connected
        host = address[0] if isinstance(address, tuple) else None
        if not (isinstance(host, str) and LOCAL.fullmatch(host)):
            raise ConfinedError(f"this local AWS neither reaches nor serves {address!r}")
