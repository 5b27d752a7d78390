"""Machines for playbooks: containers with systemd as init, and stand-ins for AWS's packages."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.builders.fleets import product_template
from support.emulators.docker import LABEL, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docker import DockerClient
    from docker.models.containers import Container

ANSIBLE: Final = ROOT / "ansible"
BIN: Final = ROOT / ".venv-ansible/bin"
BUILDING: Final = ROOT / "tests/ansible/machine"
"""The folder with the machines' Dockerfile and the stand-ins' files."""

AGENT: Final = "/opt/aws/amazon-cloudwatch-agent"
BOOT_SECONDS: Final = 60
RUN_SECONDS: Final = 200
_UP: Final = (
    'until systemctl is-system-running --wait | grep -E "running|degraded"; do sleep 0.1; done'
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a playbook on one machine.

    `changed` are the names of the tasks that changed something, in order; `failed` are the messages
    of the tasks that failed.
    """

    code: int
    output: str
    changed: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def steady(self) -> bool:
        """Return whether the run succeeded without a change."""
        return self.code == 0 and not self.changed


@dataclass(frozen=True, slots=True)
class Machine:
    """A running machine that playbooks can be applied to."""

    container: Container
    docker_host: str
    facts: Path
    """The folder of the facts that Ansible has gathered, which saves a second in each later run."""

    def sh(self, command: str) -> tuple[int, str]:
        """Run a shell command in the machine; return its exit code and output."""
        done = self.container.exec_run(["sh", "-c", command])
        assert isinstance(done.output, bytes)
        return done.exit_code or 0, done.output.decode()

    def play(self, playbook: str, *options: str, **variables: object) -> Run:
        """Apply a playbook with these variables; `options` are those of the command."""
        done = subprocess.run(
            [
                BIN / "ansible-playbook",
                *("--inventory", f"{self.container.name},"),
                *("--connection", "community.docker.docker"),
                # The engine's connection is root's, and a minimal system has no sudo.
                *("--extra-vars", json.dumps({"target": "all", "ansible_become": False})),
                *("--extra-vars", json.dumps(variables)),
                *options,
                playbook,
            ],
            cwd=ANSIBLE,
            env={
                **environment(),
                "DOCKER_HOST": self.docker_host,
                "ANSIBLE_GATHERING": "smart",
                "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
                "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.facts),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_SECONDS,
        )
        return _run_of(done)

    def service(self, name: str) -> tuple[str, str]:
        """Return whether a service starts at boot, and whether it runs, in systemd's words."""
        asked = [self.sh(f"systemctl {verb} {name}")[1] for verb in ("is-enabled", "is-active")]
        return asked[0].strip(), asked[1].strip()

    def file(self, path: str) -> bytes:
        """Return the content of a file in the machine."""
        chunks, _ = self.container.get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            (member,) = archive.getmembers()
            found = archive.extractfile(member)
            assert found is not None
            return found.read()


@dataclass(frozen=True, slots=True)
class Packages:
    """The agent's stand-in packages as files of the controlling machine, with signatures.

    The signer `agent` takes AWS's place; the signer `stranger` is anybody else, with another key.
    """

    folder: Path

    @property
    def debian(self) -> str:
        """Return the path of the Debian package."""
        return str(self.folder / "amazon-cloudwatch-agent.deb")

    @property
    def sha256(self) -> str:
        """Return the Debian package's SHA-256."""
        return hashlib.sha256(Path(self.debian).read_bytes()).hexdigest()

    def signed_by(self, signer: str, key_of: str = "agent") -> dict[str, str]:
        """Return the role's variables for the package with this signer's signature and this key."""
        return {
            "cloudwatch_agent_package": self.debian,
            "cloudwatch_agent_signature": str(self.folder / f"{signer}.sig"),
            "cloudwatch_agent_key": str(self.folder / f"{key_of}.gpg"),
            "cloudwatch_agent_key_fingerprint": self.fingerprint("agent"),
        }

    def fingerprint(self, signer: str) -> str:
        """Return the fingerprint of a signer's key."""
        return (self.folder / f"{signer}.fingerprint").read_text().split()[0]


def agent_config(stack: str) -> dict[str, Any]:
    """Return the agent's configuration as the template's SSM parameter has it in this stack.

    This reads the template without the filter that the playbooks use, because tests compare both.
    """
    value = product_template()["Resources"]["AgentConfigParameter"]["Properties"]["Value"]
    text, names = value["Fn::Sub"]
    _, _, filters = names.pop("Filters")["Fn::If"]  # the condition is false by default
    given = {**names, "Filters": filters, "HostLogGroup": f"/tidemill/{stack}/hosts"}
    for name, stands_for in given.items():
        text = text.replace(f"${{{name}}}", stands_for)
    return dict(json.loads(text))


def needed_ansible() -> None:
    """Skip the test if `.venv-ansible` is missing, but fail if CI is set."""
    if not (BIN / "ansible-playbook").exists():
        reason = "this test needs .venv-ansible: make ansible"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def environment() -> dict[str, str]:
    """Return the environment for Ansible's programs, without the user's settings or AWS."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE", "AWS"))
    }
    return {
        **kept,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
    }


def run_ansible(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs in the playbooks' folder, with `more` in its environment."""
    needed_ansible()
    return subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=ANSIBLE,
        env={**environment(), "ANSIBLE_STDOUT_CALLBACK": "default", **more},
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def booted(engine: DockerClient, docker_host: str, system: str, facts: Path) -> Iterator[Machine]:
    """Boot a machine, provide it, and remove it; the engine keeps its image from earlier runs.

    Args:
        engine: the engine that it runs in.
        docker_host: where that engine answers, for programs that find it by DOCKER_HOST.
        system: debian, ubuntu or amazon.
        facts: a folder for the facts that Ansible gathers.
    """
    container = engine.containers.run(
        _image(docker_host, system),
        detach=True,
        privileged=True,  # systemd as init needs control groups of its own
        network_mode="none",
        tmpfs={"/run": "", "/tmp": ""},  # noqa: S108 - the machine's own, as systemd wants it
        labels={LABEL: "1"},
    )
    try:
        machine = Machine(container, docker_host, facts)
        # "degraded" is enough: units for the host, such as its kernel modules, fail in a container.
        code, output = machine.sh(f"timeout {BOOT_SECONDS} sh -c '{_UP}'")
        assert code == 0, output or container.logs().decode()
        yield machine
    finally:
        container.remove(force=True, v=True)


def _image(docker_host: str, system: str) -> str:
    name = f"tidemill/machine-{system}:test"
    base = os.environ.get("TIDEMILL_BASE")
    done = subprocess.run(
        [
            *("docker", "build", "--quiet", "--tag", name, "--target", system),
            *(("--build-arg", f"BASE={base}") if base else ()),
            str(BUILDING),
        ],
        env={**os.environ, "DOCKER_HOST": docker_host},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return name


def _run_of(done: subprocess.CompletedProcess[str]) -> Run:
    output = done.stdout + done.stderr
    try:
        report: Mapping[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    except ValueError:
        return Run(done.returncode or 1, output, (), ())
    results = [
        (task["task"]["name"].rpartition(" : ")[2], result)
        for play in report["plays"]
        for task in play["tasks"]
        for result in task["hosts"].values()
    ]
    return Run(
        done.returncode,
        output,
        tuple(name for name, result in results if result.get("changed")),
        tuple(str(result.get("msg")) for _, result in results if result.get("failed")),
    )
