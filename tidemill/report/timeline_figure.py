"""Picture of a run: queue, alarms, instances and faults over AWS's time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib import pyplot as plt
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from tidemill.report.figure_style import (
    BESIDE_TITLE,
    DESIRED,
    FAULT,
    IN_FLIGHT,
    SERVING,
    STATE_COLOURS,
    WAITING,
    save,
    style,
)
from tidemill.report.sentences import short_name
from tidemill.scaling.facts import (
    AlarmChanged,
    CapacitySampled,
    DesiredChanged,
    FaultBegan,
    QueueSampled,
    in_service_over_time,
)
from tidemill.scaling.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from tidemill.scaling.facts import Fact

ROOM = 0.3
"""Share of the width that a text needs; a step up in the last 30 % has its text on its left."""

MOST_LABELS = 15
"""The largest number of changes of capacity with a text beside them; more would overlap."""

QUIET_SECONDS = 600.0
"""Seconds from the last event of a run to the end of its picture."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The axis of time: minutes of AWS's time since the start."""

    start: float
    end: float

    def minutes(self, at: float) -> float:
        """Return the minutes from the start to a moment in epoch seconds."""
        return (at - self.start) / 60

    @property
    def width(self) -> float:
        """Return the minutes from start to end."""
        return self.minutes(self.end)


def without_quiet_end(facts: Sequence[Fact]) -> list[Fact]:
    """Return the facts without the end of the run in which there are only samples."""
    last = max(
        (fact.at for fact in facts if not isinstance(fact, QueueSampled | CapacitySampled)),
        default=0.0,
    )
    return [fact for fact in facts if fact.at <= last + QUIET_SECONDS]


def draw_timeline(facts: Sequence[Fact], path: Path) -> None:
    """Draw a run's facts into a file; the same facts make the same file.

    Args:
        facts: in their order.
        path: the file; its ending gives the format, PNG or SVG.
    """
    scale = Scale(min(f.at for f in facts), max(f.at for f in facts)) if facts else Scale(0, 60)
    rows = len({fact.alarm for fact in facts if isinstance(fact, AlarmChanged)})
    spans = fault_spans(facts)
    heights = [3, 0.5 + 0.4 * max(rows, 1), 2.2]
    heights += [0.5 + 0.28 * len(spans)] if spans else []
    with style():
        figure, panels = plt.subplots(
            len(heights),
            1,
            sharex=True,
            figsize=(10, 1.1 * sum(heights)),
            height_ratios=heights,
            layout="constrained",
        )
        queue, alarms, fleet, *faults = panels.flat
        _draw_queue(queue, facts, scale)
        _draw_alarms(alarms, facts, scale)
        _draw_fleet(fleet, facts, scale)
        for axes in faults:
            _draw_faults(axes, spans, scale)
        panels.flat[-1].set_xlabel("minutes of AWS's time")
        fleet.set_xlim(0, max(scale.width * 1.04, 1))
        fleet.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
        save(figure, path)


def _draw_queue(axes: Axes, facts: Sequence[Fact], scale: Scale) -> None:
    samples = [fact for fact in facts if isinstance(fact, QueueSampled)]
    times = [scale.minutes(sample.at) for sample in samples]
    axes.stackplot(
        times,
        [sample.in_flight for sample in samples],
        [sample.visible for sample in samples],
        colors=(IN_FLIGHT, WAITING),
        labels=("in flight", "waiting"),
    )
    axes.set_ylabel("messages")
    axes.set_ylim(bottom=0)
    axes.set_title("Queue", loc="left", fontweight="bold")
    axes.legend(**BESIDE_TITLE)


def _draw_alarms(axes: Axes, facts: Sequence[Fact], scale: Scale) -> None:
    changes = [fact for fact in facts if isinstance(fact, AlarmChanged)]
    names = list(dict.fromkeys(change.alarm for change in changes))
    for row, name in enumerate(names):
        own = [change for change in changes if change.alarm == name]
        begin, state = 0.0, own[0].before
        for change in own:
            at = scale.minutes(change.at)
            axes.barh(row, at - begin, left=begin, color=STATE_COLOURS[state], height=0.72)
            begin, state = at, change.after
        axes.barh(row, scale.width - begin, left=begin, color=STATE_COLOURS[state], height=0.72)
    axes.set_yticks(range(len(names)), [short_name(name) for name in names])
    axes.invert_yaxis()
    axes.set_title("Alarms", loc="left", fontweight="bold")
    axes.legend(
        handles=[Patch(color=colour, label=state) for state, colour in STATE_COLOURS.items()],
        **BESIDE_TITLE,
    )


def _draw_fleet(axes: Axes, facts: Sequence[Fact], scale: Scale) -> None:
    serving, desired = in_service(facts), _desired(facts)
    highest = max([number for _, number in serving + desired] + [1])
    axes.fill_between(*drawn(serving, scale), step="post", color=SERVING, label="in service")
    axes.step(*drawn(desired, scale), where="post", color=DESIRED, linewidth=2, label="desired")
    changes = [fact for fact in facts if isinstance(fact, DesiredChanged)]
    for change in changes if len(changes) <= MOST_LABELS else ():
        _annotate(axes, change, scale)
    axes.set_ylabel("instances")
    axes.set_ylim(0, highest + 0.9)
    axes.set_yticks(range(highest + 1))
    axes.set_title("Fleet", loc="left", fontweight="bold")
    axes.legend(**BESIDE_TITLE)


def fault_spans(facts: Sequence[Fact]) -> dict[str, list[tuple[float, float]]]:
    """Return begin and end of each fault, in epoch seconds, by its kind.

    A fault without a duration ends when it begins; one that lasts longer than the run ends with it.
    """
    spans: dict[str, list[tuple[float, float]]] = {}
    for fact in facts:
        if isinstance(fact, FaultBegan):
            fault = Fault(fact.fault, fact.target or None, fact.at, fact.parameters)
            spans.setdefault(fact.fault, []).append((fact.at, min(fault.until, facts[-1].at)))
    return spans


def _draw_faults(
    axes: Axes, spans: Mapping[str, Sequence[tuple[float, float]]], scale: Scale
) -> None:
    for row, kind in enumerate(spans):
        for begin, end in spans[kind]:
            at = scale.minutes(begin)
            axes.barh(row, scale.minutes(end) - at, left=at, color=FAULT, alpha=0.7, height=0.6)
            axes.plot([at], [row], marker="|", markersize=9, color=FAULT)
    axes.set_yticks(range(len(spans)), list(spans), fontsize=9)
    axes.invert_yaxis()
    axes.set_title("Faults", loc="left", fontweight="bold")


def _annotate(axes: Axes, change: DesiredChanged, scale: Scale) -> None:
    """Write a change of the desired capacity beside it, such as "0 → 4  (instances needed 26)".

    The alarm's value is left out if it equals the new capacity. The text does not cover a line: it
    is left of a step up, or above it without enough room, and right of a step down.
    """
    at = scale.minutes(change.at)
    differs = change.label and change.value != change.after
    value = f"  ({change.label} {change.value:g})" if differs else ""
    before = change.after > change.before and at > scale.width * ROOM
    over = change.after > change.before and not before
    axes.annotate(
        f"{change.before} → {change.after}{value}",
        (at, max(change.before, change.after)),
        xytext=(2, 5) if over else (-5 if before else 5, -12),
        textcoords="offset points",
        ha="right" if before else "left",
        color=DESIRED,
        fontsize=10,
    )


def drawn(points: Sequence[tuple[float, int]], scale: Scale) -> tuple[list[float], list[int]]:
    """Return minutes and numbers of the points; the last number lasts until the end."""
    times = [scale.minutes(at) for at, _ in points] + [scale.width]
    numbers = [number for _, number in points]
    return times, [*numbers, numbers[-1] if numbers else 0]


def in_service(facts: Sequence[Fact]) -> list[tuple[float, int]]:
    """Return (moment, instances in service from then on), beginning with 0."""
    start = [(facts[0].at, 0)] if facts else []
    return start + in_service_over_time(facts)


def _desired(facts: Sequence[Fact]) -> list[tuple[float, int]]:
    first = next((fact.desired for fact in facts if isinstance(fact, CapacitySampled)), 0)
    points = [(facts[0].at, first)] if facts else []
    points += [(fact.at, fact.after) for fact in facts if isinstance(fact, DesiredChanged)]
    return points
