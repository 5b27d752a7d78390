"""The product's compose project, run with Docker under a name and ports of the test's own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from support.emulators.docker import ROOT
from support.emulators.ministack import OPEN, free_port, local_client

from tidemill.rig.containers.compose import KEYS_OF
from tidemill.rig.containers.options import FLEET_LABEL, INSTANCE_LABEL, ROLE_LABEL
from tidemill.rig.door.credentials import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from docker import DockerClient

FILE: Final = "localstack/compose.yaml"
PROJECT: Final = f"tidemill-test-{os.getpid()}"
"""The name of a project of this run: others on the same engine do not see it."""

LOCALSTACK: Final = "tidemill/localstack:test"
GROUP: Final = "tidemill-workers"
LOG_GROUP: Final = "/tidemill/tidemill/workers"
PATIENCE_SECONDS: Final = 240.0
REGION: Final = "us-east-1"


@dataclass(slots=True)
class Project:
    """A compose project that a test starts; `settings` are its variables."""

    engine: DockerClient
    host: str
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    autoscaling_port: int = field(default_factory=free_port)

    @property
    def name(self) -> str:
        """Return the project's name, which is also the name of its fleet and its containers."""
        return PROJECT

    def healthy(self, service: str) -> bool:
        """Return whether a service's container runs and is healthy."""
        return self.compose("ps", "--format", "{{.Health}}", service).strip() == "healthy"

    def environment(self) -> dict[str, str]:
        """Return the environment for running compose."""
        return {
            **os.environ,
            "DOCKER_HOST": self.host,
            "DOCKER_SOCKET": self.host.removeprefix("unix://"),
            "COMPOSE_PROJECT_NAME": PROJECT,
            "LOCALSTACK_IMAGE": LOCALSTACK,
            "LOCALSTACK_PORT": str(self.port),
            "AUTOSCALING_PORT": str(self.autoscaling_port),
            "SPEED": "30",
            **self.settings,
        }

    def compose(self, *words: str) -> str:
        """Run docker compose, which has to succeed; return its output."""
        done = subprocess.run(
            ["docker", "compose", "--file", FILE, *words],  # noqa: S607 - whichever the user has
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tidemill(self, *words: str, keys: Keys = OPEN) -> subprocess.CompletedProcess[str]:
        """Run the product's command in the project's environment, with these keys."""
        return subprocess.run(
            [sys.executable, "-m", "tidemill", *words],
            cwd=ROOT,
            env={**self.environment(), **keys.environment()},
            capture_output=True,
            text=True,
            check=False,
        )

    def client(self, service: str, port: int | None = None) -> Any:  # noqa: ANN401 - any service's
        """Return a client of LocalStack, or of the service at another port."""
        url = f"http://127.0.0.1:{port or self.port}"
        return local_client(service, url, REGION, keys=self.keys())

    def keys(self) -> Keys:
        """Return the user's keys of the session."""
        pairs = [
            line.removeprefix("export ").partition("=")
            for line in self.compose(*KEYS_OF).splitlines()
        ]
        found = Keys.read({name: value for name, _, value in pairs})
        assert found is not None
        return found

    def produce(self, folder: Path, *words: str) -> dict[str, bool]:
        """Send with the producer's image; return for each message id whether it is poison."""
        folder.chmod(0o777)  # the image's user has no rights here
        self.compose(
            *("run", "--rm", "--volume", f"{folder}:/sent", "producer"),
            *("--sent-log", "/sent/sent.jsonl", *words),
        )
        lines = map(json.loads, (folder / "sent.jsonl").read_text().splitlines())
        return {line["message_id"]: line["poison"] for line in lines if "message_id" in line}

    def running(self, role: str = "instance") -> set[str]:
        """Return the ids of the instances whose container of this role runs."""
        labels = [f"{FLEET_LABEL}={PROJECT}", f"{ROLE_LABEL}={role}"]
        found = self.engine.api.containers(filters={"label": labels, "status": "running"})
        return {item["Labels"][INSTANCE_LABEL] for item in found}

    def consumers(self) -> list[str]:
        """Return the consumers that run beside an instance, as `works` takes them."""
        return [f"{instance}-consumer" for instance in self.running("consumer")]

    def works(self, instance: str) -> bool:
        """Return whether an instance's consumer has processed a message."""
        said: bytes = self.engine.api.logs(f"{PROJECT}-{instance}")
        return b'"event":"message"' in said

    def watch(self, until: Callable[[set[str]], bool]) -> list[int]:
        """Watch the running instances until this condition holds; return how many there were."""
        seen = [len(self.running())]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not until(running := self.running()):
            assert time.monotonic() < deadline, self.compose("logs", "fleet")
            seen.append(len(running))
            time.sleep(0.2)
        return [*seen, len(running)]

    def left(self, name: str) -> int:
        """Return how many messages a queue of the stack contains, in flight ones included."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=f"tidemill-{name}")["QueueUrl"]
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return sum(int(value) for key, value in counts.items() if key.startswith("Approximate"))

    def dead_letters(self) -> set[str]:
        """Return the ids of the messages in the dead-letter queue."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName="tidemill-dead-letters")["QueueUrl"]
        ids: set[str] = set()
        while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            ids |= {message["MessageId"] for message in got}
        return ids

    def logged(self) -> Iterator[dict[str, Any]]:
        """Yield the lines about messages in CloudWatch Logs."""
        pages = self.client("logs").get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=LOG_GROUP):
            for event in page["events"]:
                line = json.loads(event["message"])
                if line["event"] == "message":
                    yield line

    def printed(self) -> Iterator[dict[str, Any]]:
        """Yield the lines about messages that consumers wrote to standard output.

        The controller has copied them to its volume; it need not run any more.
        """
        controller = self.engine.containers.get(f"{PROJECT}-fleet-1")
        chunks, _ = controller.get_archive("/srv/tidemill/build/fleet/logs")
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            files = [archive.extractfile(item) for item in archive if item.name.endswith(".jsonl")]
            for text in chain.from_iterable(file for file in files if file is not None):
                line = json.loads(text)
                if line["event"] == "message":
                    yield line

    def counts_until_deleted(self, name: str) -> dict[str, int]:
        """Return how many messages a queue of the stack had at last before it was deleted."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=f"tidemill-{name}")["QueueUrl"]
        names = {
            "waiting": "ApproximateNumberOfMessages",
            "in flight": "ApproximateNumberOfMessagesNotVisible",
        }
        counts: dict[str, int] = {}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            except sqs.exceptions.QueueDoesNotExist:
                return counts
            counts = {key: int(asked["Attributes"][value]) for key, value in names.items()}
            time.sleep(0.1)
        raise AssertionError(self.compose("logs", "fleet"))

    def remains(self) -> list[str]:
        """Return the names of all containers, networks and volumes that still exist."""
        remains: list[str] = []
        for label in (f"com.docker.compose.project={PROJECT}", f"{FLEET_LABEL}={PROJECT}"):
            filters = {"label": label}
            containers = self.engine.api.containers(all=True, filters=filters)
            networks = self.engine.api.networks(filters=filters)
            volumes = self.engine.api.volumes(filters=filters)["Volumes"] or []
            remains += [item["Names"][0] for item in containers]
            remains += [item["Name"] for item in (*networks, *volumes)]
        return remains
