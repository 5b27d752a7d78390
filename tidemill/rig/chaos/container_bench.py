"""A fleet of containers under test: MiniStack, a stack, and a controller in a process of its own.

Containers are on the network of this machine, so that they reach the emulator behind its door on
127.0.0.1. A controller that ends is started again, as Docker or systemd would do, and takes over
the containers of the earlier one.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from tidemill.rig.autoscaling.fault_client import send_fault
from tidemill.rig.child_processes import child_environment, end_children, end_leftovers
from tidemill.rig.door.app import HEALTH
from tidemill.rig.door.credentials import USER, Session
from tidemill.rig.door.requests import DIRECT
from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.clients import REGION, LocalClients, aws_errors_translated
from tidemill.rig.local_aws.deployment import deploy
from tidemill.rig.local_aws.ministack import LOG, local_aws
from tidemill.rig.local_aws.queue_probe import QueueProbe
from tidemill.rig.lock import locked
from tidemill.rig.signals import handlers_restored
from tidemill.scaling.fault_kinds import WorldKind
from tidemill.scaling.template.fleet import resolved_fleet
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tidemill.ledger.queues import Queues
    from tidemill.rig.rig import RigOptions
    from tidemill.scaling.faults import Fault

HOST: Final = "127.0.0.1"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 60.0
"""Time for the controller to end its containers in order."""
SECRET: Final = "session"  # noqa: S105 - a file's name
OWNER_ONLY: Final = 0o600


class ContainerBench:
    """A fleet of containers, whose controller is watched."""

    kind: Final = WorldKind.CONTAINERS

    def __init__(
        self, options: RigOptions, clients: LocalClients, queue_url: str, command: Sequence[str]
    ) -> None:
        """Start the controller by this command, whose API is on a port that is added to it."""
        self.folder = options.folder
        self.logs = options.folder / "logs"
        self.speed = options.speed
        self.restarts = 0
        self._clients = clients
        self._queue_url = queue_url
        dead_letters = clients.dead_letter_url(queue_url)
        self._probe = QueueProbe(clients.sqs, queue_url, dead_letters, lambda: True, lambda: None)
        port = _free_port()
        self._url = f"http://{HOST}:{port}"
        self._command = [*command, "--autoscaling-port", str(port)]
        self._controller = self._start("wb")

    def turn(self) -> None:
        """Start the controller again if it has ended."""
        if self._controller.poll() is not None:
            self.restarts += 1
            self._controller = self._start("ab")

    def inject(self, fault: Fault) -> str:
        """Let a fault happen now; return its target."""
        return send_fault(self._url, self._clients.session.keys(USER), fault)

    def waiting(self) -> int:
        """Return how many messages are in the work queue."""
        sample = self._probe.sample()
        return sample.visible + sample.in_flight + sample.delayed

    def look(self) -> Queues:
        """Return what is in both queues."""
        return self._probe.left_over()

    def client_environment(self, caller: str) -> dict[str, str]:
        """Return the environment for a client of the work queue."""
        return {**self._clients.settings(caller), "QUEUE_URL": self._queue_url}

    def close(self) -> None:
        """End the controller, which removes its containers."""
        end_children([self._controller], STOP_SECONDS)

    def _start(self, mode: str) -> subprocess.Popen[bytes]:
        log = self.folder / "controller.log"
        with log.open(mode) as output:
            process = self._spawn(output)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                with DIRECT.open(f"{self._url}{HEALTH}", timeout=1):
                    return process
            except OSError:
                time.sleep(0.05)
        end_children([process], STOP_SECONDS)
        raise RigError(f"the controller does not start: see {log}")

    def _spawn(self, output: IO[bytes]) -> subprocess.Popen[bytes]:
        docker = {name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ}
        return subprocess.Popen(
            self._command,
            env=child_environment(self.folder, docker),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches this process only, which ends its children
        )


@contextmanager
def container_bench(
    options: RigOptions, template: Path, image: str, handlers: Path
) -> Iterator[ContainerBench]:
    """Run a fleet of containers inside the block; at the end of the block, all of it ends.

    Args:
        options: the folder, the template with its parameters, and the speed.
        template: the file with the same template.
        image: the consumer's image.
        handlers: the folder with the handlers, which containers can read.

    Raises:
        RigError: there is no engine or image, or something does not start.
    """
    folder = options.folder
    resolver = Resolver(options.template, options.parameters, Place(options.stack, REGION))
    with handlers_restored(), locked(folder / "bench"), aws_errors_translated(folder / LOG):
        end_leftovers(folder)
        shutil.rmtree(folder / "logs", ignore_errors=True)
        for kept in ("timeline.jsonl", "clock.json"):
            (folder / kept).unlink(missing_ok=True)
        session = Session.fresh()
        secret = folder / SECRET
        secret.unlink(missing_ok=True)
        secret.touch(mode=OWNER_ONLY)
        secret.write_text(session.secret)
        with local_aws(folder, 0, REGION, session) as aws:
            clients = LocalClients(aws.url, session)
            deployment = deploy(resolver, clients)
            fleet = resolved_fleet(resolver.deployed(deployment.physical))
            queue_url = deployment.physical[fleet.queue.logical_id]["Ref"]
            command = [
                *(sys.executable, "-m", "tidemill", "fleet"),
                *("--network", "host", "--host", HOST, "--endpoint-url", aws.url),
                *("--session", str(secret), "--stack", options.stack, "--image", image),
                *("--name", f"soak-{folder.name}", "--handlers", str(handlers.resolve())),
                *("--template", str(template), "--speed", f"{options.speed:g}"),
                *("--boot-seconds", f"{options.times.boot():g}", "--folder", str(folder)),
            ]
            bench = ContainerBench(options, clients, queue_url, command)
            try:
                yield bench
            finally:
                bench.close()
                secret.unlink(missing_ok=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
