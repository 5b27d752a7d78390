"""Containers: a world of instances over an engine in memory, and the errors of engines."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

import pytest
from support.builders.sessions import SESSION
from support.builders.times import MINUTE_BOOT
from support.fakes.engines import FakeEngine, HandClock

from tidemill.rig.containers.options import METADATA_LABEL, ContainerOptions, Depth
from tidemill.rig.containers.world import ContainerWorld
from tidemill.rig.errors import RigError
from tidemill.scaling.loop import Booted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.fakes.engines import FakeContainer

    from tidemill.scaling.loop import InstanceEvent

    Stages = Callable[..., "Stage"]

ONE: Final = "i-00000000000000001"
TWO: Final = "i-00000000000000002"


class Stage:
    """A world over an engine in memory; times are AWS's seconds."""

    def __init__(
        self, folder: Path, depth: Depth, engine: FakeEngine, fleet: str = "mill", speed: float = 1
    ) -> None:
        """Create a world whose instances boot for a minute."""
        self.engine = engine
        self.clock = HandClock(1000.0, speed)
        options = ContainerOptions(
            fleet=fleet,
            depth=depth,
            image="the-consumer",
            instance_image="the-machine",
            network="the-network",
            host="controller",
            region="eu-west-1",
            socket="/run/the-engine.sock",
            labels={"project": "tests"},
            user_data="#!/bin/sh\n",
            session=SESSION,
            times=MINUTE_BOOT,
            stop_seconds=0.2,
        )
        self.world = ContainerWorld(
            engine,
            options,
            folder,
            self.clock,
            lambda instance: {"NAME_TAG": instance},
        )
        self.fleet = fleet

    def events(self, after: float = 0) -> list[InstanceEvent]:
        """Let so many seconds pass, and return the events."""
        self.clock.time += after
        return list(self.world.events())

    def boot(self, instance: str = ONE) -> None:
        """Launch an instance, and let it start its work."""
        self.world.launch(instance)
        assert self.events(after=60) == [Booted(instance)]
        assert self.made(instance).state == "running"

    def name(self, instance: str = ONE) -> str:
        """Return the name of an instance's container."""
        return f"{self.fleet}-{instance}"

    def made(self, instance: str = ONE) -> FakeContainer:
        """Return an instance's container."""
        return self.engine.made[self.name(instance)]

    def metadata(self, path: str, instance: str = ONE) -> str | None:
        """Return an instance's metadata at a path, None if it is not found."""
        port = self.made(instance).spec.labels[METADATA_LABEL]
        base = f"http://127.0.0.1:{port}/latest"
        asked = urllib.request.Request(  # noqa: S310 - our own server
            f"{base}/api/token",
            method="PUT",
            headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"},
        )
        with urllib.request.urlopen(asked) as answer:  # noqa: S310 - our own server
            headers = {"X-aws-ec2-metadata-token": answer.read().decode()}
        asked = urllib.request.Request(f"{base}/meta-data/{path}", headers=headers)  # noqa: S310 - our own server
        try:
            with urllib.request.urlopen(asked) as answer:  # noqa: S310 - our own server
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            error.close()
            return None if error.code == 404 else f"status {error.code}"

    def leave(self) -> None:
        """End like a controller that is killed: its containers keep running."""
        for service in self.world._services.values():
            service.close()
        self.world._services.clear()
        self.world._lifetimes.clear()


def in_one_line(call: Callable[[], object]) -> str:
    """Return the error message of a call, which is one line."""
    with pytest.raises(RigError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    return text
