"""Agent of an instance, which its worker does without, and the instance's second boot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from support.fakes import stand_in
from support.fakes.instance import Failure, live, unit

if TYPE_CHECKING:
    from pathlib import Path

STATE: Final = "autoscaling/target-lifecycle-state"


@pytest.mark.impure
class TestAgent:
    """Agent: a worker without it works on, and everybody can see that it has none."""

    METRIC: Final = ("aws", "cloudwatch", "put-metric-data")

    @pytest.mark.parametrize(
        ("failure", "installed"),
        [
            pytest.param(("amazon-cloudwatch-agent-ctl",), list(stand_in.PACKAGES), id="start"),
            pytest.param(("dnf",), ["amazon-ecr-credential-helper", "awscli-2"], id="installation"),
        ],
    )
    def test_a_failure_is_reported_and_tried_again(
        self, tmp_path: Path, failure: tuple[str, ...], installed: list[str]
    ) -> None:
        """The second attempt succeeds here, and no third follows."""
        life = live(
            tmp_path,
            failures=[Failure(failure, at=1)],
            installed=installed,
            metadata={STATE: ["InService"] * 40 + ["Terminated"]},
        )
        assert len(life.of(*failure)) == 2
        assert life.output.count("the CloudWatch agent does not start") == 1
        (metric,) = life.of(*self.METRIC)
        assert " ".join(metric[3:]) == (
            "--namespace Tidemill --dimensions Stack=shop --value 1 --metric-name AgentFailures"
        )
        assert len(life.of("docker", "run")) == len(life.of("aws", "autoscaling")) == 1
        assert life.of("poweroff") == []

    def test_a_worker_that_never_gets_it_still_drains(self, tmp_path: Path) -> None:
        """Its messages matter more than its host's metrics."""
        life = live(tmp_path, failures=[Failure(("amazon-cloudwatch-agent-ctl",))])
        assert life.of("poweroff") == []
        assert [call[:2] for call in life.commands if call[:2] == ("aws", "autoscaling")]
        assert life.of("docker", "stop")

    def test_the_hook_waits_for_the_cli(self, tmp_path: Path) -> None:
        """An instance may be terminated while the command line is still being installed."""
        life = live(
            tmp_path,
            installed=["amazon-ecr-credential-helper"],
            failures=[Failure(("dnf",), at=1)],
            metadata={STATE: ["Terminated"]},
        )
        assert len(life.of("aws", "autoscaling")) == 1
        assert life.calls.index(life.of("aws", "autoscaling")[0]) > life.calls.index(
            life.of("dnf")[1]
        )


@pytest.mark.impure
class TestReboot:
    """Reboot: systemd starts the unit again, without user data."""

    def test_a_new_consumer_replaces_the_one_that_docker_has_started(self, tmp_path: Path) -> None:
        """Docker starts the old container again, which gets a minute to return its messages."""
        life = live(tmp_path, boots=2)
        first, second = life.of("docker", "run")
        assert first == second
        again = life.commands[life.commands.index(second) - 3 :]
        assert [call[:2] for call in again[:4]] == [
            ("docker", "image"),
            ("docker", "stop"),
            ("docker", "rm"),
            ("docker", "run"),
        ]
        assert len(life.of("systemctl", "enable")) == 1
        assert life.of("poweroff") == []

    def test_an_orderly_shutdown_drains_the_consumer(self, tmp_path: Path) -> None:
        """The unit stops before Docker does, and its stop command waits for the consumer."""
        live(tmp_path)
        assert unit(tmp_path)["ExecStop"] == "-/usr/bin/docker stop consumer"
