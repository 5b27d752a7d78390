"""The commands of the simulator: what they print and draw, and what they refuse."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from support.builders.simulations import OTHER_TEMPLATES
from typer.testing import CliRunner

from tidemill.cli.simulate import app
from tidemill.report.comparison import CLAIRVOYANT
from tidemill.scaling.errors import CalibrationError
from tidemill.scaling.times.calibration import Calibration, Measured, write_calibration
from tidemill.scaling.times.distributions import Constant

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = ("--template", str(PRODUCT_TEMPLATE))


def run(*words: str) -> Any:  # noqa: ANN401 - typer's own result
    """Run a command."""
    return CliRunner().invoke(app, [*words])


def test_one_scenario_is_simulated_as_json() -> None:
    """The figures include the seed, and no message is lost."""
    done = run("simulate", *TEMPLATE, "--scenario", "single", "--seed", "7", "--json")
    assert done.exit_code == 0, done.output
    (figures,) = json.loads(done.stdout)["runs"]
    assert (figures["scenario"], figures["seed"], figures["lost"]) == ("single", 7, 0)
    assert figures["wait_until_processed"]["max"] > 60


def test_the_table_has_a_line_for_each_scenario() -> None:
    """The lines are in the order of the options."""
    done = run("simulate", *TEMPLATE, "--scenario", "burst", "--scenario", "single")
    assert done.exit_code == 0, done.output
    assert done.stdout.index("burst") < done.stdout.index("single")


def test_a_parameter_changes_the_fleet() -> None:
    """A parameter of the template works as in the demo."""
    smaller = ("--parameter", "MaxInstances=2")
    done = run("simulate", *TEMPLATE, "--scenario", "burst", "--json", *smaller)
    assert json.loads(done.stdout)["runs"][0]["peak_instances"] == 2


def test_a_load_has_so_many_times_as_many_messages(tmp_path: Path) -> None:
    """This holds for scenarios and for traces, and the text of a scenario says so."""
    trace = tmp_path / "monday.csv"
    trace.write_text("time,count\n0,4\n60,1\n")
    usual = ("simulate", *TEMPLATE, "--json", "--no-sensitivity", "--load", "3")
    (scenario,) = json.loads(run(*usual, "--scenario", "exercise").stdout)["runs"]
    assert (scenario["sent"], scenario["about"][-26:]) == (960, "; 3 times as many messages")
    (of_trace,) = json.loads(run(*usual, "--trace", str(trace)).stdout)["runs"]
    assert of_trace["sent"] == 15


def test_a_fault_happens_where_it_is_asked_for() -> None:
    """An interruption costs a launch."""
    usual = ("simulate", *TEMPLATE, "--scenario", "burst", "--handler-seconds", "5", "--json")
    launches = [
        json.loads(run(*usual, *more).stdout)["runs"][0]["launches"]
        for more in ((), ("--fault", "spot@600"))
    ]
    assert launches[1] == launches[0] + 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param("flood@600", "flood@600", id="kind"),
        pytest.param("spot", "give the time", id="no-time"),
        pytest.param("spot@", "give the time", id="empty-time"),
        pytest.param("spot@soon", "'soon'", id="time"),
        pytest.param("spot@600,colour=red", "colour=red", id="parameter"),
        pytest.param("metrics-late@0,target=sent", "'sent': choose one of", id="metric"),
        pytest.param("alarms-late@0,late_minutes=0.5", "a whole number", id="part-of-a-minute"),
    ],
)
def test_a_fault_that_cannot_be_understood_is_wrong_usage(fault: str, said: str) -> None:
    """The message names the option and what is wrong with it."""
    result = run("simulate", *TEMPLATE, "--scenario", "single", "--fault", fault)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_fault_of_metrics_is_reported_with_its_begin_and_its_end() -> None:
    """The same message waits longer, because the alarm sees it later."""
    usual = ("simulate", *TEMPLATE, "--scenario", "single", "--json")
    missing = run(*usual, "--fault", "metrics-missing@0,for_minutes=10")
    first = json.loads(run(*usual).stdout)["runs"][0]["mean_wait"]
    assert json.loads(missing.stdout)["runs"][0]["mean_wait"] > first + 300
    assert [line.split("Z: ")[1] for line in missing.stderr.splitlines()] == [
        "SQS's metrics will have no datapoints, for 10 minutes",
        "SQS's metrics: the fault metrics-missing has ended",
    ]


def test_policies_are_compared_under_a_fault() -> None:
    """A fixed fleet does not look at metrics; the template's waits for them."""
    command = ("compare", *TEMPLATE, "--scenario", "single", "--json")
    missing = ("--fault", "metrics-missing@0,for_minutes=30")
    waits = [
        {one["policy"]: one["mean_wait"] for one in json.loads(run(*command, *more).stdout)["runs"]}
        for more in ((), missing)
    ]
    assert waits[1]["template"] > waits[0]["template"] + 1500
    assert waits[1]["fixed at 1"] == waits[0]["fixed at 1"]


def test_a_fault_without_effect_is_reported() -> None:
    """A target that does not exist is named on standard error; the run goes on."""
    result = run("simulate", *TEMPLATE, "--scenario", "single", "--fault", "spot@600,target=i-9")
    assert result.exit_code == 0
    assert "the fault spot did not happen" in result.stderr


def test_a_trace_of_one_s_own_is_simulated(tmp_path: Path) -> None:
    """The run is named after the trace's file."""
    trace = tmp_path / "monday.csv"
    trace.write_text("time,count\n2026-01-05T08:00:00Z,40\n2026-01-05T09:00:00Z,10\n")
    done = run("simulate", *TEMPLATE, "--trace", str(trace), "--json")
    (figures,) = json.loads(done.stdout)["runs"]
    assert (figures["scenario"], figures["sent"]) == ("monday", 50)


@pytest.mark.long
def test_the_same_run_draws_the_same_picture(tmp_path: Path) -> None:
    """The two pictures are identical byte for byte."""
    files = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for file in files:
        done = run("simulate", *TEMPLATE, "--scenario", "single", "--picture", str(file))
        assert done.exit_code == 0, done.output
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.long
def test_a_comparison_has_every_policy_and_the_bounds(tmp_path: Path) -> None:
    """The command draws them in a picture, too."""
    picture = tmp_path / "compared.png"
    done = run("compare", *TEMPLATE, "--scenario", "burst", "--json", "--picture", str(picture))
    assert done.exit_code == 0, done.output
    runs = json.loads(done.stdout)["runs"]
    assert [runs[0]["policy"], runs[-1]["policy"]] == ["template", CLAIRVOYANT]
    assert all(one["mean_wait"] >= runs[-1]["mean_wait"] for one in runs)
    assert all(one["dollars_a_day"] >= runs[-1]["dollars_a_day"] for one in runs)
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(("--scenario", "doom"), "there is no doom", id="no such scenario"),
        pytest.param(("--scenario", "single", "--trace", "x.csv"), "cannot be combined", id="both"),
        pytest.param(("--picture", "x.png"), "one scenario", id="a picture of many"),
        pytest.param(("--picture", "x.gif"), "ends in .png or .svg", id="a picture of what kind"),
        pytest.param(("--picture", "nowhere/x.png"), "no folder nowhere", id="a picture where"),
        pytest.param(("--parameter", "MaxInstances"), "NAME=VALUE", id="no value"),
    ],
)
def test_wrong_usage_is_reported(words: tuple[str, ...], says: str) -> None:
    """The exit code is that of wrong usage, and there is no traceback."""
    done = run("simulate", *TEMPLATE, *words)
    assert done.exit_code == 2
    assert says in " ".join(done.output.replace("│", " ").split())


def test_a_trace_that_is_not_there_is_no_traceback() -> None:
    """It is wrong usage, in one line."""
    done = run("simulate", *TEMPLATE, "--trace", "nowhere.csv")
    assert done.exit_code == 2
    assert "cannot read nowhere.csv" in " ".join(done.output.replace("│", " ").split())


def test_a_fleet_that_never_works_has_no_time_to_drain() -> None:
    """Messages that all expire leave null in the figures and a dash in the table."""
    template = OTHER_TEMPLATES / "sam_with_globals.yaml"
    words = ("simulate", "--template", str(template), "--scenario", "asleep")
    (figures,) = json.loads(run(*words, "--json").stdout)["runs"]
    assert (figures["processed"], figures["seconds_to_drain"]) == (0, None)
    assert run(*words).exit_code == 0


def test_the_effect_of_uncertain_times_is_printed() -> None:
    """A short scenario has it by default, as a table and in JSON; any other on request."""
    usual = ("simulate", *TEMPLATE, "--scenario", "single")
    assert "How p95 moves" in run(*usual).stdout
    found = json.loads(run(*usual, "--json").stdout)["sensitivity"]
    assert {one["grade"] for one in found} == {"guessed", "polled"}
    assert json.loads(run(*usual, "--no-sensitivity", "--json").stdout)["sensitivity"] == []
    asleep = ("simulate", *TEMPLATE, "--scenario", "asleep", "--json")
    assert json.loads(run(*asleep).stdout)["sensitivity"] == []
    faulty = run(*usual, "--fault", "spot@600", "--json")
    assert json.loads(faulty.stdout)["sensitivity"] == []
    asked = json.loads(run(*asleep, "--sensitivity").stdout)["sensitivity"]
    assert {one["scenario"] for one in asked} == {"asleep"}


def test_times_that_were_measured_replace_the_usual_ones(tmp_path: Path) -> None:
    """A boot whose every stage takes no time shortens a single message's wait by a minute."""
    names = ("launch_request", "pending", "os_boot", "installs", "image_pull", "consumer_start")
    none = Measured(Constant(0.0), "now", 1, "a test")
    (tmp_path / "mine.json").write_text(
        write_calibration(Calibration("s", "r", "now", dict.fromkeys(names, none)))
    )
    waits = [
        json.loads(run("simulate", *TEMPLATE, "--scenario", "single", "--json", *more).stdout)
        for more in ((), ("--times", str(tmp_path / "mine.json")))
    ]
    usual, mine = (one["runs"][0]["wait_until_processed"]["max"] for one in waits)
    assert 40 < usual - mine < 80
    assert "installs" not in {one["time"] for one in waits[1]["sensitivity"]}


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        pytest.param(None, 2, "--times: cannot read", id="no file"),
        pytest.param("{}", None, "schema_version is null", id="no times"),
    ],
)
@pytest.mark.parametrize("command", ["simulate", "compare"])
def test_a_wrong_file_of_times_is_refused(
    tmp_path: Path, command: str, content: str | None, code: int | None, says: str
) -> None:
    """Before anything runs, in one line."""
    path = tmp_path / "mine.json"
    if content is not None:
        path.write_text(content)
    done = run(command, *TEMPLATE, "--scenario", "single", "--times", str(path))
    if code is None:
        assert isinstance(done.exception, CalibrationError)
        assert says in str(done.exception)
    else:
        assert done.exit_code == code
        assert says in " ".join(done.stderr.split())


@pytest.mark.parametrize("change", ["MaxInstances=0", "typo"])
@pytest.mark.parametrize("command", ["simulate", "compare"])
def test_a_fleet_that_never_wakes_is_reported_in_valid_json(
    tmp_path: Path, command: str, change: str
) -> None:
    """Its messages expire; a figure that does not exist is null, never NaN or Infinity."""
    path = tmp_path / "t.yaml"
    text = PRODUCT_TEMPLATE.read_text()
    if change == "typo":
        text = text.replace("MetricName: ApproximateNumberOfMessages", "MetricName: Messages")
    path.write_text(re.sub(r"(MaxInstances:(?s:.){0,300}?)MinValue: 1", r"\1MinValue: 0", text))
    more = () if change == "typo" else ("--parameter", change)
    done = run(command, "--template", str(path), "--scenario", "single", "--json", *more)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout, parse_constant=pytest.fail)
    ours = found["runs"][0]
    assert (ours["processed"], ours["expired"], ours["seconds_to_drain"]) == (0, 1, None)


def test_an_assumed_worker_is_named() -> None:
    """The waits of a foreign template rest on Tidemill's own worker, and the output says so."""
    foreign = ("--template", str(OTHER_TEMPLATES / "visible_step.yaml"), "--scenario", "single")
    for command in ("simulate", "compare"):
        found = json.loads(run(command, *foreign, "--json").stdout)
        (sentence,) = found["assumed"]
        assert sentence.endswith("assumed are workers that take 10 messages and then wait 60 s")
        assert (
            json.loads(run(command, *TEMPLATE, "--scenario", "single", "--json").stdout)["assumed"]
            == []
        )
    assert "assumed: " in run("simulate", *foreign).stdout
