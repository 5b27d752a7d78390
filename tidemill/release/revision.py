"""Revision of the images' source, which is the images' tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.release.errors import ReleaseError

if TYPE_CHECKING:
    from tidemill.release.ports import Commands

SOURCE = "images"
"""The build context: an image contains only files from this folder."""


def revision(commands: Commands) -> str:
    """Return the last revision that changed the images' source, abbreviated to 12 digits.

    Commits outside of that source do not change it, so a deployment after them still uses the image
    that was pushed before them.

    Raises:
        ReleaseError: there is no git, no repository, or no such revision.
    """
    found = commands.answer(["git", "log", "-1", "--format=%h", "--abbrev=12", "--", SOURCE])
    if not found:
        raise ReleaseError(f"git has no revision of {SOURCE}/: commit it first")
    return found


def refuse_changes(commands: Commands) -> None:
    """Raise ReleaseError if the images' source has changes that are not committed."""
    if commands.answer(["git", "status", "--porcelain", "--", SOURCE]):
        raise ReleaseError(
            f"{SOURCE}/ has changes that are not committed: commit them, because an image's tag "
            "is the revision that it was built from"
        )
