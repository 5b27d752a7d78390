"""Server of a rig's local AWS: MiniStack behind the door, on 127.0.0.1."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Final

from tidemill.rig.door.app import Door
from tidemill.rig.door.confinement import confine
from tidemill.rig.door.credentials import Session
from tidemill.rig.door.embedded import embedded
from tidemill.rig.door.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Mapping

PORT: Final = "GATEWAY_PORT"
"""MiniStack's own variable for its port."""
SECRET: Final = "TIDEMILL_SESSION"  # noqa: S105 - a variable's name
RUN_FUNCTIONS: Final = "TIDEMILL_RUN_FUNCTIONS"
"""Set to 1 to let the emulator start programs."""
HOST: Final = "127.0.0.1"
RESPONSES: Final = ("/_ministack/cfn-response/",)
"""Where a custom resource's function answers CloudFormation; the rest of the path is random."""
KEEP_ALIVE_SECONDS: Final = 75
"""As MiniStack's own server: longer than botocore keeps a connection without use."""


def main(environment: Mapping[str, str]) -> None:
    """Serve until SIGTERM."""
    session = Session(environment[SECRET])
    port = int(environment[PORT])
    functions = environment.get(RUN_FUNCTIONS) == "1"
    if functions:
        os.environ.update(session.function_keys().environment())  # they get them from MiniStack
        os.environ["AWS_ENDPOINT_URL"] = f"http://{HOST}:{port}"
    else:
        confine()
    del os.environ[SECRET]  # no program that MiniStack starts inherits it
    asyncio.run(_serve(session, port, RESPONSES if functions else ()))


async def _serve(session: Session, port: int, open_paths: tuple[str, ...]) -> None:
    from hypercorn.asyncio import serve  # noqa: PLC0415 - after confinement
    from hypercorn.config import Config  # noqa: PLC0415 - after confinement
    from ministack.app import app  # noqa: PLC0415 - after confinement; the rig imports this module

    from tidemill.rig.chaos.disturbance import CallFaults  # noqa: PLC0415 - after confinement

    logging.getLogger("hypercorn.access").setLevel(logging.WARNING)
    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    faults = CallFaults()
    door = Door(Guard(session), embedded(app), faults, faults.control, app, open_paths)
    await serve(door, config)  # type: ignore[arg-type]  # Hypercorn's own names for ASGI's types
