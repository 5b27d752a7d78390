"""Check of the policies' steps: values at and beside each bound, by ExecutePolicy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.scaling.group.memory import ALARM_NOTIFICATION, LAUNCH
from tidemill.verify.acting.steering import EXECUTING, execute, set_desired, suspended
from tidemill.verify.bench import why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.expectation import REFUSED, probes
from tidemill.verify.finding import compared, unobserved
from tidemill.verify.fleet_now import CALLS, require_idle
from tidemill.verify.ports import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.verify.bench import Bench
    from tidemill.verify.expectation import Probe
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

QUIET = [ALARM_NOTIFICATION, LAUNCH]
"""The processes that are suspended meanwhile, so that no alarm interferes and no instance is
launched."""

SETTLE = 1.0
"""Seconds from a request until the group shows it."""

RESTORED = "desired capacity 0 again, and no process suspended"
"""The line of progress when the group is as it was before."""

SMALL = 1
"""The largest capacity that is probed if AWS does nothing while the processes are suspended: each
such probe may launch an instance."""

BILLED_AT_LEAST = 60.0
INVALID = "ValidationError"


def _observe(bench: Bench) -> None:
    require_idle(bench)
    wanted = list(probes(bench.target.fleet))
    with suspended(bench, QUIET, RESTORED, to_zero=True):
        bench.note("suspended", value=True)
        results = bench.seen.setdefault("results", {})
        for probe in wanted:
            results[probe.name] = _try(bench, probe)
    if not any(_moves(probe, results) for probe in wanted if probe.control):
        bench.seen["suspended"] = False
        _try_small(bench, [one for one in wanted if one.start == 0], results)


def _moves(probe: Probe, results: Mapping[str, object]) -> bool:
    return results[probe.name] == probe.expected


def _try_small(bench: Bench, wanted: list[Probe], results: dict[str, object]) -> None:
    """Repeat the probes that ask for one instance at most, with no process suspended."""
    results.clear()
    try:
        for probe in wanted:
            if isinstance(probe.expected, str) or probe.expected <= SMALL:
                results[probe.name] = _try(bench, probe)
    finally:
        set_desired(bench, 0)
        bench.say(RESTORED)


def _try(bench: Bench, probe: Probe) -> int | str:
    set_desired(bench, probe.start)
    try:
        desired = execute(bench, probe, SETTLE)
    except RefusedError as error:
        if error.code != INVALID:
            raise
        return REFUSED
    bench.say(f"{probe.name}: {desired}")
    return desired


def _judge(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    results: Mapping[str, int | str] = seen.get("results", {})
    note = "" if seen.get("suspended", True) else "AWS acts only while no process is suspended"
    for probe in probes(target.fleet):
        what = f"desired capacity after {probe.name}"
        if probe.name in results:
            yield compared(what, probe.expected, results[probe.name], note)
        else:
            yield unobserved(what, str(probe.expected), note or why_missing(seen))


STEPS = Check(
    name="steps",
    question="Which step has a value exactly at the threshold, and the values beside it?",
    observation=Observation(
        name="steps",
        does="suspends AlarmNotification and Launch, executes the policies with values at and "
        "beside their bounds, and reads the desired capacity after each; sets it to 0 and "
        "resumes. If AWS does nothing meanwhile, it repeats with nothing suspended those that "
        "ask for one instance, which may be launched for a minute",
        level=Level.ACT,
        calls=(*CALLS, *EXECUTING),
        use=lambda target: Use(
            seconds=4.0 * len(list(probes(target.fleet))),
            instance_seconds=BILLED_AT_LEAST * 5,
            requests=4,
        ),
        observe=_observe,
    ),
    judge=_judge,
    remedy="The default template keeps every value off the bounds, so it works with either rule. "
    "If a value beside a bound differs, do not use the fleet: report it, with the output of "
    "--json. If only the value at the threshold differs, the core's rule for bounds "
    "(tidemill/scaling/policies/step.py) is not AWS's.",
)
