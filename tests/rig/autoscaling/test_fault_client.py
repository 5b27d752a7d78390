"""Client of faults: the requests of `tidemill chaos`, and the rig's answers."""

from __future__ import annotations

import urllib.error

import pytest
from support.builders.sessions import GUARD, KEYS
from support.emulators.ministack import free_port
from support.fakes.groups import ONE, TWO, GroupInMemory, group_of_two

from tidemill.rig.autoscaling.fault_client import send_fault
from tidemill.rig.autoscaling.ports import FAULTS
from tidemill.rig.autoscaling.server import serving
from tidemill.rig.door.requests import DIRECT, signed
from tidemill.rig.errors import RigError
from tidemill.scaling.fault_kinds import SPOT
from tidemill.scaling.faults import Fault


@pytest.mark.parametrize(
    ("asked", "got"),
    [pytest.param(None, ONE, id="any"), pytest.param(TWO, TWO, id="by-id")],
)
def test_a_spot_instance_is_interrupted(asked: str | None, got: str) -> None:
    """The answer is the id of the requested instance, or of the one that the group chose."""
    group = group_of_two()
    with serving(group, GUARD) as url:
        assert send_fault(url, KEYS, Fault(SPOT.name, asked)) == got
    assert group.faults == [Fault(SPOT.name, got)]


def test_an_unknown_instance_is_an_error() -> None:
    """The error is the group's, whatever the id looks like."""
    with serving(group_of_two(), GUARD) as url:
        for typed in ("i-9", "i 9&instance=?"):
            with pytest.raises(RigError) as caught:
                send_fault(url, KEYS, Fault(SPOT.name, typed))
            assert str(caught.value) == f"the group has no instance {typed}"


def test_a_group_without_instances_is_an_error() -> None:
    """There is no instance to choose."""
    with serving(GroupInMemory(), GUARD) as url, pytest.raises(RigError, match="has no instance"):
        send_fault(url, KEYS, Fault(SPOT.name))


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{port}", "http://127.0.0.1:many", "nonsense", "", "http://[::1"],
    ids=["nobody", "no-port", "no-address", "empty", "half"],
)
def test_an_address_where_no_rig_answers_is_an_error(url: str) -> None:
    """The error is one line with the given address."""
    given = url.format(port=free_port())
    with pytest.raises(RigError) as caught:
        send_fault(given, KEYS, Fault(SPOT.name))
    message = str(caught.value)
    assert message.startswith(f"no rig answers at {given}: ")
    assert "\n" not in message


def test_a_get_injects_no_fault() -> None:
    """A GET request is read as an action of the API, and has none."""
    group = group_of_two()
    with serving(group, GUARD) as url:
        with pytest.raises(urllib.error.HTTPError) as failed:
            DIRECT.open(signed(KEYS, f"{url}{FAULTS}?kind=spot&target={ONE}"))
        with failed.value as answer:
            assert answer.code == 400
    assert group.faults == []
