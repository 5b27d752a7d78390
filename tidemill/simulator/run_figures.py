"""Figures of a run by name, ready for JSON: percentiles of waits, times, counts, dollars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.simulator.cost.bill import dollars_a_day
from tidemill.simulator.queues.queued_message import ATTEMPTS
from tidemill.simulator.waits import mean, percentiles

if TYPE_CHECKING:
    from tidemill.simulator.candidate import Candidate
    from tidemill.simulator.result import Result
    from tidemill.simulator.scenario import Scenario


def run_figures(
    candidate: Candidate, scenario: Scenario, seed: int, result: Result
) -> dict[str, object]:
    """Return the figures of a run, in seconds unless their name has another unit.

    `wait_to_first_receive` is over the messages that were received, `wait_until_processed` over
    those that were processed. `cut_off_messages` were received by workers that ended before they
    had processed them, `returned_messages` were given back without a handler having had them;
    `cut_off_instances` counts these workers' instances. `dead_lettered_good` are valid messages
    with fewer attempts than receives. `held_instance_hours` are those of instances while every
    message left waited for a retry.
    """
    dollars = dollars_a_day(candidate.fleet, result, worker_metrics=candidate.worker_metrics)
    messages, instances = result.messages, result.instances
    worker = candidate.worker.handling(scenario.handler.mean)
    return {
        "policy": candidate.name,
        "scenario": scenario.name,
        "about": scenario.about,
        "seed": seed,
        "sent": messages.sent,
        "processed": messages.processed,
        "dead_lettered": messages.dead,
        "dead_lettered_by": {str(one): count for one, count in sorted(messages.dead_by.items())},
        "dead_lettered_good": messages.good_dead,
        "attempts": messages.attempts,
        "failed_attempts": {str(one): messages.failures[one] for one in ATTEMPTS},
        "retries": messages.retries,
        "expired": messages.expired,
        "left": result.left,
        "lost": result.lost,
        "wait_to_first_receive": percentiles(messages.first_waits),
        "wait_until_processed": percentiles(messages.waits),
        "mean_wait": _rounded(mean(messages.waits)),
        "seconds_to_drain": _rounded(result.drained_after),
        "oldest_age": round(result.oldest_age, 1),
        "instance_hours": round(instances.billed_seconds / 3600, 3),
        "peak_instances": instances.peak,
        "launches": instances.launches,
        "retained_instances": result.retained,
        "wasted_launches": instances.idle_launches,
        "wasted_instance_hours": round(instances.idle_seconds / 3600, 3),
        "cut_off_instances": instances.cut_off,
        "cut_off_messages": instances.cut_off_messages,
        "returned_messages": messages.returned,
        "held_instance_hours": round(instances.held_seconds / 3600, 3),
        "handled_at_once": worker.slots,
        "instance_messages_a_minute": _rounded(worker.messages_a_minute(scenario.handler.mean)),
        **_of_groups(candidate, scenario),
        "simulated_hours": round(result.seconds / 3600, 2),
        "dollars_a_day": round(sum(dollars.values()), 4),
        "dollars_a_day_by_item": {item: round(value, 4) for item, value in dollars.items()},
    }


def _of_groups(candidate: Candidate, scenario: Scenario) -> dict[str, object]:
    """Return the groups of a FIFO queue, and how many messages a minute they allow at most.

    One message of a group is in work at a time: 10 groups of 2 s each allow 300 a minute.
    """
    if not candidate.fleet.queue.fifo:
        return {}
    seconds = scenario.handler.mean
    rate = 60 * scenario.groups / seconds if seconds else None
    return {"groups": scenario.groups, "groups_messages_a_minute": _rounded(rate)}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
