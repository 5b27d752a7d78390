"""Inventory of an image: what Python and Debian say is installed, printed as JSON.

The image's own Python runs this text, so it imports the standard library only.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import distributions
from pathlib import Path

DEBIAN = Path("/var/lib/dpkg/status")
RELEASE = Path("/etc/os-release")


def inventory(status: Path = DEBIAN, release: Path = RELEASE) -> dict[str, object]:
    """Return Python's version, its packages, the system's name and its packages.

    The packages of a system other than Debian are not known: None.
    """
    names = _pairs(release.read_text(encoding="utf-8"), "=") if release.is_file() else {}
    return {
        "python": platform.python_version(),
        "packages": sorted(
            (
                {
                    "name": one.metadata["Name"],
                    "version": one.version,
                    "license": one.metadata["License-Expression"] or one.metadata["License"],
                    "requires": one.requires or [],
                }
                for one in distributions()
            ),
            key=lambda package: str(package["name"]).lower(),
        ),
        "system": names.get("ID", "").strip('"'),
        "system_version": names.get("VERSION_ID", "").strip('"'),
        "system_packages": _debian(status) if status.is_file() else None,
    }


def _debian(status: Path) -> list[dict[str, str]]:
    found = []
    for block in status.read_text(encoding="utf-8").split("\n\n"):
        fields = _pairs(block, ":")
        if fields.get("Status", "").endswith(" installed"):
            found.append(
                {
                    "name": fields["Package"],
                    "version": fields["Version"],
                    "architecture": fields["Architecture"],
                }
            )
    return found


def _pairs(text: str, between: str) -> dict[str, str]:
    lines = (line.partition(between) for line in text.splitlines() if line[:1].strip())
    return {name: value.strip() for name, _, value in lines}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(inventory()))
