"""User data: the container that a script runs, and the consumer's environment in it."""

from __future__ import annotations

import pytest
from support.builders.fleets import product_fleet

from consumer.setting_table import DURATIONS, START_SECONDS
from tidemill.scaling.template.user_data import (
    Container,
    NoConsumerError,
    UserDataError,
    container_environment,
    container_settings,
    read_container,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("docker run --env A=1 image", {"A": "1"}, id="separate"),
        pytest.param("docker run --env=A=1 image", {"A": "1"}, id="joined"),
        pytest.param("docker run -e A=1 -e B=x=y image", {"A": "1", "B": "x=y"}, id="short"),
        pytest.param("docker run -eA=1 image", {"A": "1"}, id="short-joined"),
        pytest.param("docker run -e INSTANCE_ID image", {"INSTANCE_ID": "i-1"}, id="looked-up"),
        pytest.param("docker run \\\n  --env A=1 \\\n  image", {"A": "1"}, id="continued"),
        pytest.param("docker run --env A='1 2' image # not --env B=2", {"A": "1 2"}, id="quoted"),
        pytest.param('docker run --env ID="$INSTANCE_ID" image', {"ID": "i-1"}, id="variable"),
        pytest.param("docker run --env ID=${INSTANCE_ID}x image", {"ID": "i-1x"}, id="braces"),
        pytest.param("echo docker run\ndocker run --env A= image", {"A": ""}, id="empty"),
    ],
)
def test_settings_are_those_that_docker_run_gives(line: str, expected: dict[str, str]) -> None:
    """Settings are found in all the ways in which the options are written."""
    assert container_environment(f"#!/bin/bash\n{line}\n", {"INSTANCE_ID": "i-1"}) == expected


@pytest.mark.parametrize(
    "command",
    [
        "docker run --env DRAIN_SECONDS=60 img",
        "sudo docker run --env DRAIN_SECONDS=60 img",
        "sudo -E -u worker docker run --env DRAIN_SECONDS=60 img",
        "podman run --env DRAIN_SECONDS=60 img",
        "nerdctl run --env DRAIN_SECONDS=60 img",
        "/usr/bin/docker run --env DRAIN_SECONDS=60 img",
        "exec docker run --env DRAIN_SECONDS=60 img",
        "exec /usr/local/bin/podman run --env DRAIN_SECONDS=60 img",
        "docker container run --env DRAIN_SECONDS=60 img",
        "docker --log-level warn run --env DRAIN_SECONDS=60 img",
        "DOCKER_HOST=tcp://engine docker run --env DRAIN_SECONDS=60 img",
        "if ! docker run --env DRAIN_SECONDS=60 img; then exit 1; fi",
        "docker pull img && docker run --env DRAIN_SECONDS=60 img",
        "docker pull img; docker run --env DRAIN_SECONDS=60 img",
        "echo begin && docker run --env DRAIN_SECONDS=60 img",
        "ID=$(docker run --detach --env DRAIN_SECONDS=60 img)",
        "ExecStart=/usr/bin/docker run --env DRAIN_SECONDS=60 img",
        "docker run --env DRAIN_SECONDS=60 img && docker run --env DRAIN_SECONDS=5 other",
        "docker run \\\n  --env DRAIN_SECONDS=60 img",
    ],
)
def test_a_container_may_be_run_in_many_ways(command: str) -> None:
    """Lint reads `read_container`, rig and simulator read the environment: both find the same."""
    script = f"#!/bin/bash\nset -e\n{command}\n"
    assert container_environment(script, {}) == {"DRAIN_SECONDS": "60"}
    container = read_container(script)
    assert container is not None
    assert container.numbers() == {"DRAIN_SECONDS": 60.0}


@pytest.mark.parametrize(
    ("script", "container"),
    [
        ("docker run worker", Container()),
        (
            "docker run -e A=1 --env B=2.5 -e C --env=D=x w",
            Container({"A": "1", "B": "2.5", "C": "$C", "D": "x"}),
        ),
        (
            "docker run \\\n  --stop-timeout 45 \\\n  --net=host w",
            Container(stop_seconds=45.0, own_network=False),
        ),
        ("  docker run --network host w", Container(own_network=False)),
        ("if true; then podman run -e A=1 w; fi", Container({"A": "1"})),
        ("docker run w\ndocker stop --time 20 w", Container(stop_seconds=20.0)),
        ("docker run w\nsudo docker container stop -t 20 w", Container(stop_seconds=20.0)),
        ("docker run --stop-timeout $LONG w", Container()),
        ("docker run -eA=1 w\ndocker stop -t5 w", Container({"A": "1"}, 5.0)),
        (
            "docker run -e A=1 'unfinished",
            Container({"A": "1"}, unreadable="cannot read its `docker run`: No closing quotation"),
        ),
        ("docker run -e A=1 w # --env B=2", Container({"A": "1"})),
    ],
    ids=str,
)
def test_a_container_is_read_from_a_script(script: str, container: Container) -> None:
    """A container has its settings, the time that it has to stop, and its network."""
    assert read_container(script) == container


def test_numbers_are_the_settings_that_are_plain_numbers() -> None:
    """A setting that is a shell variable or another text is not a number."""
    container = Container({"A": "1", "B": "2.5", "C": "$C", "D": "x"})
    assert container.numbers() == {"A": 1.0, "B": 2.5}


@pytest.mark.parametrize(
    "script",
    [
        "",
        "worker",
        "# docker run w",
        "true # docker run w",
        "mydocker running",
        "echo docker run w",
        "yum install -y docker",
        "systemctl start docker",
        "docker ps",
    ],
)
def test_a_script_may_run_none(script: str) -> None:
    """A script without a container is None to lint, and refused by rig and simulator."""
    assert read_container(script) is None
    with pytest.raises(NoConsumerError):
        container_settings(script)


def test_a_script_without_docker_run_is_refused() -> None:
    """Without a container there would be no consumer to start."""
    with pytest.raises(NoConsumerError, match="no `docker run`"):
        container_environment("#!/bin/bash\necho hello\n", {})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param("--env A=$TOKEN", r"\$TOKEN is not known", id="variable"),
        pytest.param("--env TOKEN", r"\$TOKEN is not known", id="looked-up"),
        pytest.param('--env A="$(imds id)"', "a command's output", id="command"),
        pytest.param("--env A=`id`", "a command's output", id="backticks"),
        pytest.param("--env-file /etc/worker.env", "--env-file", id="file"),
        pytest.param("--env A='1", "No closing quotation", id="open-quote"),
    ],
)
def test_what_only_an_instance_knows_is_refused(options: str, said: str) -> None:
    """Otherwise the rig would silently use other settings than the instance does."""
    with pytest.raises(UserDataError, match=said):
        container_environment(f"docker run {options} image\n", {})


def test_settings_can_be_had_as_the_script_writes_them() -> None:
    """Nothing is replaced; a name without a value is the shell variable of that name."""
    script = 'docker run --env A=1 --env B="$(imds id)" --env TOKEN image\n'
    assert container_settings(script) == {"A": "1", "B": "$(imds id)", "TOKEN": "$TOKEN"}


def test_the_products_user_data_sets_every_duration_of_the_consumer() -> None:
    """The rig shortens only the durations that it finds there, so none may be missing.

    START_SECONDS is only the patience with a queue that does not answer: no run depends on it.
    """
    given = container_environment(product_fleet().user_data, {"INSTANCE_ID": "i-1"})
    assert {setting.name for setting in DURATIONS} - given.keys() == {START_SECONDS.name}
