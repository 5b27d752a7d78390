"""From a template to its findings: every rule on every fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.lint import alarms, instances
from tidemill.lint import messages as work
from tidemill.lint import scale_from_zero as waking
from tidemill.lint.finding import Finding, Rule, Severity
from tidemill.lint.linted_fleet import Subject
from tidemill.lint.positions import read_positions
from tidemill.scaling.template.alarms import read_alarms
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.fleet import read_fleets
from tidemill.scaling.template.machine import read_user_data
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.policies import read_policies
from tidemill.scaling.template.queue import QUEUE, watched_queues
from tidemill.scaling.template.resolver import Resolver
from tidemill.scaling.template.unmodelled import left_out_of_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.lint.finding import Fault
    from tidemill.scaling.spec import Fleet

RULES: tuple[Rule, ...] = (*waking.RULES, *alarms.RULES, *work.RULES, *instances.RULES)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a template, in its order, and what of it the rules cannot see.

    `not_modelled` has a sentence for each part that no rule looks at.
    """

    findings: tuple[Finding, ...]
    not_modelled: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Tell whether there is more than notes."""
        return any(finding.severity is not Severity.NOTE for finding in self.findings)


def lint(text: str, source: str, given: Mapping[str, str]) -> Report:
    """Check a template, YAML or JSON.

    Args:
        text: the template.
        source: what to call it in errors.
        given: values for its parameters, by name.

    Raises:
        TemplateError: it cannot be read, or no group of it follows a queue.
        ParameterError: a parameter is unknown, missing or out of its bounds.
    """
    template = parse_template(text, source)
    resolver = Resolver(template, given, Place())
    fleets = read_fleets(template, given)
    positions = read_positions(text)
    found: dict[Finding, None] = {}
    for fleet in fleets:
        for rule, fault in _faults(Subject.of(fleet, resolver)):
            line, column = positions.of(("Resources", *fault.at))
            finding = Finding(
                rule=rule.id,
                severity=fault.severity or rule.severity,
                what=fault.what,
                logical_id=fault.at[0],
                line=line,
                column=column,
                why=rule.why,
                page=rule.page,
                fix=rule.fix,
            )
            found[finding] = None
    left_out = dict.fromkeys(told for fleet in fleets for told in _not_seen(resolver, fleet))
    ordered = sorted(found, key=lambda finding: (finding.line, finding.column, finding.rule))
    return Report(tuple(ordered), tuple(left_out))


def _not_seen(resolver: Resolver, fleet: Fleet) -> list[str]:
    """Return what scaling here leaves out and no rule looks at, a sentence each."""
    left_out: list[str] = []
    policies, _ = read_policies(resolver, fleet.group, left_out)
    list(read_alarms(resolver, policies, left_out))
    read_user_data(resolver, fleet.group.logical_id, left_out)
    here = {resolver.name(queue) for queue in resolver.present(QUEUE)}
    left_out.extend(
        f"Resources: the queue {name} is not in this template: its settings are not seen"
        for name in watched_queues(fleet.alarms)
        if name not in here
    )
    return [*left_out, *left_out_of_template(resolver)]


def _faults(subject: Subject) -> Iterator[tuple[Rule, Fault]]:
    for rule in RULES:
        for fault in rule.check(subject):
            yield rule, fault
