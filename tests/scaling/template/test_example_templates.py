"""Templates of many shapes: what is not modelled in each, and an hour of its fleet.

The module is over 280 lines because half of it is a table with one entry for each template.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.fakes.worlds import MINUTE, START, FakeQueue, FakeWorld, Run

from tidemill.scaling.errors import ParameterError, TemplateError
from tidemill.scaling.loop import Booted, HookCompleted
from tidemill.scaling.template.document import Document, parse_template
from tidemill.scaling.template.fleet import read_fleet, read_fleets
from tidemill.scaling.template.policies import PREDICTIVE

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet

FOLDER = Path(__file__).parents[1] / "example_templates"
VISIBLE = "AWS/SQS ApproximateNumberOfMessagesVisible"


@dataclass(frozen=True)
class Shape:
    """A template of the folder, and the expected fleet."""

    file: str
    group: str
    bounds: tuple[int, int]
    grows_to: int
    left_out: tuple[str, ...] = ()
    given: dict[str, str] = field(default_factory=dict)


SHAPES = (
    Shape("visible_step.yaml", "Group", (0, 5), 5),
    Shape("backlog_per_instance.yaml", "Fleet", (1, 20), 3, given={"Subnets": "subnet-a,subnet-b"}),
    Shape(
        "synthesized_queue_service.json",
        "ServiceASG3E7D1B22",
        (0, 2),
        2,
        (
            (
                "Resources.ServiceTaskCountTargetA0B1: AWS::ApplicationAutoScaling::ScalableTarget "
                "is not modelled"
            ),
            (
                "Resources.ServiceTaskCountTargetCpuScaling77D2: "
                "AWS::ApplicationAutoScaling::ScalingPolicy is not modelled"
            ),
        ),
    ),
    Shape(
        "simple_plus_minus_one.yaml",
        "Workers",
        (1, 4),
        4,
        (
            "Resources.Workers.Properties.HealthCheckType: not modelled",
            "Resources.Workers.Properties.TargetGroupARNs: not modelled",
        ),
    ),
    Shape(
        "percent_steps.yaml",
        "Builders",
        (2, 30),
        6,
        ("Resources.Builders.Properties.TerminationPolicies: AllocationStrategy is not modelled",),
    ),
    Shape(
        "scheduled_and_step.yaml",
        "Machines",
        (0, 6),
        3,
        (f"Resources.Forecast.Properties: {PREDICTIVE}",),
    ),
    Shape(
        "warm_pool.yaml",
        "Nodes",
        (0, 5),
        5,
        ("Resources.Waiting.Properties.InstanceReusePolicy: not modelled: scale-in terminates",),
    ),
    Shape(
        "hooks_both_ways.yaml",
        "Hosts",
        (0, 8),
        4,
        (
            "Resources.Hosts.Properties.CapacityRebalance: not modelled",
            "Resources.Work.Properties.DelaySeconds: a delay of all messages is not modelled",
        ),
    ),
    Shape(
        "mixed_spot.yaml",
        "Renderers",
        (0, 12),
        12,
        (
            "Resources.Renderers.Properties.MaxInstanceLifetime: not modelled",
            (
                "Resources.Renderers.Properties.MixedInstancesPolicy.LaunchTemplate.Overrides: "
                "WeightedCapacity is not modelled: every instance counts as one"
            ),
        ),
    ),
    Shape(
        "several_queues.yaml",
        "Workers",
        (0, 6),
        4,
        (
            "Resources: the alarms watch several queues: only tidemill-Urgent is modelled",
            (
                f"Resources.OrdinaryWaiting: nothing publishes {VISIBLE} "
                "{'QueueName': 'tidemill-Ordinary'} here"
            ),
            (
                f"Resources.AllIdle: nothing publishes {VISIBLE} "
                "{'QueueName': 'tidemill-Ordinary'} here"
            ),
        ),
    ),
    Shape("several_groups.yaml", "FastGroup", (0, 4), 3),
    Shape("several_groups.yaml", "SlowGroup", (0, 2), 2),
    Shape(
        "sam_with_globals.yaml",
        "Readers",
        (0, 3),
        3,
        (
            (
                "Resources.Drained: nothing publishes AWS/SQS NumberOfEmptyReceives "
                "{'QueueName': 'tidemill-Uploads'} here"
            ),
            "Transform: AddOwnerTags is not modelled: its changes are not read",
            "Resources.Checks: the content of this AWS::Serverless::Application is not read",
        ),
    ),
    Shape("mappings_and_conditions.yaml", "Machines", (0, 2), 2),
    Shape(
        "mappings_and_conditions.yaml",
        "Machines",
        (2, 40),
        3,
        given={"Stage": "production", "QueueSuffix": "eu"},
    ),
    Shape(
        "launch_configuration.json",
        "Converters",
        (1, 3),
        3,
        (
            (
                "Resources: the queue conversion-input is not in this template: SQS's defaults "
                "are used for its settings"
            ),
        ),
    ),
    Shape(
        "fifo.yaml",
        "Clerks",
        (1, 4),
        4,
        (),
    ),
)


def template(file: str) -> Document:
    """Return a template of the folder."""
    return parse_template((FOLDER / file).read_text(encoding="utf-8"), file)


def read(shape: Shape) -> Fleet:
    """Return the fleet of a shape's group."""
    return read_fleet(template(shape.file), shape.given, group=shape.group)


def named(shape: Shape) -> str:
    """Return what a test of this shape is called."""
    return f"{shape.file.partition('.')[0]}-{shape.group}-{len(shape.given)}"


class ReadyWorld(FakeWorld):
    """A world whose instances complete their launch hooks ten seconds after they run."""

    def launch(self, instance: str) -> None:
        """Boot an instance, and let it say that it is ready."""
        super().launch(instance)
        at = next(at for at, event in reversed(self.due) if event == Booted(instance))
        self.due.append((at + 10, HookCompleted(instance)))


@pytest.mark.parametrize("shape", SHAPES, ids=named)
def test_a_template_says_what_of_it_is_not_modelled(shape: Shape) -> None:
    """Everything in it that scales is modelled or reported."""
    fleet = read(shape)
    assert fleet.not_modelled == shape.left_out
    assert fleet.group.logical_id == shape.group
    assert (fleet.group.min_size, fleet.group.max_size) == shape.bounds
    assert fleet in read_fleets(template(shape.file), shape.given)


@pytest.mark.parametrize("shape", SHAPES, ids=named)
def test_an_hour_with_a_burst_stays_within_the_groups_bounds(shape: Shape) -> None:
    """300 messages arrive after ten minutes; an instance processes one in five seconds."""
    fleet = read(shape)
    run = Run(fleet, ReadyWorld(FakeQueue(), boot_seconds=60))
    run.world.rate = 0
    run.go(10 * MINUTE, every=5)
    run.queue.visible = 300
    peak = 0
    for second in range(0, 50 * MINUTE, 5):
        # One message in five seconds for each: worked off here, as rates there are whole.
        run.queue.visible = max(0, run.queue.visible - len(run.memory.group.serving()))
        run.go(5, every=5)
        low, high = run.memory.group.limits(fleet.group)
        assert low <= run.desired <= high, second
        peak = max(peak, len(run.memory.group.serving()))
    assert run.world.now == START + 60 * MINUTE
    assert peak == shape.grows_to
    assert run.queue.visible == 0
    assert (run.fleet.group.min_size, run.fleet.group.max_size) == shape.bounds


def test_every_template_of_the_folder_is_here() -> None:
    """Every template in the folder has a test."""
    files = {file.name for file in FOLDER.iterdir()}
    assert files == {shape.file for shape in SHAPES} | {"for_each.yaml", "custom_metric.yaml"}


def test_a_loop_over_resources_is_refused_by_its_name() -> None:
    """Fn::ForEach is not expanded here."""
    with pytest.raises(TemplateError) as error:
        template("for_each.yaml")
    assert str(error.value) == (
        "for_each.yaml: Resources.Fn::ForEach::Queues: Fn::ForEach is not supported here: write "
        "out its result"
    )


def test_a_fleet_that_follows_a_metric_of_its_own_follows_no_queue() -> None:
    """The metric of the template's own program has no datapoints here."""
    for reader in (read_fleet, read_fleets):
        with pytest.raises(TemplateError, match="watch no queue, but Jobs BacklogPerInstance"):
            reader(template("custom_metric.yaml"), {})


def test_of_several_groups_one_has_to_be_chosen() -> None:
    """This holds where several follow a queue; a group that follows none is no fleet."""
    several = template("several_groups.yaml")
    with pytest.raises(
        TemplateError, match="several Auto Scaling groups follow a queue: choose one of Fast"
    ):
        read_fleet(several, {})
    with pytest.raises(ParameterError, match="no Auto Scaling group Slowest; there are: Front, Fa"):
        read_fleet(several, {}, group="Slowest")
    assert [fleet.queue.logical_id for fleet in read_fleets(several, {})] == ["Fast", "Slow"]
    for name in ("SlowGroup", "SlowPolicy", "SlowAlarm"):
        del several["Resources"][name]
    assert read_fleet(several, {}).group.logical_id == "FastGroup"
    for name in ("FastGroup", "FastPolicy", "FastAlarm"):
        several["Resources"][name] = several["Resources"].get("Front")
    with pytest.raises(TemplateError, match="no Auto Scaling group follows a queue; there are: "):
        read_fleet(several, {})


def test_a_template_without_a_group_is_no_fleet() -> None:
    """Both readers refuse it with the reason."""
    bare = {"Resources": {"Jobs": {"Type": "AWS::SQS::Queue"}}}
    for reader in (read_fleet, read_fleets):
        with pytest.raises(TemplateError, match="there is no Auto Scaling group: add one"):
            reader(bare, {})
