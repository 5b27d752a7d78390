"""The consumer's environment, read from an instance's user data."""

from __future__ import annotations

import pytest
from support.builders.fleets import product_fleet

from consumer.setting_table import DURATIONS
from tidemill.scaling.template.user_data import (
    NoConsumerError,
    UserDataError,
    container_environment,
    container_settings,
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
    """In all the ways that people write them."""
    assert container_environment(f"#!/bin/bash\n{line}\n", {"INSTANCE_ID": "i-1"}) == expected


def test_a_script_without_docker_run_is_refused() -> None:
    """There would be no consumer to start."""
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
    """The rig would set something else than the instance does, and nobody would notice."""
    with pytest.raises(UserDataError, match=said):
        container_environment(f"docker run {options} image\n", {})


def test_settings_can_be_had_as_the_script_writes_them() -> None:
    """For whoever needs only some of them; a name alone is the variable of that name."""
    script = 'docker run --env A=1 --env B="$(imds id)" --env TOKEN image\n'
    assert container_settings(script) == {"A": "1", "B": "$(imds id)", "TOKEN": "$TOKEN"}


def test_the_products_user_data_sets_every_duration_of_the_consumer() -> None:
    """Or the rig, which shortens what it finds there, would run at two speeds at once."""
    given = container_environment(product_fleet().user_data, {"INSTANCE_ID": "i-1"})
    assert {setting.name for setting in DURATIONS} <= given.keys()
