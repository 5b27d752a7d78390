"""ARNs of the group, its policies, scheduled actions and alarms, in the local AWS's account."""

from __future__ import annotations

from uuid import uuid5

from tidemill.rig.local_aws.clients import REGION
from tidemill.scaling.requests.activities import OURS

ACCOUNT = "000000000000"


def group_arn(group: str) -> str:
    """Return the ARN of a group, by its name."""
    return _arn("autoScalingGroup", group, _path(group))


def policy_arn(group: str, policy: str) -> str:
    """Return the ARN of a group's policy, by their names."""
    return _arn("scalingPolicy", policy, f"{_path(group)}:policyName/{policy}")


def scheduled_arn(group: str, action: str) -> str:
    """Return the ARN of a group's scheduled action, by their names."""
    path = f"{_path(group)}:scheduledActionName/{action}"
    return _arn("scheduledUpdateGroupAction", action, path)


def alarm_arn(alarm: str) -> str:
    """Return the ARN of an alarm, by its name."""
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm}"


def _path(group: str) -> str:
    return f"autoScalingGroupName/{group}"


def _arn(kind: str, name: str, path: str) -> str:
    number = uuid5(OURS, f"{kind}/{name}")
    return f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:{kind}:{number}:{path}"
