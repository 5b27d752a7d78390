"""Bills of materials: every package that is locked or installed is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tidemill.release.errors import ReleaseError
from tidemill.release.image_inventory import inventory
from tidemill.release.sbom import Component, bill, installed, locked
from tidemill.release.sbom_files import write_bills

if TYPE_CHECKING:
    from collections.abc import Sequence

PROJECT = Path(__file__).parents[2]
HASH = "a" * 64
LOCK = f"""\
Boto3[crt]==1.43.0 \\
    --hash=sha256:{HASH} \\
    --hash=sha256:{"b" * 64}
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:{HASH}
"""


def found(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of an inventory
    """Return what is in an image."""
    packages = [
        {
            "name": "boto3",
            "version": "1.43.0",
            "license": "Apache-2.0",
            "requires": ["six>=1", "x"],
        },
        {"name": "six", "version": "1.17", "license": None, "requires": ["y; extra == 'y'"]},
    ]
    system = [{"name": "libc6", "version": "2.41-12+deb13u1", "architecture": "amd64"}]
    return {
        "python": "3.13.1",
        "packages": packages,
        "system": "debian",
        "system_version": "13",
        "system_packages": system,
        **changes,
    }


def test_a_lock_file_becomes_its_packages_with_hashes() -> None:
    """Names are those of package URLs; some packages are for other systems."""
    one, two = locked(LOCK, "lock")
    assert (one.reference, one.hashes) == ("pkg:pypi/boto3@1.43.0", (HASH, "b" * 64))
    assert (one.optional, two.optional) == (False, True)


@pytest.mark.parametrize(
    "path", sorted(PROJECT.glob("images/*/requirements.txt")), ids=lambda path: path.parent.name
)
def test_every_package_of_the_projects_locks_is_read(path: Path) -> None:
    """As many as there are versions."""
    text = path.read_text(encoding="utf-8")
    assert len(locked(text, path.name)) == text.count("==") - text.count(" == ")


@pytest.mark.parametrize("line", ["boto3>=1", "boto3==1.43.0", "-e .", "./local"])
def test_a_line_that_pins_nothing_is_refused(line: str) -> None:
    """It would be missing in the bill, or have no hash."""
    with pytest.raises(ReleaseError, match="is not NAME==VERSION with a hash"):
        locked(line, "lock")


def test_an_image_is_what_it_says_it_contains() -> None:
    """Python itself, its packages, and the system's."""
    listed = {one.reference: one for one in installed(found(), locked(LOCK, "lock"))}
    libc = "pkg:deb/debian/libc6@2.41-12%2Bdeb13u1?arch=amd64&distro=debian-13"
    assert listed.keys() == {
        "pkg:pypi/boto3@1.43.0",
        "pkg:pypi/six@1.17",
        "pkg:generic/python@3.13.1",
        libc,
    }
    assert listed["pkg:pypi/boto3@1.43.0"].needs == ("pkg:pypi/six@1.17",)
    assert listed["pkg:pypi/boto3@1.43.0"].hashes
    assert listed["pkg:pypi/six@1.17"].needs == ()


@pytest.mark.parametrize("version", ["1.42.0", None], ids=["another version", "none"])
def test_an_image_without_what_is_locked_is_refused(version: str | None) -> None:
    """Its bill would be that of another image."""
    packages: list[dict[str, Any]] = [
        {"name": "boto3", "version": version, "license": None, "requires": []}
    ]
    with pytest.raises(ReleaseError, match=r"the image has not Boto3 1\.43\.0: build it anew"):
        installed(found(packages=packages if version else []), locked(LOCK, "lock"))


def test_a_bill_has_each_component_once_and_the_same_text_each_time() -> None:
    """In order, whatever the order of the components."""
    six = Component("six", "1", "pkg:pypi/six@1")
    boto = Component("boto3", "2", "pkg:pypi/boto3@2", needs=("pkg:pypi/six@1",))
    one, two = (bill("x", "1", "container", each) for each in ([six, boto, six], [boto, six]))
    assert json.dumps(one) == json.dumps(two)
    assert [each["purl"] for each in one["components"]] == ["pkg:pypi/boto3@2", "pkg:pypi/six@1"]
    assert one["dependencies"][0] == {"ref": "pkg:generic/x@1", "dependsOn": ["pkg:pypi/boto3@2"]}


def test_the_inventory_reads_python_and_debian(tmp_path: Path) -> None:
    """Packages that are removed are not installed."""
    status, release = tmp_path / "status", tmp_path / "os-release"
    status.write_text(
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.41\n"
        "Description: C library\n more: text\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n"
    )
    release.write_text('ID=debian\nVERSION_ID="13"\n')
    read: dict[str, Any] = dict(inventory(status, release))
    assert (read["system"], read["system_version"]) == ("debian", "13")
    assert read["system_packages"] == [
        {"name": "libc6", "version": "2.41", "architecture": "amd64"}
    ]
    assert "boto3" in {package["name"] for package in read["packages"]}
    assert inventory(tmp_path / "none", release)["system_packages"] is None


class Docker:
    """Answers for images."""

    def __init__(self, answer: dict[str, Any]) -> None:
        """Answer this."""
        self.commands: list[Sequence[str]] = []
        self._answer = answer

    def answer(self, command: Sequence[str]) -> str:
        """Note the command."""
        self.commands.append(command)
        return json.dumps(self._answer)


def test_the_bills_of_wheel_and_images_are_written(tmp_path: Path) -> None:
    """The images' own Python is asked, without network; what is not known is said."""
    project = tmp_path / "project"
    for name in ("requirements/run.txt", "images/consumer/requirements.txt"):
        (project / name).parent.mkdir(parents=True)
        (project / name).write_text(LOCK)
    (project / "images/producer").mkdir()
    (project / "images/producer/requirements.txt").write_text(LOCK)
    docker = Docker(found(system="alpine", system_packages=None))
    sentences = list(write_bills(project, tmp_path / "sbom", "1.0", docker))
    assert sentences[0].endswith("wheel.cdx.json: 2 components")
    assert sentences[1].endswith(
        "without the packages of its system alpine: only Debian's are read"
    )
    assert [command[-3] for command in docker.commands] == [
        "tidemill/consumer:1.0",
        "tidemill/producer:1.0",
    ]
    assert all("none" in command for command in docker.commands)
    written = json.loads((tmp_path / "sbom/consumer.cdx.json").read_text())
    assert written["metadata"]["component"]["version"] == "1.0"
