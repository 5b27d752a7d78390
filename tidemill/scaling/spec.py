"""Specification of a fleet: one queue and the group that works on it, as frozen data.

The module has over 280 lines, so that everything that is read from a template is in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from tidemill.scaling.times.catalogue import USUAL

if TYPE_CHECKING:
    from datetime import tzinfo

    from tidemill.scaling.times.catalogue import Times


class Comparison(StrEnum):
    """Comparison operators of alarms: a datapoint (first operand) and the threshold (second)."""

    GREATER = "GreaterThanThreshold"
    GREATER_OR_EQUAL = "GreaterThanOrEqualToThreshold"
    LESS = "LessThanThreshold"
    LESS_OR_EQUAL = "LessThanOrEqualToThreshold"


class MissingData(StrEnum):
    """Treatments of missing datapoints in an alarm; CloudWatch's default is MISSING."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class AdjustmentType(StrEnum):
    """Meanings of an adjustment: a change in instances, a change in percent, or a capacity."""

    CHANGE = "ChangeInCapacity"
    EXACT = "ExactCapacity"
    PERCENT = "PercentChangeInCapacity"


class Aggregation(StrEnum):
    """Aggregations of an alarm's datapoints for a step policy; the default is AVERAGE."""

    AVERAGE = "Average"
    MINIMUM = "Minimum"
    MAXIMUM = "Maximum"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's identity in CloudWatch: dimensions are (name, value) pairs sorted by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class MetricStat:
    """One statistic of a metric ("Average", "Sum", ...); `period` is in seconds."""

    metric: Metric
    period: int
    stat: str


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One entry of an alarm's Metrics: either a metric or an expression over other entries' ids.

    With a `unit`, datapoints of the metric with another unit do not count.
    """

    id: str
    stat: MetricStat | None = None
    expression: str | None = None
    label: str = ""
    unit: str | None = None


class AlarmState(StrEnum):
    """The three states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Warm-up of a created alarm: `seconds` at most, or exactly where `whole` is set."""

    seconds: int
    whole: bool = False


@dataclass(frozen=True, slots=True)
class PolicyAction:
    """An alarm action that runs a scaling policy of the group, by its logical id."""

    policy: str


@dataclass(frozen=True, slots=True)
class OtherAction:
    """An alarm action that changes no capacity, such as a topic; `target` is usually its ARN."""

    target: str


Action = PolicyAction | OtherAction
"""What an alarm does in a state. An action changes the capacity only if it runs a policy."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm; `returned` is the id of the query whose series is compared.

    `period` is in seconds. `actions`, `ok_actions` and `insufficient_data_actions` are those of
    AlarmActions, OKActions and InsufficientDataActions.
    `ignore_low_samples` is EvaluateLowSampleCountPercentile: ignore. `wall_clock` is the time zone
    of a wall clock window, None for a sliding one.
    """

    logical_id: str
    name: str
    queries: tuple[MetricQuery, ...]
    returned: str
    comparison: Comparison
    threshold: float
    period: int
    evaluation_periods: int
    datapoints_to_alarm: int
    missing_data: MissingData = MissingData.MISSING
    actions: tuple[Action, ...] = ()
    ignore_low_samples: bool = False
    wall_clock: tzinfo | None = None
    warm_up: WarmUp | None = None
    ok_actions: tuple[Action, ...] = ()
    insufficient_data_actions: tuple[Action, ...] = ()

    def actions_in(self, state: AlarmState) -> tuple[Action, ...]:
        """Return the actions of a state."""
        match state:
            case AlarmState.ALARM:
                return self.actions
            case AlarmState.OK:
                return self.ok_actions
            case AlarmState.INSUFFICIENT_DATA:
                return self.insufficient_data_actions

    def acts_in(self, state: AlarmState) -> bool:
        """Return whether an action of a state may change the capacity."""
        return any(isinstance(one, PolicyAction) for one in self.actions_in(state))

    def policies_in(self, state: AlarmState) -> tuple[str, ...]:
        """Return the logical ids of the scaling policies that the alarm runs in a state."""
        actions = self.actions_in(state)
        return tuple([one.policy for one in actions if isinstance(one, PolicyAction)])

    @property
    def policies(self) -> set[str]:
        """Return the logical ids of the scaling policies that the alarm runs in any state."""
        return {policy for state in AlarmState for policy in self.policies_in(state)}


@dataclass(frozen=True, slots=True)
class StepAdjustment:
    """One step: bounds relative to the alarm's threshold (None is infinity) and its adjustment."""

    lower: float | None
    upper: float | None
    adjustment: int


@dataclass(frozen=True, slots=True)
class StepScalingPolicy:
    """A step scaling policy; `warmup` is EstimatedInstanceWarmup in seconds, when it is set.

    `aggregation` is MetricAggregationType. Auto Scaling applies it to "the most recent" datapoints
    of the alarm; AWS does not publish how many. Here it is one, so the aggregation has no effect.
    """

    logical_id: str
    name: str
    adjustment_type: AdjustmentType
    steps: tuple[StepAdjustment, ...]
    warmup: int | None = None
    min_adjustment_magnitude: int | None = None
    aggregation: Aggregation = Aggregation.AVERAGE


@dataclass(frozen=True, slots=True)
class SimpleScalingPolicy:
    """A simple scaling policy; `cooldown` in seconds, None for the group's default."""

    logical_id: str
    name: str
    adjustment_type: AdjustmentType
    adjustment: int
    cooldown: int | None = None
    min_adjustment_magnitude: int | None = None


@dataclass(frozen=True, slots=True)
class TargetTrackingPolicy:
    """A target tracking policy; `high` and `low` are the logical ids of the alarms it creates.

    `target` is TargetValue. `low` is None if DisableScaleIn is set. `warmup` is
    EstimatedInstanceWarmup in seconds, if it is set.
    """

    logical_id: str
    name: str
    target: float
    high: str
    low: str | None = None
    warmup: int | None = None


Policy = StepScalingPolicy | SimpleScalingPolicy | TargetTrackingPolicy


@dataclass(frozen=True, slots=True)
class ScheduledAction:
    """A scheduled action: sizes of the group, set once at `start` or by `recurrence` (cron).

    With a recurrence, `start` and `end` are its limits in epoch seconds, and `zone` is its IANA
    time zone. A size of None is not changed.
    """

    logical_id: str
    name: str
    min_size: int | None = None
    max_size: int | None = None
    desired: int | None = None
    recurrence: str | None = None
    start: float | None = None
    end: float | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class LifecycleHook:
    """A hook that holds an instance while it launches or terminates; timeout in seconds."""

    name: str
    transition: str
    heartbeat_timeout: int
    default_result: str


@dataclass(frozen=True, slots=True)
class MaintenancePolicy:
    """An instance maintenance policy, in percent of the desired capacity."""

    min_healthy: int
    max_healthy: int


@dataclass(frozen=True, slots=True)
class WarmPool:
    """A group's warm pool; `max_prepared` is MaxGroupPreparedCapacity, if it is set.

    `state` is Stopped, Running or Hibernated.
    """

    min_size: int = 0
    max_prepared: int | None = None
    state: str = "Stopped"


class Limits(NamedTuple):
    """The least and the most instances that a group may have."""

    low: int
    high: int

    def clamp(self, capacity: int) -> int:
        """Return the capacity within the limits: with 1 and 4, 0 becomes 1 and 9 becomes 4."""
        return max(self.low, min(self.high, capacity))


@dataclass(frozen=True, slots=True)
class Group:
    """An Auto Scaling group; times are in seconds.

    `metrics` are the names of the group metrics that its MetricsCollection enables.
    `termination` are the termination policies, `grace` is the health check grace period.
    `protects` is set if new instances are protected from scale-in. `retains` is set if the instance
    lifecycle policy retains an instance that a termination hook has abandoned.
    """

    logical_id: str
    name: str
    min_size: int
    max_size: int
    desired: int
    default_warmup: int | None = None
    default_cooldown: int = 300
    hooks: tuple[LifecycleHook, ...] = ()
    metrics: frozenset[str] = frozenset()
    termination: tuple[str, ...] = ("Default",)
    grace: int = 0
    protects: bool = False
    retains: bool = False
    maintenance: MaintenancePolicy | None = None
    warm_pool: WarmPool | None = None

    @property
    def limits(self) -> Limits:
        """Return the minimum and the maximum size in the template."""
        return Limits(self.min_size, self.max_size)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue's settings in seconds; `max_receive_count` is None when it has no redrive policy.

    `fifo` is set if the queue keeps the order of each message group, whose messages then wait
    while one of them is in flight.
    `kept_awake` is set if a schedule of the template accesses the queue so often that SQS never
    stops publishing its metrics. `wake_up` is the time of an inactive queue from its next use to
    its first metrics; it is one of AWS's times, not of the template.
    """

    logical_id: str
    name: str
    visibility_timeout: int
    max_receive_count: int | None = None
    fifo: bool = False
    kept_awake: bool = False
    wake_up: float = USUAL.wake_up.mean


@dataclass(frozen=True, slots=True)
class Fleet:
    """One group, the policies and alarms that scale it, and the queue that its alarms watch.

    `user_data` is the launch template's script with every function of the template resolved.
    `instance_types` are the types of its instances, the preferred one first.
    Alarms that target tracking policies create are among `alarms`.
    `signal_period` is the interval in seconds in which a function of the template samples the
    queue, None if no alarm uses its samples. `not_modelled` has a sentence for each part of the
    template that is not modelled. `alarm_lag` is the time from the end of a minute until alarms see
    its datapoints; it is one of AWS's times, not of the template.
    """

    queue: Queue
    group: Group
    policies: tuple[Policy, ...]
    alarms: tuple[Alarm, ...]
    user_data: str
    instance_types: tuple[str, ...] = ()
    signal_period: int | None = None
    not_modelled: tuple[str, ...] = ()
    scheduled: tuple[ScheduledAction, ...] = ()
    alarm_lag: float = USUAL.alarm_lag.mean

    def under(self, times: Times) -> Fleet:
        """Return the fleet with these times of AWS in place of the usual ones."""
        return replace(
            self,
            queue=replace(self.queue, wake_up=times.wake_up.mean),
            alarm_lag=times.alarm_lag.mean,
        )

    def reads(self, metric: Metric) -> bool:
        """Return whether an alarm reads this metric."""
        queries = (query for alarm in self.alarms for query in alarm.queries)
        return any(query.stat is not None and query.stat.metric == metric for query in queries)

    def policy(self, logical_id: str) -> Policy:
        """Return the policy with this logical id.

        Raises:
            KeyError: the fleet has no such policy.
        """
        for policy in self.policies:
            if policy.logical_id == logical_id:
                return policy
        raise KeyError(logical_id)
