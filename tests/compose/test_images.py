"""The images of controller and instance contain no secret, and only the files that they need."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from support.images.layers import added_files, settings
from support.images.leaks import leaks

if TYPE_CHECKING:
    from support.emulators.compose import Project

OTHERS = ("/site-packages/", "usr/lib/")
"""Folders of libraries, which contain examples that look like secrets; hashes pin their content."""


@pytest.mark.parametrize("name", ["fleet", "instance"])
def test_no_secret_and_no_stray_file(built: Project, name: str) -> None:
    """Of the project's own folders, the image contains only source."""
    image = built.engine.images.get(f"tidemill/{name}")
    base = built.engine.images.get(os.environ.get("TIDEMILL_BASE") or "python:3.13-slim")
    files = [
        item for item in added_files(image, base) if not any(place in item[0] for place in OTHERS)
    ]
    assert leaks(files) == []
    assert leaks(settings(image)) == []
    ours = [path for path, _ in files if path.startswith("app/")]
    assert bool(ours) == (name == "fleet")
    assert [path for path in ours if not path.endswith(".py")] == []
