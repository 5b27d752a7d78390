"""Fixtures of the tests of the rig."""

from support.emulators.docker import docker_engine, images

__all__ = ["docker_engine", "images"]
