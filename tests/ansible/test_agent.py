"""The agent, installed, configured and removed by real package managers under a real systemd."""

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
SAID: Final = ("Say that a package file would be installed",)
CONFIGURED: Final = ("Write the configuration", "Let the agent validate it, load it and restart")


def there(machine: Machine) -> bool:
    """Return whether anything of the agent is on the machine."""
    return machine.sh(f"test -e {AGENT}")[0] == 0


class TestDebian:
    """A given package file, from nothing to the running agent and back; each test goes one on."""

    @pytest.mark.parametrize(
        ("proof", "told"),
        [
            pytest.param({}, "give cloudwatch_agent_sha256 or cloudwatch_agent_signature", id="no"),
            pytest.param({"cloudwatch_agent_sha256": "0" * 64}, "its SHA-256 is ", id="wrong"),
        ],
    )
    def test_a_package_without_proof_is_refused(
        self, debian: Machine, packages: Packages, proof: dict[str, str], told: str
    ) -> None:
        """In a sentence; nothing is installed."""
        run = debian.play(INSTALL, cloudwatch_agent_package=packages.debian, **proof)
        (failure,) = run.failed
        assert told in failure
        assert not there(debian)

    @pytest.mark.parametrize("key", ["agent", "stranger"])
    def test_a_package_that_a_stranger_signed_is_refused(
        self, debian: Machine, packages: Packages, key: str
    ) -> None:
        """Even with the stranger's own key: its fingerprint is not the one that was asked for."""
        run = debian.play(INSTALL, **packages.signed_by("stranger", key))
        (failure,) = run.failed
        assert f"not signed by the key {packages.fingerprint('agent')}" in failure
        assert not there(debian)

    def test_check_mode_tells_what_it_would_do_and_does_not(
        self, debian: Machine, packages: Packages
    ) -> None:
        """It fails nowhere, though each step needs the one before."""
        run = debian.play(INSTALL, "--check", **packages.signed_by("agent"))
        assert run.code == 0, run.output
        assert run.changed == SAID
        assert not there(debian)

    def test_the_first_run_installs_configures_and_starts_it(
        self, debian: Machine, packages: Packages
    ) -> None:
        """With the template's configuration, and nothing left of the download."""
        digest = {"cloudwatch_agent_sha256": packages.sha256}
        run = debian.play(INSTALL, **packages.signed_by("agent"), **digest, stack="shop")
        assert run.code == 0, run.output
        assert {"Install the Debian package", *CONFIGURED} <= set(run.changed)
        assert json.loads(debian.file(f"{APPLIED}/file_tidemill.json")) == agent_config("shop")
        assert debian.service("amazon-cloudwatch-agent") == ("enabled", "active")
        assert debian.sh("ls /var/cache/cloudwatch-agent-download")[0] != 0

    def test_the_second_run_changes_nothing(self, debian: Machine, packages: Packages) -> None:
        """Nor does one that asks for the version that is there."""
        version = {"cloudwatch_agent_version": "1.300064.0"}
        assert debian.play(INSTALL, **packages.signed_by("agent"), **version, stack="shop").steady

    def test_another_version_would_be_installed(self, debian: Machine, packages: Packages) -> None:
        """But not configured anew."""
        version = {"cloudwatch_agent_version": "1.300065"}
        given = packages.signed_by("agent")
        assert debian.play(INSTALL, "--check", **given, **version, stack="shop").changed == SAID

    def test_another_configuration_takes_the_place_of_the_first(self, debian: Machine) -> None:
        """And the agent starts anew with it; where it is there, no package is needed."""
        ask = "systemctl show --property MainPID amazon-cloudwatch-agent"
        before = debian.sh(ask)
        assert debian.play(INSTALL, stack="other").changed == CONFIGURED
        assert json.loads(debian.file(f"{APPLIED}/file_tidemill.json")) == agent_config("other")
        assert debian.sh(ask) != before
        assert debian.sh(f"ls {APPLIED}")[1].split() == ["file_tidemill.json"]

    def test_it_goes_without_a_trace(self, debian: Machine) -> None:
        """Package, service, configuration; then nothing is left to do."""
        run = debian.play(INSTALL, cloudwatch_agent_state="absent")
        assert run.code == 0, run.output
        assert not there(debian)
        assert debian.sh("dpkg -s amazon-cloudwatch-agent")[0] != 0
        assert debian.service("amazon-cloudwatch-agent")[1] == "inactive"
        assert debian.play(INSTALL, cloudwatch_agent_state="absent").steady


class TestUbuntu:
    """Where no package is given."""

    def test_amazons_own_would_be_taken(self, ubuntu: Machine) -> None:
        """For this system and processor, with its signature beside it."""
        run = ubuntu.play(INSTALL, "--check")
        assert run.changed == SAID, run.output
        machine = {"x86_64": "amd64", "aarch64": "arm64"}[ubuntu.sh("uname -m")[1].strip()]
        assert (
            f"would install https://amazoncloudwatch-agent.s3.amazonaws.com/ubuntu/{machine}"
            "/latest/amazon-cloudwatch-agent.deb"
        ) in run.output


class TestAmazonLinux:
    """The distribution's package, by dnf."""

    def test_it_comes_from_the_distribution(self, amazon: Machine) -> None:
        """Without a file or a download."""
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

    def test_it_goes_too(self, amazon: Machine) -> None:
        """Package and folder."""
        assert amazon.play(INSTALL, cloudwatch_agent_state="absent").code == 0
        assert amazon.sh("rpm -q amazon-cloudwatch-agent")[0] != 0
        assert not there(amazon)
