"""Reader of a group's launch template or launch configuration: its script and instance types."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.template.properties import as_text, entries, part
from tidemill.scaling.template.reading import Read

if TYPE_CHECKING:
    from tidemill.scaling.template.document import Document
    from tidemill.scaling.template.resolver import Resolver

LAUNCH_TEMPLATE = "AWS::EC2::LaunchTemplate"
LAUNCH_CONFIGURATION = "AWS::AutoScaling::LaunchConfiguration"


class Launch(NamedTuple):
    """What a group's instances are: their script, and their types, the preferred one first.

    The script is empty, and there is no type, if this template does not have them.
    """

    user_data: str = ""
    instance_types: tuple[str, ...] = ()


def read_launch(resolver: Resolver, group: str) -> Read[Launch]:
    """Return what the group's instances are.

    Raises:
        TemplateError: the group has no launch template, or the script is not text.
    """
    where = f"Resources.{group}.Properties"
    properties = resolver.properties(group)
    if "InstanceId" in properties:
        missing = f"{where}.InstanceId: not modelled: its script is not in this template"
        return Read(Launch(), (missing,))
    if "LaunchConfigurationName" in properties:
        name = properties["LaunchConfigurationName"]
        for logical_id in resolver.present(LAUNCH_CONFIGURATION):
            if name == resolver.name(logical_id):
                own = resolver.properties(logical_id)
                return Read(_launch(own, f"Resources.{logical_id}.Properties"))
        missing = f"{where}.LaunchConfigurationName: {name!r} is not in this template"
        return Read(Launch(), (missing,))
    return _of_launch_template(resolver, properties, where)


def _of_launch_template(resolver: Resolver, properties: Document, where: str) -> Read[Launch]:
    left_out: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    specification = part(properties, "LaunchTemplate", where)
    if not specification:
        mixed = part(properties, "MixedInstancesPolicy", where)
        where = f"{where}.MixedInstancesPolicy"
        launch = part(mixed, "LaunchTemplate", where)
        specification = part(launch, "LaunchTemplateSpecification", where)
        overrides = entries(launch, "Overrides", where)
        types = tuple(str(entry["InstanceType"]) for entry in overrides if "InstanceType" in entry)
        if any("WeightedCapacity" in entry for entry in overrides):
            place = f"{where}.LaunchTemplate.Overrides"
            left_out = (f"{place}: WeightedCapacity is not modelled: every instance counts as one",)
    wanted = specification.get("LaunchTemplateId", specification.get("LaunchTemplateName"))
    if wanted is None:
        raise TemplateError(f"{where}: no launch template: give LaunchTemplate its id by Ref")
    for logical_id in resolver.present(LAUNCH_TEMPLATE):
        reference = resolver.resolve({"Ref": logical_id}, where)
        if wanted in (reference, resolver.name(logical_id)):
            place = f"Resources.{logical_id}.Properties"
            data = part(resolver.properties(logical_id), "LaunchTemplateData", place)
            return Read(_launch(data, f"{place}.LaunchTemplateData", types), left_out)
    missing = f"{where}.LaunchTemplate: {wanted!r} is not in this template"
    return Read(Launch("", types), (*left_out, missing))


def _launch(holder: Document, where: str, types: tuple[str, ...] = ()) -> Launch:
    """Return the launch with its own instance type, unless the group names others."""
    own = (str(holder["InstanceType"]),) if "InstanceType" in holder else ()
    return Launch(as_text(holder.get("UserData", ""), f"{where}.UserData"), types or own)
