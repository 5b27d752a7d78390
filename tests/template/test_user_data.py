"""User data: the text of the script, and how its durations fit each other."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
from support.builders.fleets import product_fleet, product_template
from support.fakes.instance import INSTANCE_ID, live, moved, needed_command, user_data

from consumer.leaving.drain import Drain
from tidemill.scaling.template.user_data import container_environment

if TYPE_CHECKING:
    from pathlib import Path

WORKER: Final = "/usr/local/bin/worker"


class TestText:
    """Text: checks of the script that do not run it."""

    def test_it_is_short(self) -> None:
        """EC2 takes 16 KB; program, unit and installation together are readable at once."""
        longest = user_data(Handler="m." + "x" * 100 + ":f", ImageTag="t" * 128)
        assert len(longest.splitlines()) < 75
        assert len(longest.encode()) < 16_384
        assert longest.startswith("#!")

    @pytest.mark.impure
    def test_both_of_its_parts_pass_bash_and_shellcheck(self, tmp_path: Path) -> None:
        """Neither tool looks into the heredoc with the unit's program, so it is checked apart."""
        live(tmp_path)
        for program in (tmp_path / "user-data", tmp_path / WORKER.lstrip("/")):
            subprocess.run(["/bin/bash", "-n", program], check=True)
            checked = subprocess.run(
                [needed_command("shellcheck"), "--norc", program],
                check=False,
                capture_output=True,
                text=True,
            )
            assert checked.stdout == ""

    SECRETS: Final = re.compile(
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
        r"|-----BEGIN"
        r"|(?i:secret|passw(?:or)?d|credential|api_?key)\w*[ =:]+['\"]?[^\s$'\"|]"
        r"|--password(?!-stdin)"
        r"|\b[A-Za-z0-9/+]{40}\b"
    )

    def test_it_holds_no_secret(self) -> None:
        """Everyone who may describe the launch template can read it."""
        assert self.SECRETS.search(user_data()) is None

    @pytest.mark.parametrize(
        "line",
        [
            pytest.param("export AWS_ACCESS_KEY_ID=AKIA" + "ABCDEFGH12345678", id="key-id"),
            pytest.param("AWS_SECRET_ACCESS_KEY=abc", id="secret-key"),
            pytest.param("docker login --password abc", id="option"),
            pytest.param("--env DB_PASSWORD='abc'", id="variable"),
            pytest.param(
                "echo " + "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab", id="forty-characters"
            ),
            pytest.param("-----BEGIN RSA PRIVATE KEY-----", id="key-file"),
        ],
    )
    def test_a_secret_in_it_would_be_found(self, line: str) -> None:
        """Otherwise the test above would prove nothing."""
        assert self.SECRETS.search(user_data() + line)

    def test_no_request_for_metadata_can_hang(self) -> None:
        """A request that hangs would let the instance be terminated while it works."""
        assert len(re.findall(r"\bcurl -sf --max-time 5 ", user_data())) == 2
        assert user_data().count("curl") == 2

    def test_its_absolute_paths_are_those_that_the_tests_move(self, tmp_path: Path) -> None:
        """A test of the script changes nothing on the machine that runs the test."""
        script = re.sub(r"https?://\S+|LOG_GROUP=\S+", "", user_data())
        paths = set(re.findall(r"(?<![\w./{-])/[\w./-]+", moved(script, tmp_path)))
        assert {path for path in paths if not path.startswith(str(tmp_path))} == {
            "/bin/bash",
            "/dev/null",
            "/dev/stdin",
            "/proc/meminfo",  # only read
            "/tmp",  # noqa: S108 - the container has one of its own
            "/var/log/cloud-init-output.log",  # systemd's to write, which is a stand-in
        }


LONGEST_MESSAGES: Final = [
    int(seconds) for seconds in product_template()["Parameters"]["MessageSeconds"]["AllowedValues"]
]


class TestDurations:
    """Durations: every limit fits the others, so that no work is interrupted."""

    def test_there_are_work_times_for_every_choice(self) -> None:
        """A choice without work times would fail only on AWS."""
        work_times = product_template()["Mappings"]["WorkTimes"]
        assert set(work_times) == {str(seconds) for seconds in LONGEST_MESSAGES}

    @pytest.mark.parametrize("seconds", LONGEST_MESSAGES)
    def test_work_times_follow_from_the_longest_message(self, seconds: int) -> None:
        """They follow the formulas in the comment above the mapping."""
        times = product_template()["Mappings"]["WorkTimes"][str(seconds)]
        drain, visibility = seconds + 45, 2 * (seconds + 30)
        stop = drain + 10
        hook = stop + 50
        assert times == {"Drain": drain, "Visibility": visibility, "Stop": stop, "Hook": hook}

    @pytest.mark.parametrize("seconds", LONGEST_MESSAGES)
    def test_each_limit_leaves_time_for_the_ones_inside_it(self, seconds: int) -> None:
        """Message < handlers < stop < hook, and a message stays hidden while it is worked on."""
        fleet = product_fleet(MessageSeconds=str(seconds))
        given = container_environment(fleet.user_data, {"INSTANCE_ID": INSTANCE_ID})
        drain, visibility, long_poll = (
            int(given[f"{name}_SECONDS"])
            for name in ("DRAIN", "VISIBILITY_TIMEOUT", "RECEIVE_WAIT")
        )
        (stop,) = map(int, re.findall(r"--stop-timeout (\d+)", fleet.user_data))
        (hook,) = fleet.group.hooks
        looks_every = 5 + 4 * 5  # a sleep, and four requests that take as long as they may
        parts = Drain.of(drain)
        assert seconds + 30 <= parts.handlers
        assert long_poll <= parts.longest_receive
        assert drain < stop
        assert looks_every + stop < hook.heartbeat_timeout
        (unit,) = map(int, re.findall(r"TimeoutStopSec=(\d+)", fleet.user_data))
        assert stop < unit  # systemd waits for Docker when the machine reboots
        assert 2 * parts.handlers <= visibility == fleet.queue.visibility_timeout
        assert hook.default_result == "CONTINUE"
