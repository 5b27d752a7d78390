"""Check of a template: runs every rule on every fleet of the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.lint import alarms, instances
from tidemill.lint import messages as work
from tidemill.lint import scale_from_zero as waking
from tidemill.lint.finding import Finding, Rule, Severity
from tidemill.lint.linted_fleet import LintedFleet
from tidemill.lint.positions import read_positions
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.fleet import FleetReading, Part, read_all_fleets
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.queue import QUEUE, watched_queues
from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.lint.finding import Violation

RULES: tuple[Rule, ...] = (*waking.RULES, *alarms.RULES, *work.RULES, *instances.RULES)


@dataclass(frozen=True, slots=True)
class Report:
    """The findings in a template, in its order.

    `not_modelled` has a sentence for each part of the template that no rule checks.
    """

    findings: tuple[Finding, ...]
    not_modelled: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Return whether there is a finding that is more than a note."""
        return any(finding.severity is not Severity.NOTE for finding in self.findings)


def lint(text: str, source: str, given: Mapping[str, str]) -> Report:
    """Check a template, YAML or JSON.

    Args:
        text: the template.
        source: the template's name in errors, such as its path.
        given: values for its parameters, by name.

    Raises:
        TemplateError: the template cannot be read, or none of its groups follows a queue.
        ParameterError: a parameter is unknown, missing or out of its bounds.
    """
    template = parse_template(text, source)
    resolver = Resolver(template, given, Place())
    readings = read_all_fleets(resolver)
    positions = read_positions(text)
    found: dict[Finding, None] = {}
    for reading in readings:
        for rule, violation in _violations(LintedFleet.of(reading.fleet, resolver)):
            line, column = positions.of(("Resources", *violation.at))
            finding = Finding(
                rule=rule.id,
                severity=violation.severity or rule.severity,
                what=violation.what,
                logical_id=violation.at[0],
                line=line,
                column=column,
                why=rule.why,
                page=rule.page,
                fix=rule.fix,
            )
            found[finding] = None
    left_out = dict.fromkeys(one for reading in readings for one in _unseen(resolver, reading))
    ordered = sorted(found, key=lambda finding: (finding.line, finding.column, finding.rule))
    return Report(tuple(ordered), tuple(left_out))


def _unseen(resolver: Resolver, reading: FleetReading) -> Iterator[str]:
    """Yield a sentence for each part of a fleet that is not modelled and that no rule checks."""
    for part in (Part.POLICIES, Part.ALARMS, Part.USER_DATA):
        yield from reading.left_out[part]
    here = {resolver.name(queue) for queue in resolver.present(QUEUE)}
    for name in watched_queues(reading.fleet.alarms):
        if name not in here:
            yield (
                f"Resources: the queue {name} is not in this template: its settings are not known"
            )
    yield from reading.left_out[Part.TEMPLATE]


def _violations(linted: LintedFleet) -> Iterator[tuple[Rule, Violation]]:
    for rule in RULES:
        for violation in rule.check(linted):
            yield rule, violation
