"""An imagined instance: runs a launch template's user data for real, with stand-ins around it.

The script finds no command but stand-ins and a few harmless ones on its PATH, its absolute paths
lie in a folder of the test, and its requests for instance metadata reach a server of the test.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sysconfig
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pytest
from support.builders.fleets import product_template
from support.fakes import stand_in
from support.fakes.metadata import serving

from tidemill.scaling.template.fleet import read_fleet
from tidemill.scaling.template.place import Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INSTANCE_ID: Final = "i-0123456789abcdef0"
REPOSITORY: Final = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/consumer"
PLACE: Final = Place(
    stack="shop",
    region="eu-west-1",
    account="111122223333",
    physical={
        "AgentConfigParameter": {"Ref": "AmazonCloudWatch-shop"},
        "ConsumerRepository": {"RepositoryUri": REPOSITORY},
    },
)
MOVED: Final = ("/usr/local/bin/", "/opt/aws/", "/etc/systemd/", "/root", "/dev/console")
"""Folders, and a device, that lie below the test's own folder here."""
STAND_INS: Final = ("docker", "systemctl", "dnf", "poweroff", "sleep")
HARMLESS: Final = ("install", "tee", "timeout")
"""Real commands that the script may use; it also uses commands that are part of bash."""
LONGEST_SECONDS: Final = 60.0
UP: Final = "running, 0 restarts"
"""What Docker reports about a consumer that works."""


FLAGS: Final = {"--detach", "--init", "--read-only"}
"""Options of `docker run` that take no value."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Failures of calls that begin with these words: of the `at`-th one, or with 0 of every one.

    A call that hangs returns only when the instance is powered off. A call that takes long
    succeeds, but later than every time limit of the script.
    """

    call: tuple[str, ...]
    at: int = 0
    how: Literal["fails", "hangs", "takes long"] = "fails"


@dataclass(frozen=True, slots=True)
class Life:
    """What an instance did, from its first boot until no process was left.

    `calls` are its commands with their arguments and its requests for metadata, in order;
    `output` is the content of the boot log, `console` what it wrote to the console.
    """

    root: Path
    calls: tuple[tuple[str, ...], ...]
    output: str
    console: str

    def of(self, *words: str) -> list[tuple[str, ...]]:
        """Return the calls that begin with these words, in order."""
        return [call for call in self.calls if call[: len(words)] == words]

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """Return the calls without metadata requests and waiting."""
        return [call for call in self.calls if call[0] not in ("metadata", "sleep")]


def docker_options(call: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the options of a `docker run`, each with its value, and the image as the last."""
    words = list(call[2:])
    found = []
    while words:
        word = words.pop(0)
        takes_value = word.startswith("--") and word not in FLAGS
        found.append((word, words.pop(0) if takes_value else ""))
    return found


def consumer_environment(life: Life) -> dict[str, str]:
    """Return the environment that the instance gave its consumer."""
    (run,) = life.of("docker", "run")
    given = [value.partition("=") for name, value in docker_options(run) if name == "--env"]
    return {name: value for name, _, value in given}


def user_data(**parameters: str) -> str:
    """Return the product's user data as an instance gets it."""
    return read_fleet(product_template(), parameters, PLACE).user_data


def live(  # noqa: PLR0913 - all that can be different about an instance
    root: Path,
    script: str | None = None,
    *,
    failures: Sequence[Failure] = (),
    metadata: Mapping[str, Sequence[str | int]] | None = None,
    installed: Sequence[str] = tuple(stand_in.PACKAGES),
    images: Sequence[str] = (),
    states: Sequence[str] = (UP,),
    boots: int = 1,
) -> Life:
    """Boot an instance with this script (by default the product's own) and wait for its end.

    Args:
        root: an empty folder.
        script: the user data.
        failures: calls that fail.
        metadata: answers of the metadata service, by path; by default the instance is to be
            terminated soon.
        installed: packages that the instance's image has.
        images: the containers' images that the instance already has.
        states: what Docker reports about the consumer, one by one; the last one is repeated.
        boots: how often the instance boots; user data runs only the first time.
    """
    answers = {
        "token": ["ok"],
        "instance-id": [INSTANCE_ID],
        "autoscaling/target-lifecycle-state": ["InService", "Terminated"],
    } | dict(metadata or {})
    _furnish(root, installed)
    (root / "plan").write_text(json.dumps([asdict(each) for each in failures]), encoding="utf-8")
    (root / "images").write_text("\n".join(images), encoding="utf-8")
    (root / "states").write_text("\n".join(states), encoding="utf-8")
    (root / "journal").touch()
    program = root / "user-data"
    program.write_text(moved(script or user_data(), root), encoding="utf-8")
    program.chmod(0o755)
    with serving(root, answers) as port:
        _real_curl(root, port)
        _run(root, program)
        if (root / "enabled").exists():
            for _ in range(boots):
                _run(root, Path(unit(root)["ExecStart"]))
    console = root / "dev/console"
    return Life(
        root=root,
        calls=tuple(tuple(call) for call in stand_in.recorded(root)),
        output=(root / "output").read_text(encoding="utf-8"),
        console=console.read_text(encoding="utf-8") if console.exists() else "",
    )


def unit(root: Path) -> dict[str, str]:
    """Return the settings of the systemd unit that an instance enabled."""
    name = (root / "enabled").read_text(encoding="utf-8")
    text = (root / f"etc/systemd/system/{name}.service").read_text(encoding="utf-8")
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def moved(script: str, root: Path) -> str:
    """Return the script with its folders replaced by ones below this folder."""
    for folder in MOVED:
        script = re.sub(rf"(?<![\w/]){re.escape(folder)}", f"{root}{folder}", script)
    return script


def _furnish(root: Path, installed: Sequence[str]) -> None:
    for name in STAND_INS:
        stand_in.install(root, f"bin/{name}")
    for package in installed:
        stand_in.install(root, stand_in.PACKAGES[package])
    for name in HARMLESS:
        (root / "bin" / name).symlink_to(needed_command(name))
    for folder in ("usr/local/bin", "etc/systemd/system", "root", "dev"):
        (root / folder).mkdir(parents=True)


def _real_curl(root: Path, port: int) -> None:
    """Give the instance the real curl, connected to the test's metadata service."""
    curl = root / "bin" / "curl"
    curl.write_text(
        f'#!/bin/sh\nexec "{needed_command("curl")}" '
        f'--connect-to 169.254.169.254:80:127.0.0.1:{port} "$@"\n',
        encoding="utf-8",
    )
    curl.chmod(0o755)


def needed_command(name: str) -> str:
    """Return a command's path; without it the test skips, but fails if CI is set."""
    found = shutil.which(name, path=f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"this test needs {name}")
    return found


def _run(root: Path, program: Path) -> None:
    """Run a program of the instance to its end, and end all that it started."""
    with (root / "output").open("ab") as output:
        process = subprocess.Popen(
            [program],
            cwd=root,
            env={"PATH": f"{root}/bin"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            process.wait(LONGEST_SECONDS)
        finally:
            with suppress(ProcessLookupError):  # nothing was left
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
