"""Server of a local AWS behind its door: MiniStack in this process, or an emulator at a URL."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any, Final

from tidemill.rig.door.app import Door
from tidemill.rig.door.confinement import confine
from tidemill.rig.door.embedded import embedded
from tidemill.rig.door.guard import Guard
from tidemill.rig.door.settings import HOST, SECRET, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.rig.door.settings import DoorSettings

RESPONSES: Final = ("/_ministack/cfn-response/",)
"""Where a custom resource's function answers CloudFormation; the rest of the path is random."""
KEEP_ALIVE_SECONDS: Final = 75
"""As MiniStack's own server: longer than botocore keeps a connection without use."""


def main(environment: Mapping[str, str]) -> None:
    """Serve until SIGTERM.

    Raises:
        RigError: a setting is missing or wrong.
    """
    settings = read_settings(environment)
    for caller, folder in settings.keys.items():
        settings.session.keys(caller).write(folder)
    if settings.run_functions:  # they get these from MiniStack
        os.environ.update(settings.session.function_keys().environment())
        os.environ["AWS_ENDPOINT_URL"] = f"http://{HOST}:{settings.port}"
    elif not settings.upstream:
        confine()
    os.environ.pop(SECRET, None)  # no program that MiniStack starts inherits it
    asyncio.run(_serve(settings))


async def _serve(settings: DoorSettings) -> None:
    from hypercorn.asyncio import serve  # noqa: PLC0415 - after confinement
    from hypercorn.config import Config  # noqa: PLC0415 - after confinement

    logging.getLogger("hypercorn.access").setLevel(logging.WARNING)
    config = Config()
    config.bind = [f"{settings.bind}:{settings.port}"]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    await serve(_door(settings), config)  # type: ignore[arg-type]  # Hypercorn's own names for ASGI's types


def _door(settings: DoorSettings) -> Door:
    from tidemill.rig.chaos.disturbance import CallFaults  # noqa: PLC0415 - after confinement

    guard, faults = Guard(settings.session, settings.names), CallFaults()
    if settings.upstream:
        from tidemill.rig.door.upstream import upstream  # noqa: PLC0415 - a rig has none

        return Door(guard, upstream(settings.upstream), faults, faults.control)
    from ministack.app import app  # noqa: PLC0415 - after confinement; the rig imports this module

    ministack: Any = app
    open_paths = RESPONSES if settings.run_functions else ()
    return Door(guard, embedded(ministack), faults, faults.control, ministack, open_paths)
