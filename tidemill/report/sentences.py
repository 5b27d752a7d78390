"""Sentences for facts, one line each."""

from __future__ import annotations

from datetime import UTC, datetime

from tidemill.scaling.facts import (
    ActivityStarted,
    AlarmChanged,
    CapacitySampled,
    DesiredChanged,
    Fact,
    FaultBegan,
    FaultEnded,
    InstanceChanged,
    Noted,
    PolicyHeld,
    QueueSampled,
)
from tidemill.scaling.fault_kinds import KINDS
from tidemill.scaling.faults import NEVER, Fault

STATES = {
    "Pending": "is launching",
    "Pending:Wait": "has booted and waits",
    "InService": "is in service",
    "Terminating:Wait": "is to be terminated and drains",
    "Terminating:Proceed": "has drained",
    "Terminating:Retained": "is retained, as its termination was abandoned",
    "Terminated": "is terminated",
}


def clock_time(at: float) -> str:
    """Return the time of day in UTC, as in 10:03:00."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def short_name(alarm: str) -> str:
    """Return an alarm's logical id without the word Alarm at its end."""
    return alarm.removesuffix("Alarm") or alarm


def sentence(fact: Fact) -> str | None:
    """Return what happened; None for samples and activities, which the log leaves out."""
    said: str | None
    match fact:
        case DesiredChanged():
            inputs = ", ".join(f"{name} {value:g}" for name, value in fact.inputs.items())
            # Only a value that counts instances can be compared with the desired capacity.
            counted = "instance" in fact.label and fact.value > fact.after > fact.before
            capped = " (the maximum)" if counted else ""
            said = (
                f"{short_name(fact.alarm)}: {inputs}: {fact.label or 'value'} {fact.value:g} "
                f"-> desired {fact.before} to {fact.after}{capped}"
            )
        case AlarmChanged():
            value = "" if fact.value is None else f", value {fact.value:g}"
            said = f"{short_name(fact.alarm)} is {fact.after} (was {fact.before}{value})"
        case PolicyHeld():
            said = f"{short_name(fact.alarm)}: {fact.policy} changes nothing: {fact.why}"
        case InstanceChanged():
            detail = f" ({fact.detail})" if fact.detail else ""
            said = f"{fact.instance} {STATES.get(fact.state, fact.state)}{detail}"
        case FaultBegan():
            said = _begun(Fault(fact.fault, fact.target or None, parameters=fact.parameters))
        case FaultEnded():
            subject = Fault(fact.fault, fact.target or None).subject()
            said = f"{subject}: the fault {fact.fault} has ended"
        case Noted():
            said = fact.text
        case QueueSampled() | CapacitySampled() | ActivityStarted():
            said = None
    return said


def _begun(fault: Fault) -> str:
    said = f"{fault.subject()} {fault.phrase(KINDS[fault.kind].note)}"
    if not fault.seconds:
        return said
    if fault.seconds == NEVER:
        return f"{said}, until the end"
    return f"{said}, for {fault.seconds / 60:g} minutes"


def line(fact: Fact) -> str | None:
    """Return the sentence with its time before it; None without a sentence."""
    text = sentence(fact)
    return None if text is None else f"{clock_time(fact.at)} {text}"
