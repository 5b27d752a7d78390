"""Check of a burst: the fleet scales out to what it needs, and does not dip while it works."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tidemill.verify.acting.message import LONGEST, send
from tidemill.verify.bench import SkippedError, why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.expectation import desired_for
from tidemill.verify.finding import compared, held, unobserved
from tidemill.verify.fleet_now import CALLS, backlog, group_now, require_idle
from tidemill.verify.logs import worker_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.verify.bench import Bench
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

INSTANCES = 3
"""The number of instances that the burst needs, if the group's limit allows it: enough to go down
and up again."""

MOST = 500
"""The largest number of messages that is sent, one by one."""


def _count(target: Target) -> int | None:
    """Return the smallest number of messages for the instances, None if it is more than MOST."""
    goal = min(INSTANCES, target.fleet.group.max_size)
    return next((n for n in range(1, MOST + 1) if desired_for(target.fleet, n) >= goal), None)


def _observe(bench: Bench) -> None:
    count = _count(bench.target)
    if count is None:
        raise SkippedError(f"{INSTANCES} instances need more than {MOST} messages")
    require_idle(bench)
    bench.moment("sent")
    ids = [send(bench) for _ in range(count)]
    bench.note("messages", ids)
    sizes: list[list[float]] = bench.seen.setdefault("sizes", [])

    def over() -> bool:
        group = group_now(bench)
        if not sizes or sizes[-1][1] != group.desired:
            sizes.append([bench.clock.now(), group.desired])
            bench.say(f"desired capacity {group.desired}")
        return len(sizes) > 1 and not (group.desired or group.instances or backlog(bench).total)

    bench.note("finished", bench.wait("the burst is processed", LONGEST, over))
    lines = worker_lines(bench, None, bench.seen["sent"])
    if lines:
        processed = {line.get("message_id") for line in lines if line.get("outcome") == "processed"}
        bench.note("processed", len(processed.intersection(ids)))


def _judge(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    why, count = why_missing(seen), len(seen.get("messages", [])) or _count(target) or MOST
    sizes = [int(desired) for _, desired in seen.get("sizes", [])]
    # An alarm may count a message twice, as visible and as in flight within one HoldSeconds.
    low, high = desired_for(target.fleet, count), desired_for(target.fleet, 2 * count)
    what, expected = f"largest capacity for {count} messages", f"{low} to {high}"
    if sizes:
        yield held(what, expected, str(max(sizes)), holds=low <= max(sizes) <= high)
    else:
        yield unobserved(what, expected, why)
    what = "times that the capacity increased again after it had decreased"
    if "finished" in seen:
        yield compared(what, 0, rises_after_falls(sizes), _listed(sizes))
        done = "yes" if seen["finished"] else "no"
        yield compared("queue empty and group at 0 in the end", "yes", done)
    else:
        yield unobserved(what, "0", why)
        yield unobserved("queue empty and group at 0 in the end", "yes", why)
    reason = why_missing(seen, "logs:FilterLogEvents", otherwise="no lines of workers")
    processed = seen.get("processed")
    note = "" if processed is not None else reason
    yield compared("messages processed", count, processed, note)


def rises_after_falls(sizes: list[int]) -> int:
    """Return how often a size increased after an earlier decrease: in 0, 3, 1, 3, 0 once."""
    rises, fell = 0, False
    for before, after in pairwise(sizes):
        rises += fell and after > before
        fell = fell or after < before
    return rises


def _listed(sizes: list[int]) -> str:
    return f"desired capacities: {', '.join(map(str, sizes))}"


BURST = Check(
    name="burst",
    question="Does the fleet scale out to what a burst needs, without a dip while it works?",
    observation=Observation(
        name="burst",
        does=f"sends as many messages as {INSTANCES} instances are needed for, and watches the "
        "desired capacity until it is 0 again",
        level=Level.ACT,
        calls=(*CALLS, "sqs:SendMessage", "logs:FilterLogEvents"),
        use=lambda target: Use(
            seconds=900.0 + target.longest_period,
            instance_seconds=(INSTANCES + 1) * 720.0,
            requests=500,
        ),
        observe=_observe,
    ),
    judge=_judge,
    remedy="A dip means that SQS's metrics were late or missing for a minute: raise HoldSeconds "
    "(docs/simulator.md, Faults, shows what it costs). A lower peak means that a limit or a "
    "quota stopped the group: read its scaling activities.",
)
