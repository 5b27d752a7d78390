"""Linted fleet: one fleet of a template, with the values that several rules need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemill.lint.sampling import Sample, samples
from tidemill.scaling.spec import AlarmState
from tidemill.scaling.template.launch_template import LAUNCH_CONFIGURATION, LAUNCH_TEMPLATE
from tidemill.scaling.template.queue import QUEUE, watched_queues
from tidemill.scaling.template.user_data import Container, read_container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.spec import Alarm, Fleet
    from tidemill.scaling.template.document import Document
    from tidemill.scaling.template.resolver import Resolver

PROPERTIES = "Properties"


def path(*steps: str) -> str:
    """Return a place in the template as it is written in error messages."""
    return ".".join(("Resources", *steps))


@dataclass(frozen=True, slots=True)
class LaunchData:
    """The resolved data of a group's launch template or configuration, and its place."""

    at: tuple[str, ...]
    data: Document


@dataclass(frozen=True, slots=True)
class LintedFleet:
    """A fleet with the template's resolver, samples of its alarms, and its container.

    `launch` is None if the template does not have the group's launch template, `container` is None
    if its script runs no container.
    """

    fleet: Fleet
    resolver: Resolver
    samples: tuple[Sample, ...]
    launch: LaunchData | None
    container: Container | None

    @staticmethod
    def of(fleet: Fleet, resolver: Resolver) -> LintedFleet:
        """Return a fleet with its samples, its launch data and its container."""
        launch = _launch_data(resolver, fleet.group.logical_id)
        return LintedFleet(fleet, resolver, samples(fleet), launch, read_container(fleet.user_data))

    def out(self) -> list[Alarm]:
        """Return the alarms that scale out in some situation, in the template's order."""
        found = {rung.alarm.logical_id for sample in self.samples for rung in sample.out()}
        return [alarm for alarm in self.fleet.alarms if alarm.logical_id in found]

    def scales_in(self) -> bool:
        """Return whether an alarm scales in, in any situation."""
        return any(True for sample in self.samples for _ in sample.back())

    def queues(self) -> list[str]:
        """Return the logical ids of the queues of this template that the alarms watch."""
        known = self._queues_here()
        return [known[name] for name in watched_queues(self.fleet.alarms) if name in known]

    def called(self, queue: str) -> str:
        """Return the logical id of the queue with this name, or the name without such a queue."""
        return self._queues_here().get(queue, queue)

    def _queues_here(self) -> dict[str, str]:
        return {self.resolver.name(queue): queue for queue in self.resolver.present(QUEUE)}

    def at_alarm(self, alarm: Alarm, *steps: str) -> tuple[str, ...]:
        """Return the place of an alarm, or of the policy that creates it."""
        if alarm.logical_id in self.resolver.template["Resources"]:
            return (alarm.logical_id, PROPERTIES, *steps)
        return (_creator(alarm), PROPERTIES, "TargetTrackingConfiguration")

    def at_group(self, *steps: str) -> tuple[str, ...]:
        """Return a place in the group's properties."""
        return (self.fleet.group.logical_id, PROPERTIES, *steps)

    def at_script(self) -> tuple[str, ...]:
        """Return the place of the instances' script."""
        return (*self.launch.at, "UserData") if self.launch else self.at_group()

    def name_of(self, alarm: Alarm) -> str:
        """Return an alarm's name for messages: its logical id, or the policy that created it."""
        if alarm.logical_id in self.resolver.template["Resources"]:
            return alarm.logical_id
        side = "high" if alarm.comparison.startswith("Greater") else "low"
        return f"the {side} alarm of {_creator(alarm)}"


def _creator(alarm: Alarm) -> str:
    """Return the logical id of the target tracking policy that created an alarm."""
    return alarm.policies_in(AlarmState.ALARM)[0]


def _launch_data(resolver: Resolver, group: str) -> LaunchData | None:
    named = set(texts_in(resolver.properties(group)))
    for logical_id in resolver.present(LAUNCH_TEMPLATE, LAUNCH_CONFIGURATION):
        if named.isdisjoint((resolver.name(logical_id), resolver.resolve({"Ref": logical_id}, ""))):
            continue
        at: tuple[str, ...] = (logical_id, PROPERTIES)
        data = resolver.properties(logical_id)
        if "LaunchTemplateData" in data:
            at, data = (*at, "LaunchTemplateData"), data["LaunchTemplateData"]
        return LaunchData(at, data)
    return None


def texts_in(value: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a template
    """Yield every text in a part of a template, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_in(part)
