"""`python -m tidemill.release.sbom_files`: the command behind `make sbom`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from tidemill import __version__
from tidemill.release.commands import LocalCommands
from tidemill.release.errors import ReleaseError
from tidemill.release.sbom import bill, installed, locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER: Final = Path("build/sbom")
IMAGES: Final = ("consumer", "producer")
SCRIPT: Final = Path(__file__).with_name("image_inventory.py")


class Commands(Protocol):
    """Programs of this machine."""

    def answer(self, command: Sequence[str]) -> str:
        """Run a command and return what it prints."""
        ...


def write_bills(project: Path, folder: Path, tag: str, commands: Commands) -> Iterator[str]:
    """Write the bills of the wheel and of both images; yield a sentence about each file.

    Raises:
        ReleaseError: an image is not built, or has not what is locked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = project / "requirements/run.txt"
    components = locked(lock.read_text(encoding="utf-8"), str(lock))
    yield _written(
        folder / "wheel.cdx.json", bill("tidemill", __version__, "application", components)
    )
    for name in IMAGES:
        lock = project / f"images/{name}/requirements.txt"
        image = f"tidemill/{name}:{tag}"
        found = json.loads(commands.answer(_inside(image)))
        components = installed(found, locked(lock.read_text(encoding="utf-8"), str(lock)))
        sentence = _written(
            folder / f"{name}.cdx.json", bill(f"tidemill/{name}", tag, "container", components)
        )
        if found["system_packages"] is None:
            sentence += (
                f"; without the packages of its system {found['system']}: only Debian's are read"
            )
        yield sentence


def _inside(image: str) -> list[str]:
    """Return the command that makes the image's own Python print what is installed."""
    script = SCRIPT.read_text(encoding="utf-8")
    docker = ["docker", "run", "--rm", "--pull", "never", "--network", "none", "--read-only"]
    return [*docker, "--entrypoint", "python3", image, "-c", script]


def _written(file: Path, content: dict[str, Any]) -> str:
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return f"{file}: {len(content['components'])} components"


def main() -> int:
    """Run the command line and return the exit code; every error becomes one line on stderr."""
    parser = argparse.ArgumentParser(prog="python -m tidemill.release.sbom_files")
    parser.add_argument("--tag", default="latest", help="the images' tag")
    options = parser.parse_args()
    try:
        for sentence in write_bills(Path(), FOLDER, options.tag, LocalCommands()):
            sys.stderr.write(f"{sentence}\n")
    except OSError as error:
        sys.stderr.write(
            f"Error: {error.filename}: {error.strerror}: run this in the project's folder\n"
        )
        return 1
    except ReleaseError as error:
        sys.stderr.write(f"Error: {error}\n(build the images first: make images)\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
