"""Fixtures of the tests of the rig."""

from support.docker import docker_engine, images

__all__ = ["docker_engine", "images"]
