"""Tests of the options of containers: where the user's handlers are."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from support.builders.containers import ONE

from tidemill.rig.containers.options import Depth

if TYPE_CHECKING:
    from support.builders.containers import Stages

    from tidemill.rig.containers.engine import ContainerSpec

pytestmark = pytest.mark.impure


def spec_of(stage_of: Stages, depth: Depth, handlers: str) -> ContainerSpec:
    """Return what an instance's container is created with."""
    options = dataclasses.replace(stage_of(depth).world._options, handlers=handlers)
    return options.instance_spec(ONE, {"HANDLER": "orders:handle"}, 8000)


def test_a_consumer_reads_the_users_handlers_and_cannot_write_there(stage_of: Stages) -> None:
    """The image's own modules come first."""
    spec = spec_of(stage_of, Depth.DIRECT, "/home/ada/shop")

    assert spec.volumes == {"/handlers:ro": "/home/ada/shop"}
    assert spec.environment["PYTHONPATH"] == "/app:/handlers"
    assert spec.environment["HANDLER"] == "orders:handle"


def test_without_handlers_nothing_is_changed(stage_of: Stages) -> None:
    """The image's environment decides where modules are."""
    spec = spec_of(stage_of, Depth.DIRECT, "")

    assert spec.volumes == {}
    assert "PYTHONPATH" not in spec.environment


def test_an_instance_that_runs_user_data_passes_the_folder_on(stage_of: Stages) -> None:
    """Its stand-in of docker mounts it into the consumer."""
    spec = spec_of(stage_of, Depth.USER_DATA, "/home/ada/shop")

    assert spec.environment["CONSUMER_HANDLERS"] == "/home/ada/shop"
    assert "/handlers:ro" not in spec.volumes
