"""Layers of an image above its base: files with their contents, size, settings."""

from __future__ import annotations

import json
import tarfile
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.images import Image


def added_bytes(image: Image, base: Image) -> int:
    """Return the size, in bytes, of the layers that the image has above the base's."""
    own = image.history()[: -len(base.history())]
    return sum(layer["Size"] for layer in own)


def added_files(image: Image, base: Image) -> Iterator[tuple[str, bytes]]:
    """Yield path (without the first slash) and content of each file in the layers above the base's.

    A file that a later layer removes is yielded as well, since the image still contains it. Links
    have no content.
    """
    shared = base.attrs["RootFS"]["Layers"]
    assert image.attrs["RootFS"]["Layers"][: len(shared)] == shared, "built on another base"
    with tempfile.TemporaryFile() as archive:
        for chunk in image.save():
            archive.write(chunk)
        archive.seek(0)
        with tarfile.open(fileobj=archive) as saved:
            for layer in _layers(saved)[len(shared) :]:
                yield from _files(saved, layer)


def settings(image: Image) -> Iterator[tuple[str, bytes]]:
    """Yield place and text of each entry in the image's history and configuration."""
    for index, layer in enumerate(image.history()):
        yield f"history {index}", layer["CreatedBy"].encode()
    yield "configuration", json.dumps(image.attrs["Config"]).encode()


def _layers(saved: tarfile.TarFile) -> list[str]:
    manifest = saved.extractfile("manifest.json")
    assert manifest is not None
    layers: list[str] = json.load(manifest)[0]["Layers"]
    return layers


def _files(saved: tarfile.TarFile, layer: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=saved.extractfile(layer)) as files:
        for member in files:
            if not member.isdir():
                content = files.extractfile(member) if member.isfile() else None
                yield member.name, content.read() if content else b""
