"""Agreement of rig and simulator: figures and a picture of the same run in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib import pyplot as plt

from tidemill.report.figure_style import BESIDE_TITLE, STATE_COLOURS, WAITING, save, style
from tidemill.report.tables import markdown_table
from tidemill.report.timeline_figure import Scale, drawn, in_service
from tidemill.scaling.facts import (
    ActivityStarted,
    AlarmChanged,
    DesiredChanged,
    InstanceChanged,
    QueueSampled,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tidemill.scaling.facts import Fact

Row = tuple[str, str, str]
"""The name of a figure, its value in the rig, and its value in the simulator."""

RIG: dict[str, Any] = {"color": WAITING, "label": "rig", "linewidth": 4}
SIMULATOR: dict[str, Any] = {
    "color": STATE_COLOURS["ALARM"],
    "label": "simulator",
    "linestyle": "--",
    "linewidth": 1.6,
}

GIVEN = """\
The input of the simulator was the time at which each message was sent, the template with its \
parameters, how long handlers took and how often they failed, the boot time of an instance, and \
half a second of this machine's time for the start \
and for the end of a process. It computed everything else. The queue is sampled once a minute, \
when its metrics are published."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs: its facts, and the counts of its messages."""

    facts: Sequence[Fact]
    processed: int
    dead_lettered: int
    lost: int


def agreement_rows(rig: Side, simulated: Side) -> list[Row]:
    """Return both runs side by side; minutes are AWS's, since the rig's start."""
    start = rig.facts[0].at
    sides = [dict(_figures(run, start)) for run in (rig, simulated)]
    rows = [(what, value, sides[1][what]) for what, value in sides[0].items()]
    same = first_events(rig.facts) == first_events(simulated.facts)
    return [*rows, ("order of first events", "", "the same" if same else "another")]


def first_events(facts: Iterable[Fact]) -> list[str]:
    """Return the kinds of events of a run, each once, in the order of their first time."""
    events: dict[str, None] = {}
    for fact in facts:
        if isinstance(fact, AlarmChanged) and fact.after == "ALARM":
            events[f"{fact.alarm} is in ALARM"] = None
        elif isinstance(fact, DesiredChanged):
            events[f"capacity {'rises' if fact.after > fact.before else 'falls'}"] = None
        elif isinstance(fact, InstanceChanged):
            events[f"an instance is {fact.state}"] = None
    return list(events)


def agreement_chapter(rows: Sequence[Row], picture: str) -> Iterator[str]:
    """Yield the report's chapter on rig and simulator.

    Args:
        rows: both runs side by side.
        picture: the link to the picture.
    """
    yield "## The same run in the simulator\n"
    caption = "Messages and instances of this run (solid) and of the simulator (dashed)."
    yield f"![{caption}]({picture})\n\n*{caption}*\n"
    yield markdown_table(("what", "rig", "simulator"), rows) + "\n"
    yield GIVEN + "\n"


def draw_agreement(rig: Sequence[Fact], simulated: Sequence[Fact], path: Path) -> None:
    """Draw both runs into one picture; the same facts make the same file.

    Args:
        rig: the facts of the rig, at least one.
        simulated: those of the simulator, with times of the same clock.
        path: the file; its ending gives the format, PNG or SVG.
    """
    scale = Scale(rig[0].at, max(rig[-1].at, simulated[-1].at))
    with style():
        figure, (queue, fleet) = plt.subplots(
            2, 1, sharex=True, figsize=(10, 5.6), height_ratios=(3, 2), layout="constrained"
        )
        for facts, line in ((rig, RIG), (simulated, SIMULATOR)):
            samples = [fact for fact in facts if isinstance(fact, QueueSampled)]
            left = [sample.visible + sample.in_flight for sample in samples]
            queue.plot([scale.minutes(sample.at) for sample in samples], left, **line)
            fleet.step(*drawn(in_service(facts), scale), where="post", **line)
        for axes, title, unit in (
            (queue, "Messages waiting or in flight", "messages"),
            (fleet, "Instances in service", "instances"),
        ):
            axes.set_title(title, loc="left", fontweight="bold")
            axes.set_ylabel(unit)
            axes.set_ylim(bottom=0)
            axes.legend(**BESIDE_TITLE)
        fleet.yaxis.get_major_locator().set_params(integer=True)
        fleet.set_xlabel("minutes of AWS's time")
        fleet.set_xlim(0, max(scale.width * 1.04, 1))
        save(figure, path)


def _figures(run: Side, start: float) -> Iterator[tuple[str, str]]:
    facts = run.facts
    yield "processed", str(run.processed)
    yield "in the dead-letter queue", str(run.dead_lettered)
    yield "lost", str(run.lost)
    yield "instances at the peak", str(max((number for _, number in in_service(facts)), default=0))
    kinds = [fact.kind_of for fact in facts if isinstance(fact, ActivityStarted)]
    yield "launches", str(kinds.count("launch"))
    yield "terminations", str(kinds.count("terminate"))
    changes = [fact for fact in facts if isinstance(fact, InstanceChanged)]
    serving = [fact.at for fact in changes if fact.state == "InService"]
    yield "minutes until the first instance is in service", _since(start, serving[:1])
    full = [f.at for f in facts if isinstance(f, QueueSampled) and f.visible + f.in_flight]
    yield "minutes until messages are last seen", _since(start, full[-1:])
    gone = [fact.at for fact in changes if fact.state == "Terminated"]
    yield "minutes until the last instance is gone", _since(start, gone[-1:])


def _since(start: float, moments: Sequence[float]) -> str:
    return f"{(moments[0] - start) / 60:.1f}" if moments else "never"
