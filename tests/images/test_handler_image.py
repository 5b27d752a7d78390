"""Tests of an image with a handler of one's own, made as docs/handlers.md says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.emulators.docker import LABEL, container
from support.examples.handlers_page import FILES, LOAD, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docker import DockerClient
    from support.emulators.docker import Images


@pytest.fixture
def orders(docker_engine: DockerClient, images: Images, tmp_path: Path) -> Iterator[str]:
    """Provide the image that the page's Dockerfile makes."""
    write_files(tmp_path)
    dockerfile = FILES["Dockerfile"].replace(
        "FROM tidemill/consumer\n", f"FROM {images.consumer}\n"
    )
    (tmp_path / "Dockerfile").write_text(dockerfile)
    image, _ = docker_engine.images.build(path=str(tmp_path), rm=True, labels={LABEL: "1"})
    yield str(image.id)
    docker_engine.images.remove(str(image.id), force=True)


@pytest.mark.parametrize(
    ("handler", "code"), [("orders:handle", 0), ("orders:nobody", 1)], ids=["there", "missing"]
)
def test_the_image_of_the_page_has_its_handler(
    docker_engine: DockerClient, orders: str, handler: str, code: int
) -> None:
    """The page's own check finds it, with the rights that a consumer has."""
    [program] = LOAD
    with container(
        docker_engine,
        orders,
        "-c",
        program,
        environment={"HANDLER": handler},
        entrypoint="python3",
    ) as check:
        assert check.wait()["StatusCode"] == code, check.logs()
        assert (b"has no function 'nobody'" in check.logs()) == bool(code)
