"""User data: the script runs as on an instance, with stand-ins for everything around it."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
from support.builders.fleets import product_fleet, product_template
from support.fakes import stand_in
from support.fakes.instance import (
    INSTANCE_ID,
    PLACE,
    REPOSITORY,
    Failure,
    live,
    moved,
    needed_command,
    user_data,
)
from support.fakes.metadata import NOT_FOUND, OUTAGE, SILENCE

from consumer import settings
from consumer.setting_table import SETTINGS
from tidemill.scaling.template.fleet import read_fleet
from tidemill.scaling.template.user_data import container_environment

if TYPE_CHECKING:
    from pathlib import Path

    from support.fakes.instance import Life

STATE: Final = "autoscaling/target-lifecycle-state"
SPOT: Final = "spot/instance-action"
NOTICE: Final = '{"action": "terminate", "time": "2026-01-01T00:02:00Z"}'
METRIC: Final = ("aws", "cloudwatch", "put-metric-data")
COMPLETE: Final = ("aws", "autoscaling", "complete-lifecycle-action")
STOP: Final = ("docker", "stop")
WORKER: Final = "/usr/local/bin/worker"
FLAGS: Final = {"--detach", "--read-only"}
"""Options of `docker run` that take no value."""


def options(call: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the options of a `docker run`, each with its value, and the image as the last."""
    words = list(call[2:])
    found = []
    while words:
        word = words.pop(0)
        takes_value = word.startswith("--") and word not in FLAGS
        found.append((word, words.pop(0) if takes_value else ""))
    return found


def environment(life: Life) -> dict[str, str]:
    """Return the environment that the instance gave its consumer."""
    (run,) = life.of("docker", "run")
    given = [value.partition("=") for name, value in options(run) if name == "--env"]
    return {name: value for name, _, value in given}


def after(life: Life, *words: str) -> list[tuple[str, ...]]:
    """Return the calls after the first that begins with these words."""
    return list(life.calls[life.calls.index(life.of(*words)[0]) + 1 :])


@pytest.mark.impure
class TestBoot:
    """Boot: from the start of the script to a working consumer."""

    def test_everything_happens_in_order(self, tmp_path: Path) -> None:
        """Each step needs the ones before it."""
        steps = [call[:2] for call in live(tmp_path).commands]
        # The password's source and the login run side by side, joined by a pipe.
        assert abs(steps.index(("aws", "ecr")) - steps.index(("docker", "login"))) == 1
        steps.remove(("aws", "ecr"))
        assert steps == [
            ("systemctl", "disable"),
            ("systemd-run", "--no-block"),
            ("amazon-cloudwatch-agent-ctl", "-a"),
            ("docker", "image"),
            ("docker", "login"),
            ("docker", "rm"),
            ("docker", "run"),
            ("docker", "inspect"),
            ("docker", "stop"),
            ("aws", "autoscaling"),
        ]

    def test_a_unit_beside_docker_does_the_work(self, tmp_path: Path) -> None:
        """With Requires, an instance without Docker would stay idle, and the unit end with it."""
        life = live(tmp_path)
        (run,) = life.of("systemd-run")
        properties = {run[i + 1] for i, word in enumerate(run) if word == "--property"}
        assert run[1:4] == ("--no-block", "--unit", "worker")
        assert run[-1] == f"{tmp_path}{WORKER}"
        assert {"Wants=docker.service", "After=docker.service"} <= properties
        assert life.of("systemctl") == [("systemctl", "disable", "--now", "--no-block", "ecs")]

    def test_the_agent_collects_the_units_output(self, tmp_path: Path) -> None:
        """The reason why an instance failed can then be read after it is terminated."""
        (run,) = live(tmp_path).of("systemd-run")
        (log,) = {word.partition("append:")[2] for word in run} - {""}
        agent = product_template()["Resources"]["AgentConfigParameter"]["Properties"]["Value"]
        files = json.loads(agent["Fn::Sub"][0])["logs"]["logs_collected"]["files"]["collect_list"]
        assert log in {file["file_path"] for file in files}

    def test_the_agent_reads_its_configuration_from_the_parameter(self, tmp_path: Path) -> None:
        """The parameter is the one that the template creates."""
        (agent,) = live(tmp_path).of("amazon-cloudwatch-agent-ctl")
        assert " ".join(agent[1:]) == "-a fetch-config -m ec2 -s -c ssm:AmazonCloudWatch-shop"

    def test_the_registrys_password_is_on_standard_input_only(self, tmp_path: Path) -> None:
        """All users of a machine can read command lines, and many people can read logs."""
        life = live(tmp_path)
        (login,) = life.of("docker", "login")
        assert login[2:] == ("--username", "AWS", "--password-stdin", REPOSITORY)
        assert life.of("stdin", "docker") == [("stdin", "docker", f"{stand_in.SECRET}\n")]
        words = [word for call in life.calls if call[0] != "stdin" for word in call]
        assert not [word for word in words if stand_in.SECRET in word]
        assert stand_in.SECRET not in life.output

    def test_the_consumer_runs_fenced_in_and_is_started_again(self, tmp_path: Path) -> None:
        """The container has no unneeded rights, bounded logs, and time to drain."""
        (run,) = live(tmp_path).of("docker", "run")
        given = [option for option in options(run) if option[0] != "--env"]
        assert given == [
            ("--detach", ""),
            ("--name", "consumer"),
            ("--restart", "unless-stopped"),
            ("--stop-timeout", "105"),
            ("--read-only", ""),
            ("--cap-drop", "ALL"),
            ("--security-opt", "no-new-privileges"),
            ("--log-opt", "max-size=50m"),
            ("--log-opt", "max-file=2"),
            (f"{REPOSITORY}:none-yet", ""),
        ]

    def test_the_templates_parameters_become_the_consumers_settings(self, tmp_path: Path) -> None:
        """Each parameter becomes a setting, and the consumer accepts all of them."""
        script = user_data(
            ImageTag="3f9c2ab",
            Handler="mine.handlers:charge",
            MessageSeconds="300",
            PollWaitSeconds="0",
            MessagesPerPoll="25",
            Concurrency="4",
        )
        life = live(tmp_path, script)
        given = environment(life)
        assert given == {
            "AWS_REGION": PLACE.region,
            "AWS_DEFAULT_REGION": PLACE.region,
            "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/shop-work",
            "INSTANCE_ID": INSTANCE_ID,
            "LOG_GROUP": "/tidemill/shop/workers",
            "HANDLER": "mine.handlers:charge",
            "CONCURRENCY": "4",
            "MESSAGES_PER_POLL": "25",
            "POLL_WAIT_SECONDS": "0",
            "RECEIVE_WAIT_SECONDS": "20",
            "VISIBILITY_TIMEOUT_SECONDS": "660",
            "DRAIN_SECONDS": "330",
            "RETRY_DELAY_SECONDS": "30",
            "RETRY_DELAY_MAX_SECONDS": "900",
        }
        assert life.of("docker", "run")[0][-1] == f"{REPOSITORY}:3f9c2ab"
        assert settings.read(given, "host").handler == "mine.handlers:charge"

    def test_no_setting_of_the_consumer_is_forgotten(self, tmp_path: Path) -> None:
        """Settings that are not given have a default that is right on an instance."""
        known = {setting.name for setting in SETTINGS}
        given = environment(live(tmp_path)).keys()
        assert known - given == {"QUEUE_NAME", "LOG_STREAM", "LOG_LEVEL", "METRICS_NAMESPACE"}
        assert given - known == {"AWS_DEFAULT_REGION", "AWS_REGION"}

    @pytest.mark.parametrize(
        ("missing", "first_use"),
        [
            pytest.param("awscli-2", ("aws",), id="aws-cli"),
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

    def test_nothing_is_installed_that_is_there(self, tmp_path: Path) -> None:
        """A private network may have no route to the packages."""
        assert live(tmp_path).of("dnf") == []

    def test_no_password_is_asked_for_where_the_image_is_there(self, tmp_path: Path) -> None:
        """If the machine image contains the image, docker uses it."""
        life = live(tmp_path, images=[f"{REPOSITORY}:none-yet"])
        assert life.of("aws", "ecr") == life.of("docker", "login") == []
        assert life.of("docker", "run")
        assert life.of("poweroff") == []

    def test_another_tag_than_the_one_that_is_there_is_fetched(self, tmp_path: Path) -> None:
        """A new consumer image does not require a new machine image."""
        life = live(tmp_path, user_data(ImageTag="new"), images=[f"{REPOSITORY}:none-yet"])
        assert (
            life.of("docker", "login")[0]
            in life.calls[: life.calls.index(life.of("docker", "run")[0])]
        )

    @pytest.mark.parametrize(
        "harmless",
        [
            pytest.param(("systemctl", "disable"), id="no-ecs-agent"),
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


@pytest.mark.impure
class TestFailedBoot:
    """Failed boot: an instance without a consumer reports that once and powers off once."""

    FAILURES: Final = {
        "agent": Failure(("amazon-cloudwatch-agent-ctl",)),
        "password": Failure(("aws", "ecr")),
        "login": Failure(("docker", "login")),
        "run": Failure(("docker", "run")),
        "inspect": Failure(("docker", "inspect")),
    }

    def assert_gave_up(self, life: Life) -> None:
        """Check that it published the metric once, then powered off once, and did no more."""
        (metric,) = life.of(*METRIC)
        assert " ".join(metric[len(METRIC) :]) == (
            "--namespace Tidemill --metric-name BootFailures --dimensions Stack=shop --value 1"
        )
        assert [call for call in after(life, *METRIC) if call[0] != "sleep"] == [("poweroff",)]
        assert life.of("docker", "stop") == []
        assert life.of(*COMPLETE) == []

    @pytest.mark.parametrize("metric_fails", [False, True], ids=["published", "unpublished"])
    @pytest.mark.parametrize("step", FAILURES)
    def test_a_step_that_fails_ends_the_instance(
        self, tmp_path: Path, step: str, *, metric_fails: bool
    ) -> None:
        """It powers off even if it cannot publish the metric."""
        failures = [self.FAILURES[step]] + [Failure(METRIC)] * metric_fails
        life = live(tmp_path, failures=failures)
        self.assert_gave_up(life)
        assert "the consumer does not start: " in life.output

    @pytest.mark.parametrize(
        "metadata",
        [
            pytest.param({"token": [OUTAGE]}, id="no-token"),
            pytest.param({"token": [SILENCE]}, id="token-without-answer"),
            pytest.param({"instance-id": [NOT_FOUND]}, id="no-instance-id"),
            pytest.param({"instance-id": [SILENCE]}, id="instance-id-without-answer"),
        ],
    )
    def test_an_instance_without_metadata_ends(
        self, tmp_path: Path, metadata: dict[str, list[str | int]]
    ) -> None:
        """Without metadata it knows neither its own id nor its target state."""
        life = live(tmp_path, metadata=metadata)
        self.assert_gave_up(life)
        assert "the consumer does not start: INSTANCE_ID=" in life.output

    def test_an_agent_that_cannot_be_installed_ends_the_instance(self, tmp_path: Path) -> None:
        """Without the agent nobody could monitor the instance."""
        self.assert_gave_up(live(tmp_path, failures=[Failure(("dnf",))], installed=["awscli-2"]))

    def test_an_instance_without_the_cli_still_ends(self, tmp_path: Path) -> None:
        """Without the AWS command line it cannot publish the metric."""
        life = live(tmp_path, failures=[Failure(("dnf",))], installed=["amazon-cloudwatch-agent"])
        assert life.commands[-2:] == [("dnf", "-y", "-q", "install", "awscli-2"), ("poweroff",)]
        assert life.of("poweroff") == [("poweroff",)]

    def test_a_consumer_that_crashes_at_once_ends_the_instance(self, tmp_path: Path) -> None:
        """Docker would restart it again and again, and the instance would never work."""
        self.assert_gave_up(live(tmp_path, restarts=3))

    @pytest.mark.parametrize(
        ("hanging", "installed"),
        [
            pytest.param(("dnf",), ["awscli-2"], id="install"),
            pytest.param(("docker", "login"), list(stand_in.PACKAGES), id="login"),
            pytest.param(("docker", "run"), list(stand_in.PACKAGES), id="run"),
        ],
    )
    def test_a_boot_that_hangs_ends_the_instance(
        self, tmp_path: Path, hanging: tuple[str, ...], installed: list[str]
    ) -> None:
        """An instance that hangs costs money while messages wait."""
        life = live(tmp_path, failures=[Failure(hanging, how="hangs")], installed=installed)
        self.assert_gave_up(life)
        assert ("sleep", "900") in after(life, *hanging)
        assert "the consumer does not start: not within 15 minutes" in life.output

    def test_the_agent_has_time_to_send_the_reason(self, tmp_path: Path) -> None:
        """The agent sends every five seconds, and unsent lines are lost at power-off."""
        life = live(tmp_path, failures=[Failure(("docker", "run"))])
        assert [float(call[1]) for call in after(life, *METRIC) if call[0] == "sleep"] >= [10.0]

    @pytest.mark.parametrize(
        ("script", "failures"),
        [
            pytest.param(user_data(), [Failure(("systemd-run",))], id="no-unit"),
            pytest.param(
                user_data().replace(WORKER, "/usr/local/bin/not-there/worker", 1), [], id="no-disk"
            ),
        ],
    )
    def test_a_script_that_starts_no_unit_ends_the_instance(
        self, tmp_path: Path, script: str, failures: list[Failure]
    ) -> None:
        """Nothing else would terminate the instance."""
        life = live(tmp_path, script, failures=failures)
        assert ("poweroff",) in life.calls
        assert life.of("docker") == []

    def test_the_alarm_for_people_uses_the_metric(self, tmp_path: Path) -> None:
        """The script publishes the namespace, name and dimension that the alarm uses."""
        life = live(tmp_path, failures=[Failure(("docker", "run"))])
        alarm = product_template()["Resources"]["BootFailureAlarm"]["Properties"]
        ((dimension),) = alarm["Dimensions"]
        assert dimension == {"Name": "Stack", "Value": {"Ref": "AWS::StackName"}}
        (metric,) = life.of(*METRIC)
        assert metric[4] == alarm["Namespace"]
        assert metric[6] == alarm["MetricName"]


@pytest.mark.impure
class TestLeaving:
    """Termination: the instance stops its consumer and completes the hook."""

    def assert_left(self, life: Life) -> None:
        """Check that the consumer was stopped and the hook completed, in this order, once."""
        group = read_fleet(product_template(), {}, PLACE).group
        (hook,) = group.hooks
        stop, complete = life.commands[-2:]
        assert stop == (*STOP, "consumer")
        assert " ".join(complete) == (
            f"{' '.join(COMPLETE)} --auto-scaling-group-name {group.name} --lifecycle-hook-name "
            f"{hook.name} --lifecycle-action-result CONTINUE --instance-id {INSTANCE_ID}"
        )
        assert len(life.of(*STOP)) == len(life.of(*COMPLETE)) == 1
        assert life.of("poweroff") == life.of(*METRIC) == []

    def watched(self, life: Life, path: str) -> list[str]:
        """Return the metadata's answers at this path before the consumer was stopped."""
        before = life.calls[: life.calls.index(life.of(*STOP)[0])]
        return [call[2] for call in before if call[:2] == ("metadata", path)]

    def test_a_terminated_target_state_ends_it(self, tmp_path: Path) -> None:
        """Auto Scaling keeps the instance in its hook until the script completes it."""
        life = live(tmp_path, metadata={STATE: ["Terminated"]})
        self.assert_left(life)
        assert self.watched(life, STATE) == ["Terminated"]

    def test_no_other_state_does(self, tmp_path: Path) -> None:
        """A missing state or unreachable metadata does not stop the consumer either."""
        states: list[str | int] = [
            *(NOT_FOUND, NOT_FOUND, "InService", "InService", OUTAGE, SILENCE, "", "Standby"),
            *("Detached", "Warmed:Stopped", "InService", "Terminated"),
        ]
        life = live(tmp_path, metadata={STATE: states})
        self.assert_left(life)
        assert self.watched(life, STATE) == [str(state) for state in states]
        assert life.of("sleep", "5") == [("sleep", "5")] * (len(states) - 1)

    def test_a_spot_notice_ends_it(self, tmp_path: Path) -> None:
        """Two minutes are left then, and the target state may not change at all."""
        notices: list[str | int] = [NOT_FOUND, OUTAGE, NOTICE]
        life = live(tmp_path, metadata={STATE: ["InService"], SPOT: notices})
        self.assert_left(life)
        assert self.watched(life, SPOT) == [str(notice) for notice in notices]
        assert NOTICE in life.output

    @pytest.mark.parametrize("trouble", [OUTAGE, SILENCE], ids=["error", "no-answer"])
    def test_it_keeps_watching_without_a_token(self, tmp_path: Path, trouble: int) -> None:
        """The boot takes the first token, and each check takes two."""
        tokens: list[str | int] = ["boot", *[trouble] * 6, "again"]
        life = live(tmp_path, metadata={"token": tokens, STATE: ["Terminated"]})
        self.assert_left(life)
        assert life.of("sleep", "5") == [("sleep", "5")] * 3
        assert not [call for call in life.of("metadata") if call[2] == "401"]

    def test_a_hook_that_cannot_be_completed_is_tried_again(self, tmp_path: Path) -> None:
        """After a Spot notice the hook may not have started; meanwhile the power stays on."""
        life = live(tmp_path, failures=[Failure(COMPLETE, at=1), Failure(COMPLETE, at=2)])
        assert [call[:3] for call in after(life, *STOP) if call[0] != "sleep"] == [COMPLETE] * 3
        assert life.of(*STOP) == [(*STOP, "consumer")]
        assert life.of("poweroff") == life.of(*METRIC) == []

    def test_a_consumer_that_cannot_be_stopped_keeps_nobody_waiting(self, tmp_path: Path) -> None:
        """Its messages return to the queue, and waiting for the hook's timeout would not help."""
        self.assert_left(live(tmp_path, failures=[Failure(STOP)]))

    def test_the_limit_of_the_boot_is_off_by_then(self, tmp_path: Path) -> None:
        """A consumer that works for longer than a boot may take is not powered off."""
        life = live(tmp_path, failures=[Failure(STOP, how="takes long")])
        self.assert_left(life)
        assert life.of("sleep", "900") == [("sleep", "900", "for nobody")]

    def test_what_fails_while_it_watches_ends_neither_watch_nor_power(self, tmp_path: Path) -> None:
        """Once the consumer works, a failure of the script must not end it."""
        states: list[str | int] = ["InService", "InService", "Terminated"]
        self.assert_left(
            live(tmp_path, metadata={STATE: states}, failures=[Failure(("sleep", "5"))])
        )


class TestText:
    """Text: checks of the script that do not run it."""

    def test_it_is_short(self) -> None:
        """EC2 takes 16 KB; nobody reads more than 40 lines."""
        longest = user_data(Handler="m." + "x" * 100 + ":f", ImageTag="t" * 128)
        assert len(longest.splitlines()) < 40
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
        drain = seconds + 30
        stop = drain + 45
        assert times == {"Drain": drain, "Visibility": 2 * drain, "Stop": stop, "Hook": stop + 50}

    @pytest.mark.parametrize("seconds", LONGEST_MESSAGES)
    def test_each_limit_leaves_time_for_the_ones_inside_it(self, seconds: int) -> None:
        """Message < drain < stop < hook, and a message stays hidden while it is worked on."""
        fleet = product_fleet(MessageSeconds=str(seconds))
        given = container_environment(fleet.user_data, {"INSTANCE_ID": INSTANCE_ID})
        drain, visibility, long_poll = (
            int(given[f"{name}_SECONDS"])
            for name in ("DRAIN", "VISIBILITY_TIMEOUT", "RECEIVE_WAIT")
        )
        (stop,) = map(int, re.findall(r"--stop-timeout (\d+)", fleet.user_data))
        (hook,) = fleet.group.hooks
        looks_every = 5 + 4 * 5  # a sleep, and four requests that take as long as they may
        assert seconds < drain
        assert drain + long_poll < stop
        assert looks_every + stop < hook.heartbeat_timeout
        assert 2 * drain <= visibility == fleet.queue.visibility_timeout
        assert hook.default_result == "CONTINUE"
