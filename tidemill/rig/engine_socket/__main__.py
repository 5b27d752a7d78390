"""`python -m tidemill.rig.engine_socket`: the Docker engine's socket for one fleet."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tidemill.rig.containers.options import ENGINE_FOLDER, HANDLERS
from tidemill.rig.engine_socket.relay import serve
from tidemill.rig.engine_socket.rules import FleetRules

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGINE: Final = Path("/var/run/docker.sock")


def read_rules(environment: Mapping[str, str]) -> FleetRules:
    """Return the rules for the fleet that the environment describes.

    FLEET is its name, NETWORK its network, IMAGES its images by commas, HANDLERS the folder of the
    user's handlers on the engine's host, ENGINE the volume with this socket.
    """
    handlers, volume = environment.get("HANDLERS", ""), environment.get("ENGINE", "")
    return FleetRules(
        environment["FLEET"],
        frozenset(filter(None, environment["IMAGES"].split(","))),
        environment["NETWORK"],
        frozenset(
            [
                *([f"{handlers}:{HANDLERS}:ro"] if handlers else []),
                *([f"{volume}:{ENGINE_FOLDER}"] if volume else []),
            ]
        ),
    )


async def main(rules: FleetRules, socket: Path) -> None:
    """Serve until SIGTERM."""
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    serving = asyncio.create_task(serve(rules, ENGINE, socket))
    await asyncio.wait(
        [serving, asyncio.create_task(ending.wait())], return_when=asyncio.FIRST_COMPLETED
    )
    serving.cancel()


if __name__ == "__main__":
    place = Path(ENGINE_FOLDER) / ENGINE.name
    place.unlink(missing_ok=True)
    os.umask(0)  # every user may connect: the folder is mounted where the fleet is, nowhere else
    asyncio.run(main(read_rules(os.environ), place))
