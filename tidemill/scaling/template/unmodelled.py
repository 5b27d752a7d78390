"""Unmodelled parts of a template: those that affect scaling but that no reader uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.template.parameters import unchecked_patterns
from tidemill.scaling.template.properties import as_text, items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.template.document import Document
    from tidemill.scaling.template.resolver import Resolver

GROUP_PROPERTIES = frozenset(
    {
        "AutoScalingGroupName",
        "AvailabilityZoneIds",  # instances are not spread over zones here
        "AvailabilityZones",
        "Cooldown",
        "DefaultInstanceWarmup",
        "DesiredCapacity",
        "HealthCheckGracePeriod",
        "InstanceId",
        "InstanceLifecyclePolicy",
        "InstanceMaintenancePolicy",
        "LaunchConfigurationName",
        "LaunchTemplate",
        "LifecycleHookSpecificationList",
        "MaxSize",
        "MetricsCollection",
        "MinSize",
        "MixedInstancesPolicy",
        "NewInstancesProtectedFromScaleIn",
        "NotificationConfiguration",  # notifications and tags
        "NotificationConfigurations",
        "PlacementGroup",
        "ServiceLinkedRoleARN",
        "Tags",
        "TerminationPolicies",
        "VPCZoneIdentifier",
    }
)
"""The properties of a group that are modelled, or that do not affect its scaling."""

OTHER_SCALERS = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::AutoScalingPlans::ScalingPlan",
        "AWS::EC2::EC2Fleet",
        "AWS::EC2::SpotFleet",
    }
)
HIDDEN = frozenset({"AWS::CloudFormation::Stack", "AWS::Serverless::Application"})
SAM = "AWS::Serverless-2016-10-31"
EXTENSIONS = "AWS::LanguageExtensions"
"""The language extensions. They and SAM are not reported: SAM creates no groups, and the functions
of the extensions are refused at their place in the template."""


def left_out_of_group(group: str, properties: Document) -> Iterator[str]:
    """Yield a sentence for each property of a group that is not modelled.

    Args:
        group: the group's logical id.
        properties: its properties, resolved.
    """
    where = f"Resources.{group}.Properties"
    for name, value in properties.items():
        if name == "HealthCheckType" and value == "EC2":
            continue
        if name not in GROUP_PROPERTIES:
            yield f"{where}.{name}: not modelled"


def left_out_of_template(resolver: Resolver) -> Iterator[str]:
    """Yield a sentence for each resource that may scale the group or contain further resources."""
    template = resolver.template
    yield from unchecked_patterns(template)
    transforms = template.get("Transform", [])
    listed = transforms if isinstance(transforms, list) else [transforms]
    for transform in items({"Transform": listed}, "Transform", "template"):
        name = transform.get("Name", "") if isinstance(transform, dict) else transform
        if name not in {SAM, EXTENSIONS}:
            text = as_text(name, "Transform")
            yield f"Transform: {text} is not modelled: its changes are not read"
    for logical_id in resolver.present(*OTHER_SCALERS):
        yield f"Resources.{logical_id}: {template['Resources'][logical_id]['Type']} is not modelled"
    for logical_id, resource in template["Resources"].items():
        kind = resource["Type"]
        hidden = kind in HIDDEN or kind.endswith("::MODULE")
        if hidden and resolver.exists(logical_id):
            yield f"Resources.{logical_id}: the content of this {kind} is not read"
