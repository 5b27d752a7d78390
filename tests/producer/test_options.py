"""Tests of the options, checked as a whole."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from producer.arrivals import Pattern
from producer.options import Options, queue_from
from shared.errors import SettingsError

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"


def problems(options: Options) -> tuple[str, ...]:
    """Return what is wrong with the options."""
    try:
        options.check()
    except SettingsError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(Options(count=0, queue_url=URL), id="count and URL"),
        pytest.param(Options(file="-", queue_name="orders"), id="stdin and name"),
        pytest.param(Options(count=1, dry_run=True), id="dry run without a queue"),
        pytest.param(Options(count=1, queue_name="q", rate=0.1), id="rate"),
        pytest.param(
            Options(count=1, queue_name="q", rate=5, pattern=Pattern.BURST, period=1), id="burst"
        ),
        pytest.param(Options(count=1, queue_name="q", json=True, sent_log=Path("x")), id="outputs"),
    ],
)
def test_options_that_go_together_pass(options: Options) -> None:
    """Options that fit together give no problems."""
    assert problems(options) == ()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        pytest.param(Options(queue_name="q"), "nothing to send", id="neither count nor file"),
        pytest.param(Options(count=1, file="x", queue_name="q"), "--count and --file", id="both"),
        pytest.param(Options(count=1), "no queue: give --queue-url or", id="no queue"),
        pytest.param(
            Options(count=1, queue_url=URL, queue_name="q"), "--queue-url and", id="two queues"
        ),
        pytest.param(Options(count=1, queue_url="orders"), "is not a queue URL", id="no URL"),
        pytest.param(Options(count=1, queue_name="q", rate=0), "--rate 0: give", id="no rate"),
        pytest.param(
            Options(count=1, queue_name="q", rate=-1), "--rate -1: give", id="back in time"
        ),
        pytest.param(Options(count=1, queue_name="q", rate=math.nan), "--rate nan", id="nan"),
        pytest.param(Options(count=1, queue_name="q", rate=math.inf), "--rate inf", id="inf"),
        pytest.param(
            Options(count=1, queue_name="q", pattern=Pattern.RAMP),
            "give --rate",
            id="no rate given",
        ),
        pytest.param(Options(count=1, queue_name="q", period=5), "give --rate", id="period alone"),
        pytest.param(
            Options(count=1, queue_name="q", rate=1, pattern=Pattern.RAMP, period=0),
            "--period 0: give",
            id="no period",
        ),
        pytest.param(
            Options(count=1, queue_name="q", rate=1, period=5),
            "--period has no meaning for --pattern constant",
            id="period of a constant",
        ),
        pytest.param(
            Options(count=1, dry_run=True, json=True), "--json and --dry-run", id="stdout"
        ),
        pytest.param(
            Options(count=1, dry_run=True, sent_log=Path("x")),
            "--sent-log stays",
            id="log of nothing",
        ),
    ],
)
def test_a_conflict_is_reported(options: Options, text: str) -> None:
    """A conflict gives one line, which names the options and what to do."""
    (problem,) = problems(options)

    assert text in problem
    assert "\n" not in problem


def test_all_problems_are_reported_at_once() -> None:
    """All problems are reported in one run."""
    assert len(problems(Options(rate=-1))) == 3


@pytest.mark.parametrize(
    ("url", "name", "environment", "expected"),
    [
        pytest.param(None, None, {}, (None, None), id="nothing"),
        pytest.param(URL, None, {"QUEUE_URL": "x", "QUEUE_NAME": "y"}, (URL, None), id="URL given"),
        pytest.param(None, "q", {"QUEUE_URL": "x"}, (None, "q"), id="a given name beats a set URL"),
        pytest.param(None, None, {"QUEUE_URL": URL, "QUEUE_NAME": "q"}, (URL, None), id="URL set"),
        pytest.param(None, None, {"QUEUE_URL": " ", "QUEUE_NAME": "q"}, (None, "q"), id="empty"),
        pytest.param(None, None, {"QUEUE_NAME": ""}, (None, None), id="both empty"),
    ],
)
def test_the_queue_comes_from_the_command_line_or_else_the_environment(
    url: str | None,
    name: str | None,
    environment: dict[str, str],
    expected: tuple[str | None, str | None],
) -> None:
    """The command line overrides the environment."""
    assert queue_from(url, name, environment) == expected


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        pytest.param(Options(count=90, poison=10, pattern=Pattern.RAMP), 20, id="ramp: the run"),
        pytest.param(Options(file="-", pattern=Pattern.RAMP), 60, id="ramp of a file: a minute"),
        pytest.param(Options(count=0, pattern=Pattern.RAMP), 60, id="ramp of nothing"),
        pytest.param(Options(count=90, pattern=Pattern.BURST), 60, id="burst: a minute"),
        pytest.param(Options(count=90, pattern=Pattern.RAMP, period=7), 7, id="as given"),
    ],
)
def test_a_pattern_has_a_period(options: Options, seconds: float) -> None:
    """The default period depends on pattern, rate and number, here at 5 messages per second."""
    assert options.seconds_of_period(5) == seconds
