"""Machine image: it contains everything that template.yaml's user data would download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from support.emulators.machines import AGENT
from support.fakes.instance import INSTANCE_ID, REPOSITORY, live, user_data

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.machines import Machine

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(300)]

IMAGE: Final = f"{REPOSITORY}:3f9c2ab"
BAKE: Final = {"worker_host_image": IMAGE}
TEMPLATE: Final = "{{ lookup('ansible.builtin.file', template) | %s(place) }}"


class TestAmazonLinux:
    """Amazon Linux, as in Image Builder; each test continues after the one before."""

    def test_check_mode_reports_changes_and_makes_none(self, amazon: Machine) -> None:
        """Check mode does not fail, although each step needs the one before."""
        run = amazon.play("bake.yml", "--check", **BAKE)
        assert run.code == 0, run.output
        assert run.changed == (
            "Install the distribution's package",
            "Install their packages on Amazon Linux",
            "Report that the image would be pulled",
        )
        assert amazon.sh(f"command -v docker || command -v aws || ls {AGENT}")[0] != 0

    def test_everything_that_user_data_would_fetch_is_there(self, amazon: Machine) -> None:
        """Docker runs from the first boot; the agent waits for its configuration."""
        run = amazon.play("bake.yml", **BAKE)
        assert run.code == 0, run.output
        assert amazon.sh(f"docker image inspect {IMAGE}")[0] == 0
        assert amazon.sh("command -v aws && command -v docker-credential-ecr-login")[0] == 0
        assert amazon.sh(f"test -x {AGENT}/bin/amazon-cloudwatch-agent-ctl")[0] == 0
        assert amazon.service("docker") == ("enabled", "active")
        assert amazon.service("amazon-cloudwatch-agent") == ("disabled", "inactive")

    def test_the_registrys_password_is_not_baked_in(self, amazon: Machine) -> None:
        """Everyone who starts the image could read it."""
        assert amazon.sh(
            "grep -rl registry-pass-word /etc /root /run /tmp /var --exclude-dir=lib"
        ) == (
            1,
            "",
        )
        assert amazon.sh("grep password-stdin /var/log/calls")[0] == 0

    def test_the_second_run_changes_nothing(self, amazon: Machine) -> None:
        """The second run does not log in to the registry either."""
        before = amazon.sh("grep -c password /var/log/calls")
        assert amazon.play("bake.yml", **BAKE).steady
        assert amazon.sh("grep -c password /var/log/calls") == before


class TestDebian:
    """Debian: a machine that template.yaml does not boot, with the program of its user data."""

    def test_the_watcher_is_the_one_that_user_data_installs(
        self, debian: Machine, tmp_path: Path
    ) -> None:
        """Program and unit are identical; they start at boot and not during the run."""
        run = debian.play(
            "bake.yml",
            cloudwatch_agent_state="absent",
            template="{{ playbook_dir }}/../template.yaml",
            place={
                "name": "shop",
                "region": "eu-west-1",
                "account": "111122223333",
                "repository": REPOSITORY,
                "parameters": {"ImageTag": "3f9c2ab", "MessageSeconds": 300},
            },
            worker_host_watcher=TEMPLATE % "worker_program",
            worker_host_unit=TEMPLATE % "worker_unit",
        )
        assert run.code == 0, run.output
        live(tmp_path, user_data(ImageTag="3f9c2ab", MessageSeconds="300"))
        installed = (tmp_path / "usr/local/bin/worker").read_text()
        assert debian.file("/usr/local/bin/worker").decode() == installed.replace(f"{tmp_path}", "")
        assert INSTANCE_ID not in installed
        unit = "etc/systemd/system/worker.service"
        installed = (tmp_path / unit).read_text()
        assert debian.file(f"/{unit}").decode() == installed.replace(f"{tmp_path}", "")
        assert debian.service("worker") == ("enabled", "inactive")
        assert debian.sh("systemd-analyze verify /etc/systemd/system/worker.service") == (0, "")

    def test_docker_is_there_without_an_image(self, debian: Machine) -> None:
        """No image is given; Docker is installed by apt."""
        assert debian.service("docker") == ("enabled", "active")
        assert debian.sh("dpkg -s docker.io awscli amazon-ecr-credential-helper")[0] == 0
        assert debian.sh("test -e /var/log/calls")[0] != 0
