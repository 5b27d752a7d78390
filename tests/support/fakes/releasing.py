"""Fakes of an account and of programs for tests of releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.release.environment import Environment
from tidemill.release.errors import ReleaseError
from tidemill.release.ports import Login, Stack

if TYPE_CHECKING:
    from collections.abc import Sequence

CONSUMER, PRODUCER = (
    f"1.dkr.ecr.eu-west-1.amazonaws.com/shop-{x}repository-1a2b" for x in ("consumer", "producer")
)
STACK = Stack(
    {"ConsumerRepositoryUri": CONSUMER, "ProducerRepositoryUri": PRODUCER},
    {"Architecture": "arm64", "ImageTag": "0ld"},
)
BUILDERS = {
    "native": "Name: default\nPlatforms:        linux/amd64, linux/amd64/v2, linux/386",
    "emulating": "Name: default\nPlatforms: linux/amd64, linux/amd64/v2, linux/arm64, linux/386",
    "two-nodes": "Platforms: linux/amd64\n\nName: arm\nPlatforms: linux/arm64*, linux/arm/v7",
    "silent": "Name: default\nDriver: docker",
}
ENVIRONMENT = Environment("dev", "shop", None, {"MaxInstances": "2"})


class Account:
    """An account with or without the stack, and with these images."""

    def __init__(self, stack: Stack | None = STACK, *images: str, silent: bool = False) -> None:
        """Hold images as `repository:tag`; with `silent` it does not list them."""
        self._stack, self._images, self._silent = stack, images, silent

    @property
    def region(self) -> str:
        """Return a region."""
        return "eu-west-1"

    def has_stack(self, name: str) -> bool:
        """Return whether there is a stack."""
        return self.stack(name) is not None

    def stack(self, name: str) -> Stack | None:
        """Return the stack."""
        assert name == "shop"
        return self._stack

    def has_image(self, repository: str, tag: str) -> bool:
        """Return whether the image exists."""
        if self._silent:
            raise ReleaseError("AccessDenied")
        return f"{repository}:{tag}" in self._images

    def login(self) -> Login:
        """Return made-up credentials."""
        return Login("AWS", "password-of-the-test")


class Machine:
    """Programs that only remember how they were run; git knows revision abc123."""

    def __init__(
        self, *, changed: str = "", revision: str = "abc123", builder: str = "emulating"
    ) -> None:
        """Prepare the answers of git and docker."""
        self._answers = {"status": changed, "log": revision, "buildx": BUILDERS[builder]}
        self.ran: list[str] = []
        self.given: list[str | None] = []

    def run(self, command: Sequence[str], given: str | None = None) -> None:
        """Record the command."""
        self.ran.append(" ".join(command))
        self.given.append(given)

    def answer(self, command: Sequence[str]) -> str:
        """Return the answer of git or docker."""
        return self._answers[command[1]]
