"""Fixtures of the tests of images."""

from support.emulators.docker import docker_engine, images

__all__ = ["docker_engine", "images"]
