"""Reboot of an instance: user data runs on a machine with systemd, which then boots again."""

from __future__ import annotations

import io
import tarfile
import time
from typing import TYPE_CHECKING, Final

import pytest
from support.emulators.docker import engine_host
from support.emulators.machines import booted
from support.fakes.instance import INSTANCE_ID, user_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from docker import DockerClient
    from support.emulators.machines import Machine

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(300)]

PATIENCE_SECONDS: Final = 60.0
AGENT: Final = "amazon-cloudwatch-agent"
STATE: Final = "/srv/metadata/autoscaling/target-lifecycle-state"
FILES: Final = {
    # The metadata service, which a machine without a network cannot have.
    "usr/local/bin/curl": """#!/bin/sh
for url; do :; done
case $url in
  */api/token) echo token ;;
  *) cat "/srv/metadata/${url#*/meta-data/}" 2>/dev/null || exit 22 ;;
esac
""",
    "srv/metadata/instance-id": INSTANCE_ID,
    STATE[1:]: "InService",
    "srv/parameters/AmazonCloudWatch-shop": "{}",
    "root/user-data": user_data(),
}


@pytest.fixture
def instance(docker_engine: DockerClient, tmp_path: Path) -> Iterator[Machine]:
    """Provide a machine like the AMI: Docker is installed and disabled, little else is there."""
    with booted(docker_engine, engine_host(), "amazon", tmp_path) as machine:
        assert machine.sh("dnf -y -q install docker")[0] == 0
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as files:
            for name, text in FILES.items():
                member = tarfile.TarInfo(name)
                member.mode, member.size = 0o755, len(text.encode())
                files.addfile(member, io.BytesIO(text.encode()))
        assert machine.container.put_archive("/", archive.getvalue())
        yield machine


def calls(machine: Machine) -> list[str]:
    """Return the calls of `docker` and `aws` so far, without their options' values."""
    _, text = machine.sh("cat /var/log/calls")
    return [" ".join(line.split()[:2]) for line in text.splitlines()]


def wait_for(machine: Machine, call: str, times: int) -> None:
    """Wait until the machine has made a call so often."""
    wait_until(machine, lambda: calls(machine).count(call) >= times)


def wait_until(machine: Machine, condition: Callable[[], bool]) -> None:
    """Wait until a condition of the machine holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        log = machine.sh("cat /var/log/cloud-init-output.log; systemctl status worker")[1]
        assert time.monotonic() < deadline, log
        time.sleep(0.2)


def test_docker_worker_and_watcher_come_back_after_a_reboot(instance: Machine) -> None:
    """The AMI does not enable Docker; the unit is enabled, and wants Docker."""
    code, output = instance.sh("/root/user-data")
    assert code == 0, output
    wait_for(instance, "docker inspect", 2)
    assert instance.service("worker") == ("enabled", "active")
    assert instance.service("docker") == ("disabled", "active")
    assert instance.sh("systemd-analyze verify /etc/systemd/system/worker.service") == (0, "")
    before = len(calls(instance))

    instance.container.restart(timeout=30)
    wait_for(instance, "docker inspect", 4)
    assert calls(instance)[before:][:5] == [
        "docker stop",  # by the unit, while the machine shuts down: the consumer drains
        "docker image",
        "docker stop",
        "docker rm",
        "docker run",
    ]
    assert instance.service("worker") == ("enabled", "active")
    assert instance.service("docker") == ("disabled", "active")
    # It is installed beside the consumer; if the reboot interrupted that, it is tried again.
    wait_until(instance, lambda: instance.service(AGENT) == ("enabled", "active"))

    instance.sh(f"printf Terminated > {STATE}")
    wait_for(instance, "aws autoscaling", 1)
    assert "docker stop" in calls(instance)[before + 5 :]
    _, log = instance.sh("cat /var/log/cloud-init-output.log")
    assert "does not start" not in log


def test_a_watcher_that_is_killed_starts_again(instance: Machine) -> None:
    """Without it, nobody would see that the instance is to be terminated."""
    assert instance.sh("/root/user-data")[0] == 0
    wait_for(instance, "docker inspect", 2)
    instance.sh("systemctl kill --signal KILL worker")
    wait_for(instance, "docker inspect", 4)
    assert instance.service("worker") == ("enabled", "active")
    assert calls(instance).count("docker run") == 2
