"""Rules about instances: their start, and their termination without loss of work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.lint.finding import Rule, Severity, Violation
from tidemill.lint.linted_fleet import PROPERTIES, path, texts_in
from tidemill.lint.messages import DRAIN
from tidemill.scaling.group.hooks import LAUNCHING, TERMINATING, hooks_for
from tidemill.scaling.policies.dispatch import warmup
from tidemill.scaling.spec import SimpleScalingPolicy
from tidemill.scaling.template.properties import part, whole
from tidemill.scaling.times.catalogue import USUAL, mean_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.lint.linted_fleet import LintedFleet

BOOTING = round(USUAL.boot())
STARTING = round(mean_of(USUAL.until_work()))
"""Mean seconds of a boot, and of its part from a running instance to a working consumer, as the
simulator has them; AWS publishes no number."""

HEARTBEAT = "record-lifecycle-action-heartbeat"
"""The AWS CLI's command that restarts a hook's timeout."""

ALARM = "AWS::CloudWatch::Alarm"
RETAINED_METRICS = frozenset(
    {"GroupTerminatingRetainedInstances", "GroupTerminatingRetainedCapacity"}
)
"""The group metrics that count retained instances."""

HOP_LIMIT = "HttpPutResponseHopLimit"
CONTAINER_HOPS = 2


def _stop_too_short(linted: LintedFleet) -> Iterator[Violation]:
    container = linted.container
    drain = container.numbers().get(DRAIN) if container else None
    if container and drain is not None and container.stop_seconds < drain:
        yield Violation(
            f"the container is killed {container.stop_seconds:g} seconds after the signal to stop, "
            f"and {DRAIN} is {drain:g}",
            linted.at_script(),
        )


def _hook_too_short(linted: LintedFleet) -> Iterator[Violation]:
    container = linted.container
    hooks = hooks_for(linted.fleet.group, TERMINATING)
    if container is None or not hooks or HEARTBEAT in linted.fleet.user_data:
        return
    needed = max(container.stop_seconds, container.numbers().get(DRAIN, 0.0))
    longest = max(hooks, key=lambda hook: hook.heartbeat_timeout)
    if longest.heartbeat_timeout < needed:
        yield Violation(
            f"the hook {longest.name} holds an instance for {longest.heartbeat_timeout} seconds, "
            f"and its container may take {needed:g} to stop",
            linted.at_group("LifecycleHookSpecificationList"),
        )


def _no_hook(linted: LintedFleet) -> Iterator[Violation]:
    group = linted.fleet.group
    if linted.scales_in() and not group.protects and not hooks_for(group, TERMINATING):
        yield Violation(
            f"{group.logical_id} scales in, and no hook holds an instance that is terminated",
            linted.at_group("LifecycleHookSpecificationList"),
        )


def _retained_unnoticed(linted: LintedFleet) -> Iterator[Violation]:
    group = linted.fleet.group
    if not group.retains:
        return
    at = linted.at_group("InstanceLifecyclePolicy")
    if not hooks_for(group, TERMINATING):
        yield Violation(
            f"{group.logical_id} retains instances that a termination hook abandons, and it has no "
            "such hook: the policy has no effect",
            at,
            Severity.NOTE,
        )
    elif not group.metrics & RETAINED_METRICS:
        yield Violation(
            f"{group.logical_id} retains instances that a termination hook abandons, and its "
            "MetricsCollection does not count them",
            at,
        )
    elif not _is_watched(linted, group.metrics & RETAINED_METRICS):
        yield Violation(
            f"{group.logical_id} retains instances that a termination hook abandons, and no alarm "
            "watches how many there are",
            at,
        )


def _is_watched(linted: LintedFleet, metrics: frozenset[str]) -> bool:
    """Return whether an alarm of the template reads one of the group's metrics."""
    for logical_id in linted.resolver.present(ALARM):
        read = set(texts_in(linted.resolver.properties(logical_id)))
        if linted.fleet.group.name in read and read & metrics:
            return True
    return False


def _too_few_hops(linted: LintedFleet) -> Iterator[Violation]:
    launch = linted.launch
    if launch is None or linted.container is None or not linted.container.own_network:
        return
    at = (*launch.at, "MetadataOptions")
    options = part(launch.data, "MetadataOptions", path(*launch.at))
    if HOP_LIMIT not in options:
        yield Violation(
            f"{HOP_LIMIT} is not set, and a container runs on the instance: the image or the "
            "account decides whether it can have credentials",
            at,
            Severity.NOTE,
        )
    elif whole(options, HOP_LIMIT, path(*at)) < CONTAINER_HOPS:
        yield Violation(f"{HOP_LIMIT} is 1, and a container runs on the instance", (*at, HOP_LIMIT))


def _too_soon(linted: LintedFleet) -> Iterator[Violation]:
    fleet = linted.fleet
    if hooks_for(fleet.group, LAUNCHING):  # the hook decides when the instance enters service
        return
    growing = {policy for alarm in linted.out() for policy in alarm.policies}
    for policy in fleet.policies:
        if policy.logical_id not in growing:
            continue
        if isinstance(policy, SimpleScalingPolicy):
            name, own, common = "Cooldown", policy.cooldown, "Cooldown"
            seconds = fleet.group.default_cooldown if own is None else own
        else:
            name, own, common = "EstimatedInstanceWarmup", policy.warmup, "DefaultInstanceWarmup"
            seconds = warmup(fleet, policy)
        if seconds < STARTING:
            yield Violation(
                f"{policy.logical_id} counts a new instance after {seconds} seconds, and "
                f"its first receive comes about {STARTING} seconds after InService",
                linted.at_group(common) if own is None else (policy.logical_id, PROPERTIES, name),
            )


RULES = (
    Rule(
        id="killed-before-drained",
        severity=Severity.ERROR,
        problem="The container's stop timeout is shorter than its drain.",
        why=(
            "Docker kills a container that has not ended by then (the default is 10 seconds): "
            "unfinished work is lost, and is done again later."
        ),
        page="Design your applications to gracefully handle instance termination",
        fix=f"Set `docker run --stop-timeout` to more than {DRAIN}.",
        check=_stop_too_short,
    ),
    Rule(
        id="hook-before-stopped",
        severity=Severity.ERROR,
        problem="The terminate hook's heartbeat timeout is shorter than the container's stop.",
        why="When the hook times out, the instance is terminated with all that still runs on it.",
        page="Amazon EC2 Auto Scaling lifecycle hooks",
        fix="Set HeartbeatTimeout above the stop timeout, or record heartbeats while draining.",
        check=_hook_too_short,
    ),
    Rule(
        id="no-terminate-hook",
        severity=Severity.WARNING,
        problem="The group scales in without a terminate hook or scale-in protection.",
        why=(
            "The instance is shut down at once: messages that it was processing become visible "
            "only when their visibility timeout ends, and logs are incomplete."
        ),
        page="Amazon EC2 Auto Scaling lifecycle hooks",
        fix=(
            "Add a hook on autoscaling:EC2_INSTANCE_TERMINATING, and complete it when the worker "
            "has drained."
        ),
        check=_no_hook,
    ),
    Rule(
        id="retained-unnoticed",
        severity=Severity.WARNING,
        problem="The group retains abandoned instances, and no alarm counts them.",
        why=(
            "A retained instance is billed until somebody terminates it with "
            "TerminateInstanceInAutoScalingGroup, and another one takes its place. Without an "
            "alarm nobody knows of it. Without a termination hook the policy has no effect, which "
            "is only a note."
        ),
        page="Manage retained instances",
        fix=(
            "Enable GroupTerminatingRetainedInstances in MetricsCollection, with an alarm on it, "
            "or remove InstanceLifecyclePolicy."
        ),
        check=_retained_unnoticed,
    ),
    Rule(
        id="metadata-out-of-reach",
        severity=Severity.ERROR,
        problem="A container runs on an instance whose metadata answers travel one hop.",
        why=(
            "A container on a bridge network is one hop further away than its host: it gets no "
            "token, and no credentials of the instance's role. Where the limit is not set, this "
            "is only a note."
        ),
        page="Use the Instance Metadata Service to access instance metadata",
        fix="Set MetadataOptions: HttpPutResponseHopLimit to 2.",
        check=_too_few_hops,
    ),
    Rule(
        id="reckons-too-soon",
        severity=Severity.NOTE,
        problem="The warm-up or cooldown of a scale-out is shorter than the start of an instance.",
        why=(
            "The next evaluation still sees the whole backlog, and launches more instances than "
            f"it needs. From InService to the first receive {STARTING} seconds are assumed (the "
            f"boot's {BOOTING} s, less {BOOTING - STARTING} s until the instance runs)."
        ),
        page="Set the default instance warmup for an Auto Scaling group",
        fix="Set DefaultInstanceWarmup (for simple scaling, Cooldown) to the time of a start.",
        check=_too_soon,
    ),
)
