"""Boot of an instance: its user data runs with stand-ins for everything around it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from support.builders.fleets import product_template
from support.fakes import stand_in
from support.fakes.instance import (
    INSTANCE_ID,
    REPOSITORY,
    UP,
    Failure,
    consumer_environment,
    docker_options,
    live,
    unit,
    user_data,
)
from support.fakes.metadata import NOT_FOUND, OUTAGE, SILENCE

if TYPE_CHECKING:
    from support.fakes.instance import Life

WORKER: Final = "/usr/local/bin/worker"


def after(life: Life, *words: str) -> list[tuple[str, ...]]:
    """Return the calls after the first that begins with these words."""
    return list(life.calls[life.calls.index(life.of(*words)[0]) + 1 :])


@pytest.mark.impure
class TestBoot:
    """Boot: from the start of the script to a working consumer."""

    def test_everything_happens_in_order(self, tmp_path: Path) -> None:
        """Each step needs the ones before it; the agent starts beside the working consumer."""
        steps = [call[:2] for call in live(tmp_path).commands]
        agent = steps.index(("amazon-cloudwatch-agent-ctl", "-a"))
        assert agent > steps.index(("docker", "run"))
        del steps[agent]
        assert steps == [
            ("systemctl", "disable"),
            ("systemctl", "enable"),
            ("docker", "image"),
            ("docker", "stop"),
            ("docker", "rm"),
            ("docker", "run"),
            ("docker", "inspect"),
            ("docker", "inspect"),
            ("docker", "stop"),
            ("aws", "autoscaling"),
        ]

    def test_an_enabled_unit_beside_docker_does_the_work(self, tmp_path: Path) -> None:
        """With Requires, an instance without Docker would stay idle, and the unit end with it."""
        life = live(tmp_path)
        settings = unit(tmp_path)
        assert settings["ExecStart"] == f"{tmp_path}{WORKER}"
        assert settings["Wants"] == settings["After"] == "docker.service network-online.target"
        assert settings["WantedBy"] == "multi-user.target"
        assert settings["Restart"] == "on-failure"
        assert life.of("systemctl") == [
            ("systemctl", "disable", "--now", "--no-block", "ecs"),
            # Without --no-block, user data would wait for the unit, which waits for Docker, which
            # waits for user data.
            ("systemctl", "enable", "--now", "--no-block", "worker"),
        ]

    def test_the_agent_collects_the_units_output(self, tmp_path: Path) -> None:
        """The reason why an instance failed can then be read after it is terminated."""
        live(tmp_path)
        log = unit(tmp_path)["StandardOutput"].removeprefix("append:")
        agent = product_template()["Resources"]["AgentConfigParameter"]["Properties"]["Value"]
        config = json.loads(agent["Fn::Sub"][0].replace("${Filters}", ""))
        files = config["logs"]["logs_collected"]["files"]["collect_list"]
        assert log in {file["file_path"] for file in files}

    def test_the_agent_reads_its_configuration_from_the_parameter(self, tmp_path: Path) -> None:
        """The parameter is the one that the template creates."""
        (agent,) = live(tmp_path).of("amazon-cloudwatch-agent-ctl")
        assert " ".join(agent[1:]) == "-a fetch-config -m ec2 -s -c ssm:AmazonCloudWatch-shop"

    def test_docker_asks_the_helper_for_the_registrys_password(self, tmp_path: Path) -> None:
        """Docker asks for it when it pulls, so it is in no command line, log or file."""
        life = live(tmp_path)
        config = tmp_path / "root/.docker/config.json"
        assert json.loads(config.read_text()) == {"credsStore": "ecr-login"}
        assert config.stat().st_mode & 0o777 == 0o600
        assert f"HOME={tmp_path}/root" in (tmp_path / f"{WORKER[1:]}").read_text()
        assert life.of("docker", "login") == life.of("aws", "ecr") == []

    def test_the_consumer_runs_fenced_in_and_is_started_again(self, tmp_path: Path) -> None:
        """The container has no unneeded rights, bounded logs and memory, and time to drain."""
        total = int(Path("/proc/meminfo").read_text(encoding="utf-8").split()[1])
        (run,) = live(tmp_path).of("docker", "run")
        given = [option for option in docker_options(run) if option[0] != "--env"]
        assert given == [
            ("--detach", ""),
            ("--name", "consumer"),
            ("--restart", "unless-stopped"),
            ("--stop-timeout", "85"),
            ("--read-only", ""),
            ("--tmpfs", "/tmp"),  # noqa: S108 - the container has one of its own
            ("--cap-drop", "ALL"),
            ("--security-opt", "no-new-privileges"),
            ("--init", ""),
            ("--pids-limit", "8192"),
            ("--log-opt", "max-size=50m"),
            ("--log-opt", "max-file=2"),
            ("--memory", f"{total * 85 // 100}k"),
            (f"{REPOSITORY}:none-yet", ""),
        ]

    @pytest.mark.parametrize(
        ("missing", "first_use"),
        [
            pytest.param("amazon-ecr-credential-helper", ("docker", "run"), id="credential-helper"),
            pytest.param("awscli-2", ("aws", "autoscaling"), id="aws-cli"),
            pytest.param(
                "amazon-cloudwatch-agent", ("amazon-cloudwatch-agent-ctl",), id="cloudwatch-agent"
            ),
        ],
    )
    def test_what_the_image_lacks_is_installed_before_its_use(
        self, tmp_path: Path, missing: str, first_use: tuple[str, ...]
    ) -> None:
        """The script installs what is missing and nothing else."""
        life = live(tmp_path, installed=sorted(stand_in.PACKAGES.keys() - {missing}))
        assert life.of("dnf") == [("dnf", "-y", "-q", "install", missing)]
        assert life.of(*first_use)[0] in after(life, "dnf")
        assert life.of("docker", "run")

    def test_the_consumer_waits_for_nothing_that_it_does_not_need(self, tmp_path: Path) -> None:
        """The AWS CLI and the agent, which the AMI lacks, are installed while it works."""
        life = live(tmp_path, installed=[])
        before = life.calls[: life.calls.index(life.of("docker", "run")[0])]
        assert [call[-1] for call in before if call[0] == "dnf"] == ["amazon-ecr-credential-helper"]
        assert [call[-1] for call in after(life, "docker", "run") if call[0] == "dnf"] == [
            "awscli-2",
            "amazon-cloudwatch-agent",
        ]

    def test_nothing_is_installed_that_is_there(self, tmp_path: Path) -> None:
        """A private network may have no route to the packages."""
        assert live(tmp_path).of("dnf") == []

    def test_no_helper_is_needed_where_the_image_is_there(self, tmp_path: Path) -> None:
        """If the machine image contains the image, docker uses it."""
        life = live(
            tmp_path,
            images=[f"{REPOSITORY}:none-yet"],
            installed=["awscli-2", "amazon-cloudwatch-agent"],
        )
        assert life.of("dnf") == []
        assert not (tmp_path / "root/.docker").exists()
        assert life.of("docker", "run")
        assert life.of("poweroff") == []

    def test_another_tag_than_the_one_that_is_there_is_fetched(self, tmp_path: Path) -> None:
        """A new consumer image does not require a new machine image."""
        live(tmp_path, user_data(ImageTag="new"), images=[f"{REPOSITORY}:none-yet"])
        assert (tmp_path / "root/.docker/config.json").exists()

    @pytest.mark.parametrize(
        "metadata",
        [
            pytest.param({"token": [OUTAGE] * 5 + ["ok"]}, id="no-token"),
            pytest.param({"token": [SILENCE, "ok"]}, id="token-without-answer"),
            pytest.param({"instance-id": [NOT_FOUND] * 5 + [INSTANCE_ID]}, id="no-instance-id"),
            pytest.param({"instance-id": [SILENCE, INSTANCE_ID]}, id="id-without-answer"),
        ],
    )
    def test_the_boot_waits_half_a_minute_for_metadata(
        self, tmp_path: Path, metadata: dict[str, list[str | int]]
    ) -> None:
        """One lost request costs five seconds and not the instance."""
        life = live(tmp_path, metadata=metadata)
        assert life.of("poweroff") == []
        assert consumer_environment(life)["INSTANCE_ID"] == INSTANCE_ID

    @pytest.mark.parametrize(
        "states",
        [
            pytest.param(["running, 2 restarts", "running, 5 restarts", UP], id="restarts"),
            pytest.param(["restarting, 6 restarts"] * 2 + [UP], id="waits-to-be-restarted"),
        ],
    )
    def test_a_consumer_that_recovers_within_half_a_minute_is_kept(
        self, tmp_path: Path, states: list[str]
    ) -> None:
        """Its credentials or its queue may have been unavailable for some seconds."""
        life = live(tmp_path, states=states)
        assert life.of("poweroff") == []
        assert life.of("docker", "stop")

    @pytest.mark.parametrize(
        "harmless",
        [
            pytest.param(("systemctl", "disable"), id="no-ecs-agent"),
            pytest.param(("docker", "stop"), id="no-running-container"),
            pytest.param(("docker", "rm"), id="no-old-container"),
        ],
    )
    def test_what_needs_no_tidying_up_stops_no_boot(
        self, tmp_path: Path, harmless: tuple[str, ...]
    ) -> None:
        """A machine image of one's own may lack what the script disables."""
        life = live(tmp_path, failures=[Failure(harmless)])
        assert life.of("docker", "run")
        assert life.of("poweroff") == []
