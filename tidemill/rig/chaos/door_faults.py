"""Faults of an emulator of AWS behind a door: sent to the door, or carried out on its process."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from http.client import HTTPException
from threading import Timer
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError

from tidemill.rig.chaos.disturbance import SPEED
from tidemill.rig.door.app import CONTROL
from tidemill.rig.door.requests import DIRECT, signed
from tidemill.rig.errors import RigError
from tidemill.scaling.faults import write_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemill.rig.door.credentials import Keys
    from tidemill.scaling.faults import Fault

ANSWER_SECONDS: Final = 10
LAST_ANSWER_SECONDS: Final = 0.2
KILLED: Final = 137
"""The exit code that a shell reports for SIGKILL."""


def end_at_once() -> None:
    """End this process as SIGKILL does, once the request for that is answered.

    A process that is the first one of a container cannot send SIGKILL to itself.
    """
    Timer(LAST_ANSWER_SECONDS, os._exit, [KILLED]).start()


@dataclass(frozen=True, slots=True)
class DoorFaults:
    """What faults can do to an emulator.

    Attributes:
        endpoint: the URL of its door.
        keys: the keys of the rig, which may inject faults.
        breaks: by kind, what carries out a fault of the rig's own programs.
    """

    endpoint: str
    keys: Keys
    breaks: Mapping[str, Callable[[], None]]

    def disturb(self, fault: Fault, speed: float) -> None:
        """Let a fault happen to the calls of its target, from now on until its end.

        Raises:
            RigError: the emulator has no door that can do so, or does not answer.
        """
        body = json.dumps({**write_fault(fault), SPEED: str(speed)}).encode()
        request = signed(self.keys, f"{self.endpoint}{CONTROL}/faults", method="POST", body=body)
        try:
            with DIRECT.open(request, timeout=ANSWER_SECONDS):
                pass
        except HTTPError as error:
            with error:
                reason = error.read().decode(errors="replace") or str(error)
            raise RigError(f"the door of the local AWS refuses the fault: {reason}") from error
        except (OSError, HTTPException) as error:
            raise RigError(f"the door of the local AWS does not answer: {error}") from error

    def break_off(self, fault: Fault) -> None:
        """End one of the rig's own programs, and start it again.

        Raises:
            RigError: this rig cannot do so, or the program does not start again.
        """
        if fault.kind not in self.breaks:
            raise RigError(f"this rig cannot imitate the fault {fault.kind}")
        self.breaks[fault.kind]()
