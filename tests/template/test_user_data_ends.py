"""End of an instance: its user data powers it off after a failed boot, and when it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from support.builders.fleets import product_template
from support.fakes import stand_in
from support.fakes.instance import INSTANCE_ID, PLACE, UP, Failure, live, user_data
from support.fakes.metadata import NOT_FOUND, OUTAGE, SILENCE

from tidemill.scaling.template.fleet import read_fleet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.fakes.instance import Life

WORKER: Final = "/usr/local/bin/worker"


STATE: Final = "autoscaling/target-lifecycle-state"
SPOT: Final = "spot/instance-action"
NOTICE: Final = '{"action": "terminate", "time": "2026-01-01T00:02:00Z"}'
AGENT: Final = "amazon-cloudwatch-agent-ctl"
METRIC: Final = ("aws", "cloudwatch", "put-metric-data")
COMPLETE: Final = ("aws", "autoscaling", "complete-lifecycle-action")
STOP: Final = ("docker", "stop")


def after(life: Life, *words: str) -> list[tuple[str, ...]]:
    """Return the calls after the first that begins with these words."""
    return list(life.calls[life.calls.index(life.of(*words)[0]) + 1 :])


@pytest.mark.impure
class TestFailedBoot:
    """Failed boot: an instance without a consumer reports that once and powers off once."""

    FAILURES: Final = {
        "run": Failure(("docker", "run")),
        "inspect": Failure(("docker", "inspect")),
    }

    def assert_gave_up(self, life: Life, then: Sequence[str] = ()) -> None:
        """Check that it published the metric once, then powered off once, and did no more."""
        (metric,) = life.of(*METRIC)
        assert " ".join(metric[len(METRIC) :]) == (
            "--namespace Tidemill --dimensions Stack=shop --value 1 --metric-name BootFailures"
        )
        # The agent sends the boot log before the power goes.
        assert [call[0] for call in after(life, *METRIC)] == [*then, AGENT, "sleep", "poweroff"]
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
        assert life.console in life.output
        assert life.console.startswith("the consumer does not start: ")

    @pytest.mark.parametrize(
        "metadata",
        [
            pytest.param({"token": [OUTAGE]}, id="no-token"),
            pytest.param({"instance-id": [NOT_FOUND]}, id="no-instance-id"),
        ],
    )
    def test_an_instance_without_metadata_ends(
        self, tmp_path: Path, metadata: dict[str, list[str | int]]
    ) -> None:
        """Without metadata it knows neither its own id nor its target state."""
        life = live(tmp_path, metadata=metadata)
        self.assert_gave_up(life)
        assert life.console == (
            "the consumer does not start: the metadata service does not answer\n"
        )
        assert len(life.of("sleep", "5")) == 6

    def test_an_instance_that_can_install_nothing_ends(self, tmp_path: Path) -> None:
        """The console is then the only place that has the reason."""
        life = live(tmp_path, failures=[Failure(("dnf",))], installed=[])
        assert [call[-1] for call in life.commands if call[0] in ("dnf", "poweroff")] == [
            "amazon-ecr-credential-helper",
            "awscli-2",
            "amazon-cloudwatch-agent",
            "poweroff",
        ]
        assert life.console == (
            "the consumer does not start: dnf -y -q install amazon-ecr-credential-helper\n"
        )

    def test_what_reporting_needs_is_installed_for_it(self, tmp_path: Path) -> None:
        """On the usual image neither the command line nor the agent is there yet."""
        life = live(tmp_path, failures=[Failure(("docker", "run"))], installed=[])
        self.assert_gave_up(life, then=["dnf"])
        assert [call[-1] for call in life.of("dnf")] == list(stand_in.PACKAGES)

    @pytest.mark.parametrize(
        "states",
        [
            pytest.param([f"running, {number} restarts" for number in range(8)], id="restarts"),
            pytest.param(["restarting, 9 restarts"], id="waits-to-be-restarted"),
            pytest.param([UP, "exited, 0 restarts"], id="ended"),
        ],
    )
    def test_a_consumer_that_does_not_stay_up_ends_the_instance(
        self, tmp_path: Path, states: list[str]
    ) -> None:
        """Docker would restart it again and again, and the instance would never work."""
        life = live(tmp_path, states=states)
        self.assert_gave_up(life)
        assert life.console == f"the consumer does not start: {states[-1]}\n"
        assert life.of("sleep", "10") == [("sleep", "10")] * 4

    @pytest.mark.parametrize(
        ("hanging", "installed"),
        [
            pytest.param(
                ("dnf", "-y", "-q", "install", "amazon-ecr-credential-helper"),
                ["awscli-2", "amazon-cloudwatch-agent"],
                id="install",
            ),
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
            pytest.param(user_data(), [Failure(("systemctl", "enable"))], id="no-unit"),
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
        assert metric[-1] == alarm["MetricName"]


@pytest.mark.impure
class TestLeaving:
    """Termination: the instance stops its consumer and completes the hook."""

    def assert_left(self, life: Life) -> None:
        """Check that the consumer was stopped and the hook completed, in this order, once."""
        group = read_fleet(product_template(), {}, PLACE).group
        (hook,) = group.hooks
        stop, complete = [call for call in life.commands if call[0] != AGENT][-2:]
        assert stop == (*STOP, "consumer")
        assert " ".join(complete) == (
            f"{' '.join(COMPLETE)} --auto-scaling-group-name {group.name} --lifecycle-hook-name "
            f"{hook.name} --lifecycle-action-result CONTINUE --instance-id {INSTANCE_ID}"
        )
        assert len(life.of(*COMPLETE)) == 1
        assert life.of("poweroff") == life.of(*METRIC) == []

    def watched(self, life: Life, path: str) -> list[str]:
        """Return the metadata's answers at this path before the consumer was stopped."""
        before = life.calls[: len(life.calls) - life.calls[::-1].index((*STOP, "consumer")) - 1]
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
        assert life.of(*COMPLETE) == life.of(*COMPLETE)[:1] * 3
        assert life.of(*STOP) == [(*STOP, "consumer")] * 2  # the first before the boot's start
        assert life.of("poweroff") == life.of(*METRIC) == []

    def test_a_consumer_that_cannot_be_stopped_keeps_nobody_waiting(self, tmp_path: Path) -> None:
        """Its messages return to the queue, and waiting for the hook's timeout would not help."""
        self.assert_left(live(tmp_path, failures=[Failure(STOP)]))

    def test_the_limit_of_the_boot_is_off_by_then(self, tmp_path: Path) -> None:
        """A consumer that works for longer than a boot may take is not powered off."""
        life = live(tmp_path, failures=[Failure(STOP, at=2, how="takes long")])
        self.assert_left(life)
        assert life.of("sleep", "900") == [("sleep", "900", "for nobody")]

    def test_what_fails_while_it_watches_ends_neither_watch_nor_power(self, tmp_path: Path) -> None:
        """Once the consumer works, a failure of the script must not end it."""
        states: list[str | int] = ["InService", "InService", "Terminated"]
        self.assert_left(
            live(tmp_path, metadata={STATE: states}, failures=[Failure(("sleep", "5"))])
        )
