"""The loop in any sequence of events: its group keeps its limits and its count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders.alarms import an_alarm
from support.builders.fleets import a_fleet, a_group, a_policy
from support.fakes.worlds import START

from tidemill.scaling.facts import AlarmChanged, DesiredChanged
from tidemill.scaling.group.hooks import ABANDON, CONTINUE, LAUNCHING
from tidemill.scaling.loop import Booted, HookCompleted, Observation, Vanished, begin, turn
from tidemill.scaling.metrics.queue import QueueSample
from tidemill.scaling.spec import AdjustmentType, Comparison, LifecycleHook, StepAdjustment

if TYPE_CHECKING:
    from tidemill.scaling.loop import InstanceEvent
    from tidemill.scaling.spec import Fleet

HOOKS = st.sets(st.sampled_from([LAUNCHING, "autoscaling:EC2_INSTANCE_TERMINATING"]))
KINDS = st.sampled_from(list(AdjustmentType))
POLICIES = st.lists(
    st.tuples(KINDS, st.integers(-3, 12), st.sampled_from([0, 90, None])), min_size=1, max_size=3
)
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 40),  # messages that wait
        st.integers(1, 150),  # seconds until the next turn
        st.lists(
            st.tuples(
                st.sampled_from(["boot", "continue", "abandon", "gone", "unknown"]),
                st.integers(0, 9),
            ),
            max_size=3,
        ),
    ),
    min_size=1,
    max_size=40,
)


def a_random_fleet(
    policies: list[tuple[AdjustmentType, int, int | None]], hooks: set[str]
) -> Fleet:
    """Return a group of 1 to 6 with these policies, each on an alarm of its own."""
    made = tuple(
        a_policy(
            logical_id=f"P{number}",
            adjustment_type=kind,
            warmup=warmup,
            steps=(StepAdjustment(None, 0, -1), StepAdjustment(0, None, size)),
        )
        for number, (kind, size, warmup) in enumerate(policies)
    )
    alarms = tuple(
        an_alarm(
            logical_id=f"A{number}",
            comparison=Comparison.GREATER if number % 2 else Comparison.LESS_OR_EQUAL,
            threshold=10.0,
            evaluation_periods=1 + number,
            datapoints_to_alarm=1,
            actions=(policy.logical_id,),
        )
        for number, policy in enumerate(made)
    )
    held = tuple(LifecycleHook(way, way, 90, ABANDON) for way in sorted(hooks))
    return a_fleet(made, alarms, a_group(min_size=1, max_size=6, hooks=held, desired=2))


@settings(max_examples=150)
@given(POLICIES, HOOKS, EVENTS)
def test_whatever_happens_the_group_keeps_its_limits_and_its_count(
    policies: list[tuple[AdjustmentType, int, int | None]],
    hooks: set[str],
    events: list[tuple[int, int, list[tuple[str, int]]]],
) -> None:
    """Each turn is in bounds, and each instance is launched and terminated at most once."""
    fleet = a_random_fleet(policies, hooks)
    memory, now = begin(fleet, START), START
    states: dict[str, str] = {}
    launched: list[str] = []
    ended: list[str] = []
    gone: set[str] = set()
    for visible, seconds, names in events:
        now += seconds
        before = memory.group
        happened = tuple(
            _event(name, number, [i.id for i in before.instances]) for name, number in names
        )
        gone |= {
            e.instance for e in happened if isinstance(e, Vanished) and before.find(e.instance)
        }
        taken = turn(fleet, memory, Observation(QueueSample(visible, 0), happened), now)
        memory = taken.memory
        launched += taken.launch
        ended += taken.terminate
        states |= {fact.alarm: fact.after for fact in taken.facts if isinstance(fact, AlarmChanged)}
        changes = [fact for fact in taken.facts if isinstance(fact, DesiredChanged)]
        assert 1 <= memory.group.desired <= 6
        assert len(memory.group.wanted()) == memory.group.desired
        if memory.group.desired != before.desired:
            (change,) = changes
            assert states[change.alarm] == "ALARM"
            assert (change.before, change.after) == (before.desired, memory.group.desired)
        else:
            assert changes == []
    assert len(set(launched)) == len(launched) == memory.group.launched
    assert len(set(ended)) == len(ended)
    assert memory.group.launched == len(memory.group.instances) + len(gone)


def _event(name: str, number: int, instances: list[str]) -> InstanceEvent:
    chosen = instances[number % len(instances)] if instances and name != "unknown" else "i-unknown"
    match name:
        case "boot":
            return Booted(chosen)
        case "continue" | "abandon":
            return HookCompleted(chosen, CONTINUE if name == "continue" else ABANDON)
        case _:
            return Vanished(chosen)
