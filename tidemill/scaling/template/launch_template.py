"""Reader of user data: the script in a group's launch template or launch configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.template.properties import as_text, entries, part
from tidemill.scaling.template.reading import Read

if TYPE_CHECKING:
    from tidemill.scaling.template.document import Document
    from tidemill.scaling.template.resolver import Resolver

LAUNCH_TEMPLATE = "AWS::EC2::LaunchTemplate"
LAUNCH_CONFIGURATION = "AWS::AutoScaling::LaunchConfiguration"


def read_user_data(resolver: Resolver, group: str) -> Read[str]:
    """Return the script of the group's instances, empty if this template does not have it.

    Raises:
        TemplateError: the group has no launch template, or the script is not text.
    """
    where = f"Resources.{group}.Properties"
    properties = resolver.properties(group)
    if "InstanceId" in properties:
        return Read("", (f"{where}.InstanceId: not modelled: its script is not in this template",))
    if "LaunchConfigurationName" in properties:
        name = properties["LaunchConfigurationName"]
        for logical_id in resolver.present(LAUNCH_CONFIGURATION):
            if name == resolver.name(logical_id):
                own = resolver.properties(logical_id)
                return Read(_script(own, f"Resources.{logical_id}.Properties"))
        return Read("", (f"{where}.LaunchConfigurationName: {name!r} is not in this template",))
    return _of_launch_template(resolver, properties, where)


def _of_launch_template(resolver: Resolver, properties: Document, where: str) -> Read[str]:
    left_out: tuple[str, ...] = ()
    specification = part(properties, "LaunchTemplate", where)
    if not specification:
        mixed = part(properties, "MixedInstancesPolicy", where)
        where = f"{where}.MixedInstancesPolicy"
        launch = part(mixed, "LaunchTemplate", where)
        specification = part(launch, "LaunchTemplateSpecification", where)
        if any("WeightedCapacity" in entry for entry in entries(launch, "Overrides", where)):
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
            return Read(_script(data, f"{place}.LaunchTemplateData"), left_out)
    missing = f"{where}.LaunchTemplate: {wanted!r} is not in this template"
    return Read("", (*left_out, missing))


def _script(holder: Document, where: str) -> str:
    return as_text(holder.get("UserData", ""), f"{where}.UserData")
