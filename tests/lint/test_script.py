"""Scripts: what they say of their container."""

from __future__ import annotations

import pytest

from tidemill.lint.script import Container, read_container


@pytest.mark.parametrize(
    ("script", "container"),
    [
        ("docker run worker", Container()),
        ("docker run -e A=1 --env B=2.5 -e C --env=D=x w", Container({"A": 1.0, "B": 2.5})),
        (
            "docker run \\\n  --stop-timeout 45 \\\n  --net=host w",
            Container(stop=45.0, own_network=False),
        ),
        ("  docker run --network host w", Container(own_network=False)),
        ("if true; then podman run -e A=1 w; fi", Container({"A": 1.0})),
        ("docker run w\ndocker stop --time 20 w", Container(stop=20.0)),
        ("docker run --stop-timeout $LONG w", Container()),
        ("docker run -eA=1 w\ndocker stop -t5 w", Container({"A": 1.0}, 5.0)),
        ("docker run -e A=1 'unfinished", Container({"A": 1.0})),
        ("docker run -e A=1 w # --env B=2", Container({"A": 1.0})),
    ],
    ids=str,
)
def test_a_container_is_read_from_a_script(script: str, container: Container) -> None:
    """Settings that are plain numbers, how long it may take to stop, and its network."""
    assert read_container(script) == container


@pytest.mark.parametrize("script", ["", "worker", "# docker run w", "mydocker running"])
def test_a_script_may_run_none(script: str) -> None:
    """Then nothing is known of it."""
    assert read_container(script) is None
