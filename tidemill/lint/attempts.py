"""Rules about attempts: receives that are none, time limits, and the wait for the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.leaving.drain import CALLS_MOST, LOGS_MOST, Drain
from consumer.setting_table import RETRY_DELAY_MAX_SECONDS
from tidemill.lint.finding import Rule, Severity, Violation
from tidemill.lint.linted_fleet import PROPERTIES, path
from tidemill.lint.messages import DRAIN, MESSAGE
from tidemill.scaling.group.hooks import TERMINATING, hooks_for
from tidemill.scaling.metrics.queue import NOT_VISIBLE
from tidemill.scaling.template.properties import part, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.lint.linted_fleet import LintedFleet

ENOUGH_RECEIVES = 3
"""With fewer, a drain and a lost instance make a dead letter of a message that nobody handled."""
LONGEST_DELAY = RETRY_DELAY_MAX_SECONDS.name
ALL_ON_DEMAND = 100
ENOUGH_BESIDE = CALLS_MOST + LOGS_MOST
"""Seconds of a drain that are not for handlers, at most."""
ORDINALS = {1: "second", 2: "third"}


def _few_receives(linted: LintedFleet) -> Iterator[Violation]:
    returns = list(_returns(linted))
    for queue in linted.queues():
        where = path(queue, PROPERTIES)
        redrive = part(linted.resolver.properties(queue), "RedrivePolicy", where)
        count = whole(redrive, "maxReceiveCount", f"{where}.RedrivePolicy", ENOUGH_RECEIVES)
        if not redrive or count >= ENOUGH_RECEIVES or (count > 1 and not returns):
            continue
        because = f", and {linted.fleet.group.logical_id} {' and '.join(returns)}"
        yield Violation(
            f"{queue} moves a message to its dead-letter queue at the {ORDINALS[count]} receive"
            f"{because if returns else ''}",
            (queue, PROPERTIES, "RedrivePolicy"),
        )


def _returns(linted: LintedFleet) -> Iterator[str]:
    """Yield each way in which instances of the group may return messages unhandled."""
    if hooks_for(linted.fleet.group, TERMINATING):
        yield "drains its instances"
    if _has_spot(linted):
        yield "has Spot instances"


def _has_spot(linted: LintedFleet) -> bool:
    group = linted.fleet.group.logical_id
    where = path(group, PROPERTIES, "MixedInstancesPolicy")
    mixed = part(linted.resolver.properties(group), "MixedInstancesPolicy", path(group, PROPERTIES))
    distribution = part(mixed, "InstancesDistribution", where)
    on_demand = whole(
        distribution,
        "OnDemandPercentageAboveBaseCapacity",
        f"{where}.InstancesDistribution",
        ALL_ON_DEMAND,
    )
    data = linted.launch.data if linted.launch else {}
    at = path(*linted.launch.at) if linted.launch else ""
    market = part(data, "InstanceMarketOptions", at).get("MarketType")
    return on_demand < ALL_ON_DEMAND or market == "spot" or "SpotPrice" in data


def _limit_after_drain(linted: LintedFleet) -> Iterator[Violation]:
    settings = linted.container.numbers() if linted.container else {}
    if not {MESSAGE, DRAIN} <= settings.keys():
        return
    handlers = Drain.of(settings[DRAIN]).handlers
    if settings[MESSAGE] > handlers:
        yield Violation(
            f"{MESSAGE} is {settings[MESSAGE]:g}, and of the {settings[DRAIN]:g} seconds of "
            f"{DRAIN} handlers get {handlers:g}",
            linted.at_script(),
        )


def _retry_holds_instances(linted: LintedFleet) -> Iterator[Violation]:
    settings = linted.container.numbers() if linted.container else {}
    scaling = [alarm for alarm in linted.fleet.alarms if alarm.policies]
    in_flight = any(
        query.stat and query.stat.metric.name == NOT_VISIBLE
        for alarm in scaling
        for query in alarm.queries
    )
    held = max((alarm.period * alarm.evaluation_periods for alarm in scaling), default=0)
    if in_flight and settings.get(LONGEST_DELAY, 0) > held:
        yield Violation(
            f"{LONGEST_DELAY} is {settings[LONGEST_DELAY]:g}, and no alarm looks back further than "
            f"{held} seconds",
            linted.at_script(),
        )


RULES = (
    Rule(
        id="few-receives",
        severity=Severity.WARNING,
        problem="A message may be received only once, or twice by instances that return messages.",
        why=(
            "A receive counts even if the message is returned: a drain, a Spot interruption or a "
            "crash makes dead letters of messages that no worker has handled. Two receives are "
            "reported for a group with a terminate hook or Spot instances."
        ),
        page="Using dead-letter queues in Amazon SQS",
        fix="Set maxReceiveCount to 3 or more.",
        check=_few_receives,
    ),
    Rule(
        id="limit-after-drain",
        severity=Severity.WARNING,
        problem="A handler may take longer than a drain.",
        why=(
            "A message whose handler is within its time limit is returned unfinished when its "
            "instance is terminated, and is handled again from the start."
        ),
        page="Design your applications to gracefully handle instance termination",
        fix=(
            f"Set {DRAIN} {ENOUGH_BESIDE:g} seconds above {MESSAGE} or more, and the stop timeout "
            "and the hook above that."
        ),
        check=_limit_after_drain,
    ),
    Rule(
        id="retry-holds-instances",
        severity=Severity.NOTE,
        problem="Messages wait for a retry longer than the alarms look back.",
        why=(
            "A message that waits for its retry is in flight: the queue is not empty, so that an "
            "instance runs, and costs, for a message on which nobody works."
        ),
        page="Amazon SQS visibility timeout",
        fix=f"Set {LONGEST_DELAY} to the seconds that the alarms look back, or less.",
        check=_retry_holds_instances,
    ),
)
