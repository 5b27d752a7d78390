"""What a release needs from the world outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack, as CloudFormation tells of it."""

    outputs: Mapping[str, str]
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Login:
    """What `docker login` needs for a registry; good for twelve hours."""

    user: str
    password: str = field(repr=False)


class Aws(Protocol):
    """The account and region that the environment is in.

    Each raises ReleaseError when AWS does not tell.
    """

    def stack(self, name: str) -> Stack | None:
        """Return the stack, or None if there is none of this name."""
        ...

    def has_image(self, repository: str, tag: str) -> bool:
        """Tell whether the repository holds an image with this tag."""
        ...

    def login(self) -> Login:
        """Return what to log in with to the account's registry."""
        ...


class Commands(Protocol):
    """The programs on this machine; each raises ReleaseError when one fails or is missing."""

    def run(self, command: Sequence[str], given: str | None = None) -> None:
        """Run it, with this on its standard input."""
        ...

    def answer(self, command: Sequence[str]) -> str:
        """Run it and return what it prints, without space around."""
        ...
