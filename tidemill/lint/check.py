"""Check of a template: runs every rule on every fleet of the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.lint import alarms, attempts, fifo, instances, policies
from tidemill.lint import messages as work
from tidemill.lint import scale_from_zero as waking
from tidemill.lint.finding import Finding, Rule, Severity
from tidemill.lint.linted_fleet import LintedFleet
from tidemill.lint.messages import DRAIN, MESSAGE
from tidemill.lint.positions import read_positions
from tidemill.scaling.errors import TemplateError
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.fleet import FleetReading, Part, read_all_fleets
from tidemill.scaling.template.parameters import placeholder, without_value
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.queue import QUEUE, watched_queues
from tidemill.scaling.template.resolver import Resolver
from tidemill.scaling.template.user_data import read_container

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.lint.finding import Violation

RULES: tuple[Rule, ...] = (
    *waking.RULES,
    *policies.RULES,
    *alarms.RULES,
    *work.RULES,
    *attempts.RULES,
    *fifo.RULES,
    *instances.RULES,
)

DRAIN_RULES = (
    "visible-before-done",
    "limit-after-drain",
    "group-blocked-long",
    "killed-before-drained",
)
"""Rules that compare settings of the container in the script."""

CONTAINER_RULES = ("hook-before-stopped", "metadata-out-of-reach", "retry-holds-instances")
"""Rules that read its command, or another setting of it."""


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
        TemplateError: the template cannot be read, none of its groups follows a queue, or its
            scaling depends on a parameter without a value.
        ParameterError: a parameter is unknown or out of its bounds.
    """
    template = parse_template(text, source)
    missing = without_value(template, given)
    try:
        return _checked(text, Resolver(template, given, Place(), placeholders=True), missing)
    except TemplateError as error:
        if not missing:
            raise
        named = next((one for one in missing if placeholder(one) in str(error)), missing[0])
        raise TemplateError(
            f"{error} (without values for {', '.join(missing)}: -P {named}=VALUE gives one)"
        ) from error


def _checked(text: str, resolver: Resolver, missing: tuple[str, ...]) -> Report:
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
    left_out = dict.fromkeys(
        one for reading in readings for one in (*_unseen(resolver, reading), *_unread(reading))
    )
    for name in missing:
        left_out[
            f"Parameters.{name}: it has no default, so {placeholder(name)} stands for its value: "
            f"-P {name}=VALUE gives one"
        ] = None
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


def _unread(reading: FleetReading) -> Iterator[str]:
    """Yield a sentence if the script does not set what the rules about a drain compare."""
    container = read_container(reading.fleet.user_data)
    rules: tuple[str, ...]
    if container is None:
        what, rules = "has no `docker run`", (*DRAIN_RULES, *CONTAINER_RULES)
    elif not {DRAIN, MESSAGE} & container.settings.keys():
        what, rules = f"sets neither {DRAIN} nor {MESSAGE}", DRAIN_RULES
    else:
        return
    yield (
        f"Resources.{reading.fleet.group.logical_id}: its script {what}, so "
        f"{', '.join(rules[:-1])} and {rules[-1]} are not checked"
    )


def _violations(linted: LintedFleet) -> Iterator[tuple[Rule, Violation]]:
    for rule in RULES:
        for violation in rule.check(linted):
            yield rule, violation
