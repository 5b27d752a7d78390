"""Tests of worker processes in a container: its first process, its memory, its few rights."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.docker import container
from support.emulators.ministack import CREDENTIALS
from support.emulators.pools import do
from support.emulators.programs import PATIENCE
from support.examples import misbehaving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient
    from docker.models.containers import Container
    from support.emulators.docker import Images
    from support.emulators.ministack import Ministack

STOP_SECONDS: Final = 60

ZOMBIES: Final = """
import glob
stats = [open(path).read().rpartition(")")[2] for path in glob.glob("/proc/[0-9]*/stat")]
print(sum(stat.split()[0] == "Z" for stat in stats))
"""


class Running:
    """A container of the consumer that works on a queue of this test."""

    def __init__(self, server: Ministack, url: str, started: Container) -> None:
        """Send to the queue at this URL."""
        self.container = started
        self._server = server
        self._url = url

    def send(self, *bodies: dict[str, object]) -> None:
        """Send messages."""
        self._server.send(self._url, *map(json.dumps, bodies))

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of one event so far."""
        output = [json.loads(line) for line in self.container.logs(stderr=False).splitlines()]
        return [line for line in output if line["event"] == event]

    def outcomes(self, count: int) -> list[tuple[str, str]]:
        """Wait for so many attempts; return what each message said and what became of it."""
        deadline = time.monotonic() + PATIENCE
        while len(found := self.lines("message")) < count:
            assert time.monotonic() < deadline, self.container.logs()
            time.sleep(0.1)
        return sorted((line["body"]["do"], line["outcome"]) for line in found)

    def stop(self) -> tuple[int, bytes]:
        """Stop it as `docker stop` does; return exit code and standard error."""
        self.container.stop(timeout=STOP_SECONDS)
        code = self.container.wait(timeout=STOP_SECONDS)["StatusCode"]
        return code, self.container.logs(stdout=False)


@contextmanager
def running(
    engine: DockerClient, images: Images, server: Ministack, memory: str | None = None
) -> Iterator[Running]:
    """Start a consumer with two worker processes and handlers that misbehave."""
    name = f"processes-{uuid.uuid4().hex[:8]}"
    url = server.create_queue(name)
    with tempfile.TemporaryDirectory() as handlers:
        Path(handlers).chmod(0o755)
        shutil.copy(misbehaving.__file__, handlers)
        environment = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": server.endpoint,
            "QUEUE_NAME": name,
            "POLL_WAIT_SECONDS": "0",
            "RECEIVE_WAIT_SECONDS": "1",
            "RETRY_DELAY_SECONDS": "600",
            "HANDLER": "misbehaving:act",
            "WORKERS": "2",
            "PYTHONPATH": "/app:/handlers",
        }
        with container(
            engine,
            images.consumer,
            environment=environment,
            volumes=(f"{handlers}:/handlers:ro",),
            memory=memory,
        ) as started:
            yield Running(server, url, started)


@pytest.mark.parametrize(
    "name", ["exits_at_once", "crashes_the_interpreter", "closes_all_descriptors", "nothing"]
)
def test_a_message_costs_only_itself(
    docker_engine: DockerClient, images: Images, ministack: Ministack, name: str
) -> None:
    """With a read-only file system, no capabilities, and a user that owns nothing."""
    with running(docker_engine, images, ministack) as consumer:
        consumer.send(*[do("nothing")] * 4, do(name, 3 if name == "exits_at_once" else None))
        outcome = "crashed" if name in {"exits_at_once", "crashes_the_interpreter"} else "processed"
        assert consumer.outcomes(5) == sorted([*[("nothing", "processed")] * 4, (name, outcome)])
        stopped = consumer.stop()
        assert stopped == (0, b""), consumer.container.logs()[-1500:]


def test_the_kernel_kills_the_handler_that_uses_all_memory(
    docker_engine: DockerClient, images: Images, ministack: Ministack
) -> None:
    """Not the consumer, which names the message and how large its process was."""
    with running(docker_engine, images, ministack, memory="256m") as consumer:
        consumer.send(do("nothing"), do("uses_all_memory"), do("nothing"))
        assert consumer.outcomes(3) == [
            ("nothing", "processed"),
            ("nothing", "processed"),
            ("uses_all_memory", "crashed"),
        ]
        [ended] = consumer.lines("worker process ended")
        assert ended["signal"] == "SIGKILL"
        assert ended["peak_memory_mib"] > 100
        assert consumer.stop() == (0, b"")


def test_the_first_process_reaps_what_handlers_leave(
    docker_engine: DockerClient, images: Images, ministack: Ministack
) -> None:
    """Otherwise each program that outlives its parent would hold an id for ever."""
    with running(docker_engine, images, ministack) as consumer:
        consumer.send(do("leaves_orphans"), do("leaves_orphans"))
        consumer.outcomes(2)
        time.sleep(8)
        found = consumer.container.exec_run(["python3", "-c", ZOMBIES])
        assert found.output == b"0\n"
        assert consumer.stop() == (0, b"")
