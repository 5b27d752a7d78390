"""Reader of a group, with its pool, its policies and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders.fleets import ABSENT, small_template

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.group.hooks import LAUNCHING
from tidemill.scaling.spec import MaintenancePolicy, WarmPool
from tidemill.scaling.template.fleet import read_fleet

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet
    from tidemill.scaling.template.document import Document


def read(**changes: Any) -> Fleet:  # noqa: ANN401 - any part
    """Return the fleet of the small template, changed at these paths."""
    return read_fleet(small_template(**changes), {})


def a_pool(**properties: object) -> Document:
    """Return a warm pool of the small template's group."""
    return {
        "Type": "AWS::AutoScaling::WarmPool",
        "Properties": {"AutoScalingGroupName": {"Ref": "Workers"}, **properties},
    }


def test_a_group_may_say_how_it_ends_and_guards_its_instances() -> None:
    """Termination policies, grace period, protection and maintenance are read."""
    group = read(
        Workers__TerminationPolicies=["OldestInstance", "Default"],
        Workers__HealthCheckGracePeriod=300,
        Workers__NewInstancesProtectedFromScaleIn=True,
        Workers__InstanceMaintenancePolicy={
            "MinHealthyPercentage": 90,
            "MaxHealthyPercentage": 120,
        },
    ).group
    assert group.termination == ("OldestInstance", "Default")
    assert (group.grace, group.protects) == (300, True)
    assert group.maintenance == MaintenancePolicy(90, 120)


def test_a_group_that_says_nothing_has_the_defaults() -> None:
    """Default termination, and no grace, protection, maintenance policy or pool."""
    group = read().group
    assert (group.termination, group.grace, group.protects) == (("Default",), 0, False)
    assert (group.maintenance, group.warm_pool) == (None, None)


@pytest.mark.parametrize(
    ("policy", "retains"),
    [
        ({"RetentionTriggers": {"TerminateHookAbandon": "retain"}}, True),
        ({"RetentionTriggers": {"TerminateHookAbandon": "terminate"}}, False),
        ({"RetentionTriggers": {}}, False),
        ({}, False),
    ],
)
def test_an_instance_lifecycle_policy_may_retain_instances(
    policy: dict[str, Any],
    retains: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Its default is to terminate them; it is modelled."""
    found = read(Workers__InstanceLifecyclePolicy=policy)
    assert found.group.retains is retains
    assert found.not_modelled == ()


def test_a_maintenance_policy_of_minus_1_is_none() -> None:
    """-1 removes the maintenance policy."""
    cleared = {"MinHealthyPercentage": -1, "MaxHealthyPercentage": -1}
    assert read(Workers__InstanceMaintenancePolicy=cleared).group.maintenance is None


def test_a_warm_pool_is_the_groups() -> None:
    """It has the API's defaults; InstanceReusePolicy is reported as not modelled."""
    assert read(Resources__Pool=a_pool()).group.warm_pool == WarmPool()
    fleet = read(
        Resources__Pool=a_pool(
            MinSize=1,
            MaxGroupPreparedCapacity=5,
            PoolState="Hibernated",
            InstanceReusePolicy={"ReuseOnScaleIn": True},
        )
    )
    assert fleet.group.warm_pool == WarmPool(1, 5, "Hibernated")
    assert fleet.not_modelled == (
        "Resources.Pool.Properties.InstanceReusePolicy: not modelled: scale-in terminates",
    )
    another = a_pool(AutoScalingGroupName="another")
    assert read(Resources__Pool=another).group.warm_pool is None


def test_all_metrics_of_a_group_with_a_pool_include_the_pools() -> None:
    """MetricsCollection with a granularity alone enables them, too."""
    everything = {"Workers__MetricsCollection": [{"Granularity": "1Minute"}]}
    assert "WarmPoolWarmedCapacity" in read(Resources__Pool=a_pool(), **everything).group.metrics
    assert "WarmPoolWarmedCapacity" not in read(**everything).group.metrics


def test_a_transition_may_have_several_hooks() -> None:
    """All of them hold an instance."""
    hook = {"LifecycleTransition": LAUNCHING}
    group = read(
        Workers__LifecycleHookSpecificationList=[
            {"LifecycleHookName": "one", **hook},
            {"LifecycleHookName": "two", **hook},
        ]
    ).group
    assert [hook.name for hook in group.hooks] == ["one", "two"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        pytest.param(
            {"Resources__Pool": a_pool(), "Resources__Second": a_pool()},
            "2 warm pools of Workers: keep one",
            id="two-pools",
        ),
        pytest.param(
            {
                "Resources__Pool": a_pool(),
                "Workers__LaunchTemplate": ABSENT,
                "Workers__MixedInstancesPolicy": {},
            },
            "can have no warm pool",
            id="mixed-instances",
        ),
        pytest.param(
            {"Resources__Pool": a_pool(PoolState="Asleep")}, "'Asleep' is not", id="pool-state"
        ),
        pytest.param(
            {
                "Workers__InstanceLifecyclePolicy": {
                    "RetentionTriggers": {"TerminateHookAbandon": "keep"}
                }
            },
            "InstanceLifecyclePolicy.RetentionTriggers.TerminateHookAbandon: 'keep' is not",
            id="retention-trigger",
        ),
        *(
            pytest.param(
                {
                    "Workers__InstanceMaintenancePolicy": {
                        "MinHealthyPercentage": least,
                        "MaxHealthyPercentage": most,
                    }
                },
                "Workers.Properties.InstanceMaintenancePolicy",
                id=f"maintenance-{least}-{most}",
            )
            for least, most in ((-1, 120), (101, 120), (90, 99), (90, 201), (0, 150))
        ),
    ],
)
def test_what_auto_scaling_would_refuse_is_reported(changes: dict[str, Any], text: str) -> None:
    """The error has the place in the template."""
    with pytest.raises(TemplateError, match=text):
        read(**changes)
