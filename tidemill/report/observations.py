"""Observations of a run: sentences that are computed from its facts and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.facts import DesiredChanged, InstanceChanged, QueueSampled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tidemill.report.results import Logs, Summary
    from tidemill.scaling.facts import Fact


def conclusion(facts: Sequence[Fact], summary: Summary) -> str:
    """Return a few sentences that describe the run in the picture."""
    start = facts[0].at if facts else 0.0
    outs = [f for f in facts if isinstance(f, DesiredChanged) and f.after > f.before]
    ends = [f for f in facts if isinstance(f, InstanceChanged) and f.state == "Terminated"]
    messages = _counted(summary["sent"], "message")
    scaled_out = (
        f"For {messages} the group scaled out from {outs[0].before} to "
        f"{_counted(summary['peak_instances'], 'instance')}; the first scale-out was "
        f"{_minutes(outs[0].at - start)} after the start"
        if outs
        else f"{messages} caused no scale-out"
    )
    drained = (
        f" The last message was processed {_minutes(summary['seconds_to_drain'])} after the first "
        "was sent."
        if summary["seconds_to_drain"] is not None
        else ""
    )
    ended = (
        f"The last instance was terminated {_minutes(ends[-1].at - start)} after the start."
        if ends and not summary["final_instances"]
        else f"{_counted(summary['final_instances'], 'instance')} still ran at the end."
    )
    return (
        f"{scaled_out}.{drained} {ended} {summary['lost']} messages were lost, "
        f"{summary['duplicates']} were processed twice, {summary['dead_lettered']} became dead "
        "letters."
    )


def exercise_steps(facts: Sequence[Fact], summary: Summary, logs: Logs) -> list[tuple[str, str]]:
    """Return the steps of the exercise's test, each with what was observed."""
    samples = [fact for fact in facts if isinstance(fact, QueueSampled)]
    highest = max((s.visible + s.in_flight for s in samples), default=0)
    changes = [fact for fact in facts if isinstance(fact, DesiredChanged)]
    poison = f", {summary['poison']} of them malformed on purpose" if summary.get("poison") else ""
    return [
        ("Load messages with the producer", f"{summary['sent']} messages were sent{poison}."),
        (
            "Confirm that they are queued, above the scale-out threshold",
            f"The queue held up to {highest} messages when its metrics were published.",
        ),
        (
            "Observe the scale-out as the number of messages rises",
            _changes(change for change in changes if change.after > change.before),
        ),
        (
            "Ensure that each instance's consumer processes and removes messages",
            (
                f"{_counted(_working(logs), 'instance')} processed "
                f"{_counted(summary['processed'], 'message')}, and "
                f"{summary.get('left_in_queue', 0)} were left in the queue; "
                f"{summary['invalid']} were found invalid, and {summary['dead_lettered']} were "
                "moved to the dead-letter queue."
            ),
        ),
        (
            "Observe the scale-in as the number of messages falls",
            _changes(change for change in changes if change.after < change.before),
        ),
        (
            "Analyse the pattern in the metrics",
            (
                f"{summary['scale_out_activities']} launches and "
                f"{summary['scale_in_activities']} terminations, {summary['peak_instances']} "
                f"instances at the peak and {summary['final_instances']} at the end: see the "
                "picture."
            ),
        ),
        (
            "Review the logs for message content and errors",
            (
                f"Lines with a processed message and its content: {_count(logs, 'processed')}; "
                f"with an invalid message and the reason: {_count(logs, 'invalid')}; with a failed "
                f"message and the reason: {_count(logs, 'failed')}. See the excerpts."
            ),
        ),
    ]


def _changes(changes: Iterable[DesiredChanged]) -> str:
    sentences = [
        f"{change.alarm} ({change.label or 'value'} {change.value:g}) changed the desired capacity "
        f"from {change.before} to {change.after}"
        for change in changes
    ]
    return "; ".join(sentences) + "." if sentences else "It did not happen in this run."


def _count(logs: Logs, outcome: str) -> int:
    return sum(entry.get("outcome") == outcome for own in logs.values() for entry in own)


def _working(logs: Logs) -> int:
    return sum(any(e.get("outcome") == "processed" for e in own) for own in logs.values())


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes"
