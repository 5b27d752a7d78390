"""Counts and bills of simulated instances."""

from __future__ import annotations

from tidemill.simulator.instances.billing import InstanceCounts
from tidemill.simulator.instances.instance import SimulatedInstance


def test_a_short_run_is_billed_for_the_shortest_time_in_each_hour_of_the_clock() -> None:
    """From 10:59:50 to 11:00:10: a minute is billed, in two hours of the clock."""
    counts, instance = InstanceCounts(), SimulatedInstance("i-1")
    counts.begin(instance, 11 * 3600 - 10)
    counts.end(instance, 11 * 3600 + 10, billed_at_least=60)
    assert (instance.billed, counts.billed_seconds, counts.hours) == (60, 60, {10, 11})


def test_an_instance_that_never_ran_is_not_billed() -> None:
    """An instance that was terminated while launching costs nothing."""
    counts, instance = InstanceCounts(), SimulatedInstance("i-1")
    counts.end(instance, 1000, billed_at_least=60)
    counts.terminate(instance)
    assert counts == InstanceCounts()


def test_an_instance_without_a_message_was_launched_for_nothing() -> None:
    """The bill of an instance without a message counts as idle."""
    counts = InstanceCounts()
    for processed in (0, 3):
        instance = SimulatedInstance("i-1", processed=processed)
        counts.begin(instance, 0)
        counts.end(instance, 100, billed_at_least=60)
        counts.terminate(instance)
    assert (counts.idle_launches, counts.idle_seconds, counts.billed_seconds) == (1, 100, 200)


def test_messages_of_an_instance_that_ended_too_early_are_cut_off() -> None:
    """The instances are counted, and their messages."""
    counts = InstanceCounts()
    for cut_off in (0, 3, 4):
        instance = SimulatedInstance("i-1", cut_off=cut_off)
        counts.begin(instance, 0)
        counts.end(instance, 100, billed_at_least=60)
    assert (counts.cut_off, counts.cut_off_messages) == (2, 7)


def test_the_peak_is_the_most_that_ran_at_once() -> None:
    """Of three instances, two run at once at most."""
    counts = InstanceCounts()
    one, two, three = (SimulatedInstance(f"i-{number}") for number in range(3))
    counts.begin(one, 0)
    counts.begin(two, 1)
    counts.end(one, 2, billed_at_least=60)
    counts.begin(three, 3)
    assert (counts.peak, counts.running) == (2, 2)
