"""Processors for which this machine's Docker engine can build: its own, and those it emulates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tidemill.release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.release.ports import Commands

_PLATFORMS = re.compile(r"^Platforms:(.*)$", re.MULTILINE)
_PROCESSOR = re.compile(r"linux/(\w+)")


def refuse_foreign_processors(images: Mapping[str, str | None], commands: Commands) -> None:
    """Raise ReleaseError if the engine cannot build one of the images for its processor.

    A build for another processor fails in the first instruction that runs a program, with `exec
    format error`, if the engine's kernel has no emulator for that processor. The builder lists for
    what it can build ("docker buildx inspect"). If it lists nothing, the build is tried.

    Args:
        images: the processor of each image to build, None for the engine's own.
        commands: the program docker.
    """
    if not any(images.values()):
        return
    listed = _PLATFORMS.findall(commands.answer(["docker", "buildx", "inspect", "--bootstrap"]))
    known = {name for line in listed for name in _PROCESSOR.findall(line)}
    for image, processor in images.items():
        if processor and known and processor not in known:
            raise ReleaseError(
                f"this Docker engine cannot build the {image}'s image for {processor}, only for "
                f"{', '.join(sorted(known))}: {_remedy(image, processor)}"
            )


def _remedy(image: str, processor: str) -> str:
    """Return what the user can do; the consumer's processor follows from the stack."""
    emulator = f"docker run --privileged --rm tonistiigi/binfmt --install {processor}"
    if image == "producer":
        return f"install an emulator ({emulator}), or leave ARCH out"
    other = {
        "arm64": "Architecture=x86_64 InstanceTypes=t3a.small,t3a.medium,c7a.medium",
        "amd64": "Architecture=arm64 InstanceTypes=t4g.small,t4g.medium,c7g.medium",
    }[processor]
    return f"install an emulator ({emulator}), or deploy with the parameters {other}"
