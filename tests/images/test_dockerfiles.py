"""Tests of the two Dockerfiles, without building them."""

from __future__ import annotations

from support.emulators.docker import ROOT

DESCRIPTION = "org.opencontainers.image.description="


def recipe(program: str) -> list[str]:
    """Return the lines of a Dockerfile, without its description and with PROGRAM as its name."""
    text = (ROOT / f"images/{program}/Dockerfile").read_text()
    return [
        line.replace(program, "PROGRAM") for line in text.splitlines() if DESCRIPTION not in line
    ]


def test_both_images_are_built_by_the_same_recipe() -> None:
    """The Dockerfiles of consumer and producer differ in the program's name and description only.

    Each program keeps a Dockerfile of its own, so that `docker build --file` needs no further
    argument and the exec form of ENTRYPOINT, which takes no build argument, names the program.
    """
    assert recipe("consumer") == recipe("producer")
