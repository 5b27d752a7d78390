"""The fleet of the product's template, and of templates that result from damage to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders.fleets import product_fleet, product_template

from tidemill.scaling.errors import ParameterError, ScalingError
from tidemill.scaling.group.hooks import TERMINATING
from tidemill.scaling.spec import AdjustmentType, AlarmState, Fleet, StepScalingPolicy
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.fleet import read_fleet
from tidemill.scaling.template.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator


class TestTheProductsTemplate:
    """The core's specification has the values of template.yaml."""

    def test_the_group_goes_from_0_to_4_and_drains_by_a_hook(self) -> None:
        """Limits, warm-up, hook and metrics are the template's."""
        group = product_fleet().group
        assert (group.name, group.min_size, group.max_size) == ("tidemill-workers", 0, 4)
        assert (group.desired, group.default_warmup) == (0, 60)
        (hook,) = group.hooks
        assert (hook.name, hook.transition) == ("drain", TERMINATING)
        assert hook.default_result == "CONTINUE"
        assert "GroupDesiredCapacity" in group.metrics

    def test_the_queue_is_the_one_that_the_alarms_watch(self) -> None:
        """The fleet's queue is the work queue, not the dead-letter queue."""
        fleet = product_fleet(MaxReceiveCount="7")
        assert (fleet.queue.logical_id, fleet.queue.max_receive_count) == ("WorkQueue", 7)
        watched = {
            query.stat.metric.dimensions
            for alarm in fleet.alarms
            for query in alarm.queries
            if query.stat and query.stat.metric.namespace == "AWS/SQS"
        }
        assert watched == {(("QueueName", fleet.queue.name),)}

    def test_every_alarm_triggers_its_policy_in_alarm_only(self) -> None:
        """With work, without work, and with the fast signal for a shortage."""
        fleet = product_fleet(FastSignal="true")
        assert {
            alarm.logical_id: (alarm.policies_in(AlarmState.ALARM), alarm.policies)
            for alarm in fleet.alarms
        } == {
            "BacklogAlarm": (("BacklogPolicy",), {"BacklogPolicy"}),
            "EmptyQueueAlarm": (("EmptyQueuePolicy",), {"EmptyQueuePolicy"}),
            "BacklogRisingAlarm": (("BacklogPolicy",), {"BacklogPolicy"}),
        }
        usual = [alarm.logical_id for alarm in product_fleet().alarms]
        assert usual == ["BacklogAlarm", "EmptyQueueAlarm"]
        for policy in fleet.policies:
            assert isinstance(policy, StepScalingPolicy)
            assert policy.adjustment_type is AdjustmentType.EXACT

    def test_parameters_reach_every_part(self) -> None:
        """Limits, alarms, expressions and user data follow the parameters."""
        fleet = product_fleet(
            MaxInstances="7", HoldSeconds="900", BacklogPerInstance="50", PollWaitSeconds="0"
        )
        assert fleet.group.max_size == 7
        assert fleet.alarms[0].period == 900
        assert "CEIL((visible + inflight) / 50)" in {
            query.expression for query in fleet.alarms[0].queries
        }
        assert "--env POLL_WAIT_SECONDS=0 " in fleet.user_data

    def test_user_data_is_the_script_with_nothing_left_to_resolve(self) -> None:
        """The script starts as a script and holds the queue's URL."""
        fleet = product_fleet()
        url = f"https://sqs.us-east-1.amazonaws.com/000000000000/{fleet.queue.name}"
        assert fleet.user_data.startswith("#!/bin/bash\n")
        assert f"QUEUE_URL={url} " in fleet.user_data
        assert "${AWS::" not in fleet.user_data

    def test_everything_that_scales_is_modelled(self) -> None:
        """Nothing is left out, and every watched metric is published."""
        assert product_fleet().not_modelled == ()

    def test_deployed_names_take_the_place_of_made_up_ones(self) -> None:
        """Alarms watch the deployed queue by its real name."""
        physical = {"WorkQueue": {"Ref": "http://localhost/work", "QueueName": "work"}}
        fleet = read_fleet(product_template(), {}, Place(physical=physical))
        assert fleet.queue.name == "work"
        assert "QUEUE_URL=http://localhost/work" in fleet.user_data
        assert fleet.not_modelled == ()

    @pytest.mark.parametrize("value", ["0", "1001", "", "many", "2.5.1"])
    def test_a_parameter_out_of_bounds_is_reported_with_its_bounds(self, value: str) -> None:
        """The error has the template's ConstraintDescription."""
        with pytest.raises(
            ParameterError, match=rf"^parameter MaxInstances={value}: give 1 to 1000"
        ):
            product_fleet(MaxInstances=value)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.just(10**30),
    st.floats(),
    st.text(alphabet="aX0{$}.\n", max_size=5),
    st.just([]),
    st.just({}),
    st.just(["x"]),
    st.just({"Ref": "WorkQueue"}),
    st.just({"Ref": "AWS::NoValue"}),
    st.just({"Fn::GetAtt": ["WorkQueue", "Arn"]}),
    st.just({"Fn::If": ["No", 1, 2]}),
    st.just({"Condition": "x"}),
)
PARTS_READ = ("Parameters", "Conditions", "Resources")


def places(part: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401 - any part
    """Yield the path of every part of a template that the core may look at."""
    if isinstance(part, dict):
        for key, value in part.items():
            if path or key in PARTS_READ:
                yield (*path, key)
                yield from places(value, (*path, key))
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield (*path, index)
            yield from places(value, (*path, index))


PLACES = [
    path for path in places(product_template()) if len(path) == 1 or "Role" not in str(path[1])
]


@pytest.mark.long
@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK, st.booleans()), min_size=1, max_size=3))
def test_a_template_with_any_part_replaced_is_a_fleet_or_an_error(
    damages: list[tuple[tuple[str | int, ...], Any, bool]],
) -> None:
    """Any damage leads to a fleet or a one-line error."""
    template: Any = product_template()
    for path, junk, removed in damages:
        _damage(template, path, junk, removed=removed)
    try:
        fleet = read_fleet(parse_template(json.dumps(template), "t.json"), {})
    except ScalingError as error:
        assert str(error).isprintable()  # noqa: PT017 - most end here
    else:
        assert isinstance(fleet, Fleet)


def _damage(template: Any, path: tuple[str | int, ...], junk: Any, *, removed: bool) -> None:  # noqa: ANN401 - any part
    """Replace or remove a part, where an earlier damage has left it there."""
    *way, last = path
    try:
        for step in way:
            template = template[step]
        template[last]
    except (IndexError, KeyError, TypeError):
        return
    if isinstance(template, str):
        return
    if removed:
        del template[last]
    else:
        template[last] = junk
