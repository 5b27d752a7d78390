"""Findings in the product's own template, and in templates of many shapes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.builders.fleets import product_text

from tidemill.lint.check import CONTAINER_RULES, DRAIN_RULES, RULES, lint
from tidemill.scaling.errors import TemplateError

FOLDER = Path(__file__).parents[1] / "scaling" / "example_templates"

# What templates of this folder have in common: written for reading, not for work.
USUAL = {"no-dead-letter-queue", "no-terminate-hook", "missing-data-unset", "blind-to-in-flight"}

EXPECTED: dict[str, set[str]] = {
    "backlog_per_instance.yaml": (USUAL | {"always-on", "sum-of-a-gauge"}) - {"missing-data-unset"},
    "fifo.yaml": {"no-dead-letter-queue", "always-on", "never-scales-in", "tracks-a-total"},
    "hooks_both_ways.yaml": (USUAL | {"asleep-at-one-message", "delay-unseen"})
    - {"no-terminate-hook"},
    "launch_configuration.json": (USUAL | {"always-on"}) - {"no-dead-letter-queue"},
    "mappings_and_conditions.yaml": USUAL,
    "mixed_spot.yaml": USUAL,
    "percent_steps.yaml": USUAL | {"always-on", "fighting-alarms"},
    "sam_with_globals.yaml": USUAL | {"asleep-at-one-message", "fighting-alarms"},
    "scheduled_and_step.yaml": {"no-dead-letter-queue", "missing-data-unset", "slow-to-wake"},
    "several_groups.yaml": {
        "never-scales-in",
        "no-dead-letter-queue",
        "missing-data-unset",
        "asleep-at-one-message",
        "slow-to-wake",
        "sum-of-a-gauge",
    },
    "several_queues.yaml": USUAL | {"asleep-at-one-message"},
    "simple_plus_minus_one.yaml": USUAL | {"always-on"},
    "synthesized_queue_service.json": (USUAL | {"asleep-at-one-message"})
    - {"no-dead-letter-queue"},
    "visible_step.yaml": (USUAL | {"dead-letters-expire-first"}) - {"no-dead-letter-queue"},
    "warm_pool.yaml": USUAL,
}
REFUSED = {
    "for_each.yaml": "Fn::ForEach is not supported here",
    "custom_metric.yaml": "the scaling alarms watch no queue",
}
GIVEN = {"backlog_per_instance.yaml": {"Subnets": "subnet-a"}}


def rules_in(file: str, **given: str) -> set[str]:
    """Return the ids of the rules that find something in a template of the folder."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    return {finding.rule for finding in lint(text, file, GIVEN.get(file, given)).findings}


@pytest.mark.parametrize("file", EXPECTED)
def test_a_template_has_the_findings_it_has(file: str) -> None:
    """Each template has exactly the expected findings."""
    assert rules_in(file) == EXPECTED[file]


def test_parameters_choose_what_is_checked() -> None:
    """In production that template keeps two instances and has a higher threshold."""
    production = rules_in("mappings_and_conditions.yaml", Stage="production")
    assert production == USUAL | {"always-on"}


@pytest.mark.parametrize("file", REFUSED)
def test_a_template_without_a_fleet_says_so(file: str) -> None:
    """It is an error, not a template without findings."""
    with pytest.raises(TemplateError, match=REFUSED[file]):
        rules_in(file)


def test_every_template_of_the_folder_is_here() -> None:
    """Every template in the folder has a test."""
    assert {file.name for file in FOLDER.iterdir()} == EXPECTED.keys() | REFUSED.keys()


@pytest.mark.long
@pytest.mark.parametrize("fast", ["true", "false"])
@pytest.mark.parametrize("seconds", ["10", "30", "60", "120", "300", "600", "1800"])
def test_nothing_is_found_in_the_product(fast: str, seconds: str) -> None:
    """template.yaml is sound with the fast signal, and with short and long work."""
    given = {"FastSignal": fast, "MessageSeconds": seconds, "MaxInstances": "1000"}
    report = lint(product_text(), "template.yaml", given)
    assert (report.findings, report.not_modelled) == ((), ())


@pytest.mark.parametrize(
    ("receives", "found"), [("5", {"group-shares-receives"}), ("6", set())], ids=["few", "enough"]
)
def test_fifo_queues_of_the_product_need_more_receives(receives: str, found: set[str]) -> None:
    """One for the attempt, one for a drain, and one for each of the four instances."""
    given = {"QueueKind": "fifo", "MaxReceiveCount": receives, "IdempotencyTable": "true"}
    report = lint(product_text(), "template.yaml", given)
    assert {finding.rule for finding in report.findings} == found
    assert not report.failed
    assert report.not_modelled == ()


def test_a_parameter_that_scaling_does_not_need_may_have_no_value() -> None:
    """A key pair is no reason to refuse a template; what stands for its value is said."""
    text = (FOLDER / "visible_step.yaml").read_text(encoding="utf-8")
    key = "Parameters:\n  Key: { Type: 'AWS::EC2::KeyPair::KeyName' }\n"
    keyed = text.replace("Parameters:\n", key)
    report = lint(keyed, "keyed.yaml", {})
    assert {one.rule for one in report.findings} == EXPECTED["visible_step.yaml"]
    assert any("<Key> stands for its value: -P Key=VALUE" in one for one in report.not_modelled)


def test_a_parameter_that_scaling_needs_is_asked_for() -> None:
    """The error names the property and the parameter, of several the one that matters."""
    text = (FOLDER / "visible_step.yaml").read_text(encoding="utf-8")
    sized = text.replace("Parameters:\n", "Parameters:\n  Key: { Type: String }\n")
    sized = sized.replace("Default: 5, MinValue: 1", "MinValue: 1")
    with pytest.raises(TemplateError, match=r"'<Limit>' is not .* -P Limit=VALUE gives one"):
        lint(sized, "sized.yaml", {})


def test_rules_that_have_nothing_to_read_are_listed() -> None:
    """A script without a container has no settings of a drain."""
    text = (FOLDER / "visible_step.yaml").read_text(encoding="utf-8")
    listed = [one for one in lint(text, "x.yaml", {}).not_modelled if "not checked" in one]
    assert len(listed) == 1
    assert (
        f"no `docker run`, so {', '.join((*DRAIN_RULES, *CONTAINER_RULES[:-1]))} and" in listed[0]
    )
    assert {*DRAIN_RULES, *CONTAINER_RULES} < {rule.id for rule in RULES}
    assert not any("not checked" in one for one in lint(product_text(), "t", {}).not_modelled)
