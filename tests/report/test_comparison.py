"""The chapter on the template's policy against others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tidemill.report.comparison import FRONTIER, comparison_chapter, is_better


def run(policy: str, wait: float | None, dollars: float, *beaten_by: str) -> dict[str, Any]:
    """Return the figures of one policy, as a comparison has them."""
    return {
        "policy": policy,
        "scenario": "single",
        "seed": 7,
        "mean_wait": wait,
        "dollars_a_day": dollars,
        "dollars_a_day_by_item": {"alarms": 0.03, "instances": 0.002},
        "beaten_by": list(beaten_by),
        "on_frontier": not beaten_by,
    }


BOUNDS = {
    "policy": "clairvoyant",
    "scenario": "single",
    "seed": 7,
    "mean_wait": 0.0,
    "dollars_a_day": 0.0003,
}


def chapter(*runs: dict[str, Any]) -> str:
    """Return the chapter's text."""
    return "\n".join(comparison_chapter([*runs, BOUNDS], "docs/comparison.png"))


def test_the_table_has_a_row_for_each_scenario_and_marks_the_frontier() -> None:
    """Policies on the frontier are bold; the clairvoyant's bounds never are."""
    text = chapter(run("template", 92.4, 0.0321), run("fixed at 1", 26.4, 0.6028))
    assert "seed 7" in text
    assert "| scenario | template | fixed at 1 | clairvoyant |" in text
    assert "| single | **92 s, $0.032** | **26 s, $0.603** | 0 s, $0.000 |" in text
    assert "on the frontier in 1 of 1 scenarios: `single`." in text
    assert "](docs/comparison.png)" in text


@pytest.mark.parametrize(
    ("wait", "dollars", "left", "better"),
    [
        pytest.param(60.0, 0.9, 0, True, id="faster, and two cents cheaper"),
        pytest.param(60.0, 0.911, 0, False, id="faster, and less than a cent cheaper"),
        pytest.param(61.0, 0.1, 0, False, id="as fast"),
        pytest.param(59.0, 2.0, 0, False, id="faster, and dearer"),
        pytest.param(60.0, 0.9, 5, False, id="faster and cheaper, with messages left"),
        pytest.param(None, 0.0, 0, False, id="nothing processed"),
    ],
)
def test_a_better_policy_is_faster_and_more_than_a_cent_a_day_cheaper(
    wait: float | None,
    dollars: float,
    left: int,
    better: bool,  # noqa: FBT001 - a case
) -> None:
    """Differences below a cent are no reason to call a policy beaten."""
    one = run("other", wait, dollars) | {"left": left}
    assert is_better(one, run("template", 61.0, 0.92) | {"left": 0}) is better


def test_the_chapter_and_the_pages_have_the_definition() -> None:
    """The chapter and docs/simulator.md say when a policy is on the frontier."""
    assert FRONTIER in chapter(run("template", 92.4, 0.0321))
    page = Path(__file__).parents[2] / "docs/simulator.md"
    assert FRONTIER in page.read_text(encoding="utf-8")


def test_a_policy_that_never_rests_has_a_dash_and_its_reason() -> None:
    """It has neither a wait nor a cost."""
    failed = {"policy": "template", "failed": "single, template: the fleet never rests"}
    text = chapter(run("template", None, 0.0) | failed | {"on_frontier": False})
    assert "| single | - | 0 s, $0.000 |" in text
    assert "- single, template: the fleet never rests" in text


def test_the_text_says_which_policies_beat_the_template_and_what_helps() -> None:
    """The text has the policies that are better, and the cost of the template's alarms."""
    text = chapter(
        run("template", 92.4, 0.0321, "one by one"),
        run("template with FastSignal", 62.4, 0.1836),
        run("one by one", 92.4, 0.0074),
    )
    assert "on the frontier in 0 of 1 scenarios." in text
    assert "- `single`: the template has 92 s, $0.032; one by one has 92 s, $0.007." in text
    assert "the metrics of the template's alarms cost $0.030" in text
    assert "On the frontier instead: template with FastSignal has 62 s, $0.184." in text


def test_a_variant_that_does_not_help_is_left_out() -> None:
    """A variant that is beaten itself is not recommended."""
    text = chapter(
        run("template", 92.4, 0.0321, "one by one"),
        run("template with FastSignal", 95.0, 0.2, "one by one"),
        run("one by one", None, 0.0074),
    )
    assert "On the frontier instead" not in text
    assert "one by one has -, $0.007" in text
