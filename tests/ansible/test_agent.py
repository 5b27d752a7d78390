"""CloudWatch agent: installed, configured and removed with real package managers and systemd."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest
from support.emulators.machines import AGENT, agent_config

if TYPE_CHECKING:
    from support.emulators.machines import Machine, Packages

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(300)]

INSTALL: Final = "install-agent.yml"
APPLIED: Final = f"{AGENT}/etc/amazon-cloudwatch-agent.d"
SAID: Final = ("Report that a package file would be installed",)
CONFIGURED: Final = ("Write the configuration", "Make the agent validate it, load it and restart")


def there(machine: Machine) -> bool:
    """Return whether anything of the agent is on the machine."""
    return machine.sh(f"test -e {AGENT}")[0] == 0


class TestDebian:
    """Debian with a given package file: each test continues after the one before."""

    @pytest.mark.parametrize(
        ("proof", "message"),
        [
            pytest.param({}, "give cloudwatch_agent_sha256 or cloudwatch_agent_signature", id="no"),
            pytest.param({"cloudwatch_agent_sha256": "0" * 64}, "its SHA-256 is ", id="wrong"),
        ],
    )
    def test_a_package_without_proof_is_refused(
        self, debian: Machine, packages: Packages, proof: dict[str, str], message: str
    ) -> None:
        """The error is one sentence, and nothing is installed."""
        run = debian.play(INSTALL, cloudwatch_agent_package=packages.debian, **proof)
        (failure,) = run.failed
        assert message in failure
        assert not there(debian)

    @pytest.mark.parametrize("key", ["agent", "stranger"])
    def test_a_package_that_a_stranger_signed_is_refused(
        self, debian: Machine, packages: Packages, key: str
    ) -> None:
        """The stranger's key does not help, because its fingerprint is not the required one."""
        run = debian.play(INSTALL, **packages.signed_by("stranger", key))
        (failure,) = run.failed
        assert f"not signed by the key {packages.fingerprint('agent')}" in failure
        assert not there(debian)

    def test_check_mode_reports_changes_and_makes_none(
        self, debian: Machine, packages: Packages
    ) -> None:
        """Check mode does not fail, although each step needs the one before."""
        run = debian.play(INSTALL, "--check", **packages.signed_by("agent"))
        assert run.code == 0, run.output
        assert run.changed == SAID
        assert not there(debian)

    def test_the_first_run_installs_configures_and_starts_it(
        self, debian: Machine, packages: Packages
    ) -> None:
        """The agent has the template's configuration, and the download is deleted."""
        digest = {"cloudwatch_agent_sha256": packages.sha256}
        run = debian.play(INSTALL, **packages.signed_by("agent"), **digest, stack="shop")
        assert run.code == 0, run.output
        assert {"Install the Debian package", *CONFIGURED} <= set(run.changed)
        assert json.loads(debian.file(f"{APPLIED}/file_tidemill.json")) == agent_config("shop")
        assert debian.service("amazon-cloudwatch-agent") == ("enabled", "active")
        assert debian.sh("ls /var/cache/cloudwatch-agent-download")[0] != 0

    def test_the_second_run_changes_nothing(self, debian: Machine, packages: Packages) -> None:
        """A run that requires the installed version changes nothing either."""
        version = {"cloudwatch_agent_version": "1.300064.0"}
        assert debian.play(INSTALL, **packages.signed_by("agent"), **version, stack="shop").steady

    def test_another_version_would_be_installed(self, debian: Machine, packages: Packages) -> None:
        """The configuration is not changed."""
        version = {"cloudwatch_agent_version": "1.300065"}
        given = packages.signed_by("agent")
        assert debian.play(INSTALL, "--check", **given, **version, stack="shop").changed == SAID

    def test_another_configuration_takes_the_place_of_the_first(self, debian: Machine) -> None:
        """The agent restarts with it; if the agent is installed, no package is needed."""
        ask = "systemctl show --property MainPID amazon-cloudwatch-agent"
        before = debian.sh(ask)
        assert debian.play(INSTALL, stack="other").changed == CONFIGURED
        assert json.loads(debian.file(f"{APPLIED}/file_tidemill.json")) == agent_config("other")
        assert debian.sh(ask) != before
        assert debian.sh(f"ls {APPLIED}")[1].split() == ["file_tidemill.json"]

    def test_it_is_removed_without_a_trace(self, debian: Machine) -> None:
        """Package, service and configuration are removed; a second run changes nothing."""
        run = debian.play(INSTALL, cloudwatch_agent_state="absent")
        assert run.code == 0, run.output
        assert not there(debian)
        assert debian.sh("dpkg -s amazon-cloudwatch-agent")[0] != 0
        assert debian.service("amazon-cloudwatch-agent")[1] == "inactive"
        assert debian.play(INSTALL, cloudwatch_agent_state="absent").steady


class TestUbuntu:
    """Ubuntu without a given package."""

    def test_amazons_own_would_be_taken(self, ubuntu: Machine) -> None:
        """The package is for this system and processor, and its signature is beside it."""
        run = ubuntu.play(INSTALL, "--check")
        assert run.changed == SAID, run.output
        machine = {"x86_64": "amd64", "aarch64": "arm64"}[ubuntu.sh("uname -m")[1].strip()]
        assert (
            f"would install https://amazoncloudwatch-agent.s3.amazonaws.com/ubuntu/{machine}"
            "/latest/amazon-cloudwatch-agent.deb"
        ) in run.output


class TestAmazonLinux:
    """Amazon Linux with the distribution's package, installed by dnf."""

    def test_it_comes_from_the_distribution(self, amazon: Machine) -> None:
        """No file and no download is needed."""
        run = amazon.play(INSTALL, stack="shop")
        assert run.code == 0, run.output
        assert run.changed == ("Install the distribution's package", *CONFIGURED)
        assert amazon.sh("rpm -q amazon-cloudwatch-agent")[0] == 0
        assert amazon.service("amazon-cloudwatch-agent") == ("enabled", "active")

    def test_what_user_data_configured_is_left_alone(self, amazon: Machine) -> None:
        """The same text from the Parameter Store has another name, and may have another layout."""
        spaced = json.dumps(agent_config("shop"), indent=7)
        stored = f"{APPLIED}/ssm_AmazonCloudWatch-shop"
        amazon.container.exec_run(["sh", "-c", f'rm {APPLIED}/*; echo "$0" > {stored}', spaced])
        assert amazon.play(INSTALL, stack="shop").steady
        assert amazon.sh(f"ls {APPLIED}/*")[1].split() == [stored]

    def test_it_is_removed_too(self, amazon: Machine) -> None:
        """The package and its folder are removed."""
        assert amazon.play(INSTALL, cloudwatch_agent_state="absent").code == 0
        assert amazon.sh("rpm -q amazon-cloudwatch-agent")[0] != 0
        assert not there(amazon)
