"""Which revision of the images' source this is, which is the images' tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.release.errors import ReleaseError

if TYPE_CHECKING:
    from tidemill.release.ports import Commands

SOURCE = "images"
"""The build context: nothing outside it gets into an image."""


def revision(commands: Commands) -> str:
    """Return the last revision that changed what is in the images, abbreviated to 12 digits.

    It stays the same until an image would become another one, so that a deployment finds the
    image that was pushed before, however many other things were committed since.

    Raises:
        ReleaseError: there is no git, no repository, or no such revision.
    """
    found = commands.answer(["git", "log", "-1", "--format=%h", "--abbrev=12", "--", SOURCE])
    if not found:
        raise ReleaseError(f"git knows no revision of {SOURCE}/: commit it first")
    return found


def refuse_changes(commands: Commands) -> None:
    """Raise ReleaseError if the images' source differs from the revision that would be the tag."""
    if commands.answer(["git", "status", "--porcelain", "--", SOURCE]):
        raise ReleaseError(
            f"{SOURCE}/ has changes that are not committed: commit them, an image's tag is the "
            "revision that it was built from"
        )
