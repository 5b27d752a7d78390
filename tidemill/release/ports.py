"""Ports of a release: AWS, and programs on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: its outputs and parameters by name."""

    outputs: Mapping[str, str]
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Login:
    """User and password of a registry; valid for twelve hours."""

    user: str
    password: str = field(repr=False)


class Aws(Protocol):
    """Port to the account and region of the environment.

    Each call raises ReleaseError if AWS refuses or does not answer.
    """

    @property
    def region(self) -> str:
        """Return the region's name."""
        ...

    def stack(self, name: str) -> Stack | None:
        """Return the stack, or None if there is none of this name, or if its creation failed."""
        ...

    def has_stack(self, name: str) -> bool:
        """Return whether there is a stack of this name, even one whose creation failed."""
        ...

    def has_image(self, repository: str, tag: str) -> bool:
        """Return whether the repository has an image with this tag."""
        ...

    def login(self) -> Login:
        """Return the login of the account's registry."""
        ...


class Commands(Protocol):
    """Port to programs on this machine; a call raises ReleaseError if it fails or is missing."""

    def run(self, command: Sequence[str], given: str | None = None) -> None:
        """Run a command, with `given` on its standard input."""
        ...

    def answer(self, command: Sequence[str]) -> str:
        """Run a command and return what it prints, without white space around it."""
        ...
