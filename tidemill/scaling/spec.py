"""What a template says about one queue and the group that works on it, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Comparison(StrEnum):
    """How an alarm compares a datapoint (first operand) with its threshold (second)."""

    GREATER = "GreaterThanThreshold"
    GREATER_OR_EQUAL = "GreaterThanOrEqualToThreshold"
    LESS = "LessThanThreshold"
    LESS_OR_EQUAL = "LessThanOrEqualToThreshold"


class MissingData(StrEnum):
    """What an alarm takes a missing datapoint for; CloudWatch's default is MISSING."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class AdjustmentType(StrEnum):
    """What the number of a step means."""

    CHANGE = "ChangeInCapacity"
    EXACT = "ExactCapacity"
    PERCENT = "PercentChangeInCapacity"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's identity in CloudWatch: dimensions are (name, value) pairs sorted by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class MetricStat:
    """A metric seen through one statistic ("Average", "Sum", ...) over periods of seconds."""

    metric: Metric
    period: int
    stat: str


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One entry of an alarm's Metrics: either a metric or an expression over other entries' ids.

    With a `unit`, datapoints of the metric that were published with another one do not count.
    """

    id: str
    stat: MetricStat | None = None
    expression: str | None = None
    label: str = ""
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm; `returned` is the id of the query whose series is compared.

    `period` is in seconds. `actions` are the scaling policies' logical ids in AlarmActions;
    other targets of an alarm, such as topics, play no part in scaling and are not kept.
    `ignore_low_samples` is EvaluateLowSampleCountPercentile: ignore.
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
    actions: tuple[str, ...] = ()
    ignore_low_samples: bool = False


@dataclass(frozen=True, slots=True)
class StepAdjustment:
    """One step: bounds relative to the alarm's threshold (None is infinity) and its adjustment."""

    lower: float | None
    upper: float | None
    adjustment: int


@dataclass(frozen=True, slots=True)
class StepScalingPolicy:
    """A step scaling policy; `warmup` is EstimatedInstanceWarmup in seconds, when it is set."""

    logical_id: str
    name: str
    adjustment_type: AdjustmentType
    steps: tuple[StepAdjustment, ...]
    warmup: int | None = None
    min_adjustment_magnitude: int | None = None


@dataclass(frozen=True, slots=True)
class LifecycleHook:
    """A hook that holds an instance when it launches or terminates; timeout in seconds."""

    name: str
    transition: str
    heartbeat_timeout: int
    default_result: str


@dataclass(frozen=True, slots=True)
class Group:
    """An Auto Scaling group; `default_warmup` and `default_cooldown` are in seconds.

    `metrics` are the names of the group metrics that its MetricsCollection turns on.
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


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue's settings in seconds; `max_receive_count` is None when it has no redrive policy."""

    logical_id: str
    name: str
    visibility_timeout: int
    max_receive_count: int | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """One group, the policies and alarms that move it, and the queue that its alarms watch.

    `user_data` is the launch template's script with every function of the template resolved.
    `signal_period` is how often, in seconds, a function of the template samples the queue, where
    an alarm looks at its samples. `not_modelled` lists, in sentences, what the template holds that
    scaling here leaves out.
    """

    queue: Queue
    group: Group
    policies: tuple[StepScalingPolicy, ...]
    alarms: tuple[Alarm, ...]
    user_data: str
    signal_period: int | None = None
    not_modelled: tuple[str, ...] = ()

    def policy(self, logical_id: str) -> StepScalingPolicy:
        """Return the policy with this logical id.

        Raises:
            KeyError: the fleet has no such policy.
        """
        for policy in self.policies:
            if policy.logical_id == logical_id:
                return policy
        raise KeyError(logical_id)
