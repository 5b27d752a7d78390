"""What can keep a release from happening, told in one line each."""

from __future__ import annotations


class ReleaseError(Exception):
    """Nothing was released; the text says what is wrong and what to do."""
